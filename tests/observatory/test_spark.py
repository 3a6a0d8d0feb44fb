# SPDX-License-Identifier: Apache-2.0
"""Every figure on Spark says what it says on DuckDB. Run by `make spark`."""

import importlib.util
import math
import shutil
from collections.abc import Generator

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.running import Result
from hubkeep.observatory.session import Places, Session
from tests.observatory.whole import whole

Sessions = tuple[Session, Session]

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("pyspark") is None,
        reason="pyspark is not installed: `make spark` has it",
    ),
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is absent"),
    # Spark's own: it leaves sockets and files to the garbage collector.
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.xdist_group("spark"),
]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sessions]:
    from hubkeep.observatory.spark import Spark

    history, other = whole(tmp_path_factory.mktemp("whole"))
    places = Places.of([one.folder for one in history], reference=other.folder)
    with Session(places) as duck, Session(places, backend=Spark("local[2]")) as spark:
        yield duck, spark


@pytest.mark.parametrize("name", all_figures())
def test_spark_says_the_same(sessions: Sessions, name: str) -> None:
    on_duck, on_spark = (one.figure(name) for one in sessions)
    assert len(on_duck.table) > 0, "the figure has no answer, so that nothing is compared"
    same(on_duck, on_spark)


def test_spark_filters_the_same(sessions: Sessions) -> None:
    chosen = Filters(org_type="company", since="2023-01-01", flagged="drop")
    try:
        for one in sessions:
            one.ask_about(chosen)
        for name in ("S2", "F2"):
            same(*(one.figure(name) for one in sessions))
    finally:
        for one in sessions:
            one.ask_about(Filters())


def same(one: Result, other: Result) -> None:
    """Assert that tables, scalars and counts are equal, floats to a billionth."""
    assert one.table.schema == other.table.schema
    rows, others = one.table.to_pylist(), other.table.to_pylist()
    assert len(rows) == len(others)
    for row, its in zip(rows, others, strict=True):
        for column, value in row.items():
            close(value, its[column], f"{column} of {row}")
    assert one.scalars.keys() == other.scalars.keys()
    for name, value in one.scalars.items():
        close(value, other.scalars[name], name)
    assert (one.n, one.excluded, one.missing) == (other.n, other.excluded, other.missing)
    assert [flag.id for flag in one.flagged] == [flag.id for flag in other.flagged]


def close(value: object, other: object, what: str) -> None:
    if isinstance(value, float) and isinstance(other, float):
        assert math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-9) or (
            math.isnan(value) and math.isnan(other)
        ), f"{what}: {value} on DuckDB, {other} on Spark"
    else:
        assert value == other, what

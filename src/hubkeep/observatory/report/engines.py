# SPDX-License-Identifier: Apache-2.0
"""Which engine runs the figures' SQL: DuckDB in this process, or Spark."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.engine import DuckEngine, Engine, Selection
from hubkeep.observatory.filters import Filters

DUCKDB: Final = "duckdb"
_SPARK: Final = re.compile(r"spark://\S+|local\[(\d+|\*)\]|yarn|k8s://\S+")
_MODULE: Final = "hubkeep.observatory.spark"


class NoSuchEngine(ValueError):
    """There is no engine of this name, or what it needs is not installed; the text says which."""


@contextmanager
def engine_of(
    url: str, selection: Selection, dimensions: Dimensions, filters: Filters
) -> Generator[Engine]:
    """Open snapshots with the engine that `url` names, and close it in the end. NoSuchEngine.

    `duckdb` (or `local`) is this process; `spark://HOST:PORT` and `local[N]` are Spark's own names
    for a cluster and for N threads of this machine.
    """
    if url in (DUCKDB, "local"):
        with DuckEngine(selection, dimensions, filters) as engine:
            yield engine
        return
    if not _SPARK.fullmatch(url):
        raise NoSuchEngine(f"there is no engine {url!r}: duckdb, spark://HOST:PORT or local[N]")
    if find_spec("pyspark") is None or find_spec(_MODULE) is None:
        raise NoSuchEngine(
            f"the engine {url} needs Spark: pip install 'hubkeep[spark]', and Java 17 or newer"
        )
    with import_module(_MODULE).SparkEngine(url, selection, dimensions, filters) as engine:
        yield engine

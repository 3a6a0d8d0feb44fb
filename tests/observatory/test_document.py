# SPDX-License-Identifier: Apache-2.0
"""A figure as data: everything that a reader needs is in it, and it is the same every time."""

from pathlib import Path

import msgspec
import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.document import FigureDocument, documented, filled
from hubkeep.observatory.filters import Filters
from tests.observatory.shelf import ecosystem, three


def test_a_figure_says_where_it_is_from_and_what_it_left_out(tmp_path: Path) -> None:
    snapshot = ecosystem(tmp_path)
    document = documented(snapshot.figure("S2", filters=Filters(flagged="drop"), k=10))
    assert (document.snapshot.id, document.snapshot.hash) == (
        snapshot.manifest.id,
        snapshot.manifest.hash,
    )
    assert document.excluded == {"flagged": 1}
    assert [one.id for one in document.flagged] == ["mit/absurd"]
    assert {one.name: (one.value, one.default) for one in document.parameters}["k"] == (10, 300)
    assert document.filters.flagged == "drop"
    assert document.caption == (
        f"n = 10 · 2024-07-11 · snapshot {snapshot.manifest.id} · 1 left out · 1 counter stands out"
    )
    assert document.table.columns == [one.name for one in document.columns]
    assert len(document.dimensions) == 64


def test_it_comes_back_from_json_as_it_was(tmp_path: Path) -> None:
    snapshots = three(tmp_path)
    for name in ("F1", "S6", "S7"):
        document = documented(snapshots[-1].figure(name, others=snapshots))
        written = msgspec.json.encode(document)
        again = msgspec.json.decode(written, type=FigureDocument)
        assert msgspec.json.encode(again) == written, name
        assert again.window == document.window


def test_days_are_text_and_what_is_no_number_is_null(tmp_path: Path) -> None:
    table = documented(ecosystem(tmp_path).figure("F1")).table
    months = [row["month"] for row in table.records()]
    assert "2024-02-01" in months
    assert b"NaN" not in msgspec.json.encode(table)


def test_a_chart_gets_its_data_by_name(tmp_path: Path) -> None:
    document = documented(ecosystem(tmp_path).figure("S6"))
    chart = msgspec.to_builtins(filled(document.chart, document.table, document.points))
    assert set(chart["datasets"]) == {"table", "points", "line"}
    assert chart["datasets"]["table"][0]["universe"] == "U"
    assert "vega-lite" in chart["$schema"]

# SPDX-License-Identifier: Apache-2.0
"""The table of benchmarks: what was not measured again stays, and a miss is seen."""

from pathlib import Path

import pytest

from bench.table import Figure, entries, write


def figure(name: str, value: float) -> Figure:
    return Figure(name, f"what {name} is", value, "<=", 5, "x")


def test_figures_that_were_not_measured_again_stay(tmp_path: Path) -> None:
    table, results = tmp_path / "table.md", tmp_path / "results.json"
    write(entries("bench", [figure("a", 1), figure("b", 2)]), table, results)
    write(entries("bench b", [figure("b", 3)]), table, results)
    rows = [line for line in table.read_text().splitlines() if line.startswith("| what ")]
    assert [row.split(" | ")[2] for row in rows[1:]] == ["1.00x", "3.00x"]


def test_a_miss_is_marked(tmp_path: Path) -> None:
    table = tmp_path / "table.md"
    write(entries("bench", [figure("a", 5.01)]), table, tmp_path / "results.json")
    assert "| **no** |" in table.read_text()


@pytest.mark.parametrize(("sense", "value"), [("<=", 5), (">=", 5), ("<=", 4.9), (">=", 5.1)])
def test_a_limit_itself_is_reached(sense, value: float) -> None:
    assert Figure("a", "a", value, sense, 5).is_reached

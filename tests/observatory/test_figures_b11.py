# SPDX-License-Identifier: Apache-2.0
"""B11: formats of weights and what scanners say, of a few models."""

from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.running import Result
from tests.observatory.tiny import Row, model, tiny, when

FORMATS = ("has_safetensors", "has_pickle", "has_gguf")


def of(name: str, has: str, downloads: int, made: str = "2023-01-01", **more: object) -> Row:
    """A model that has the formats of `has`: y, n or ? for safetensors, pickle and GGUF."""
    told = {"y": True, "n": False, "?": None}
    flags = {column: told[one] for column, one in zip(FORMATS, has, strict=True)}
    return model(name, downloads_30d=downloads, created_at=when(made), **flags, **more)


def counts(result: Result, whole: str, column: str = "format") -> dict[str, tuple[int, int]]:
    return {
        row[column]: (row["n"], row["dl"])
        for row in result.table.to_pylist()
        if row["whole"] == whole
    }


def test_what_a_loader_would_take_first_counts(tmp_path: Path) -> None:
    told = {
        "safetensors": ("yyy", "y??"),
        "pickle only": ("nyy", "nyn", "ny?"),
        "gguf": ("nny",),
        "none": ("nnn",),
        "unknown": ("?yn", "n?y", "nn?", "???"),
    }
    models = [of(f"a/{has}", has, 10) for ways in told.values() for has in ways]
    models = [{**row, "id": f"a/{at}"} for at, row in enumerate(models)]
    result = tiny(tmp_path, models=models).figure("B11")
    assert counts(result, "all") == {
        name: (len(ways), 10 * len(ways)) for name, ways in told.items()
    }


def test_formats_by_quarter_and_by_downloads(tmp_path: Path) -> None:
    models = [
        of("a/old", "nyn", 600, "2022-03-02"),
        of("a/one", "nyn", 100),
        of("a/two", "yyn", 200),
        of("a/three", "nyn", 60, "2023-06-30"),
        of("a/four", "?nn", 40, "2023-06-30"),
    ]
    result = tiny(tmp_path, models=models).figure("B11")
    assert counts(result, "before March 2022") == {"pickle only": (1, 600)}
    assert counts(result, "2023-01-01") == {"safetensors": (1, 200), "pickle only": (1, 100)}
    assert counts(result, "2023-04-01") == {"pickle only": (1, 60), "unknown": (1, 40)}
    pickle = next(row for row in result.table.to_pylist() if row["format"] == "pickle only")
    assert (pickle["share_all"], pickle["share_declared"]) == (3 / 5, 3 / 4)
    assert pickle["dl_share_declared"] == pytest.approx(760 / 960)
    assert result.scalars["share_with_pickle"] == 4 / 5
    assert result.scalars["share_with_safetensors"] == 1 / 4
    assert result.missing == {"has_safetensors, has_pickle or has_gguf": 1}


def test_verdicts_of_the_scanner_stand_by_format(tmp_path: Path) -> None:
    models = [
        of("a/one", "nyn", 100, scan="unsafe"),
        of("a/two", "nyn", 50, scan="clean"),
        of("a/three", "nyn", 30),
        of("a/four", "ynn", 20, scan="clean"),
    ]
    result = tiny(tmp_path, models=models).figure("B11")
    found = counts(result, "scan of pickle only", "verdict")
    assert found == {"unsafe": (1, 100), "clean": (1, 50), "(not scanned)": (1, 30)}
    assert counts(result, "scan of safetensors", "verdict") == {"clean": (1, 20)}
    unsafe = next(row for row in result.table.to_pylist() if row["verdict"] == "unsafe")
    assert (unsafe["share_all"], unsafe["share_declared"]) == (1 / 3, 1 / 2)
    assert (result.scalars["n_unsafe"], result.scalars["n_clean"]) == (1, 2)


def test_a_source_without_a_scanner_has_no_verdicts(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=[of("a/one", "nyn", 100)]).figure("B11")
    assert {row["verdict"] for row in result.table.to_pylist()} == {None}
    assert result.scalars["n_unsafe"] is None
    assert any("models.scan" in note for note in result.notes)

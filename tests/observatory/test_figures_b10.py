# SPDX-License-Identifier: Apache-2.0
"""B10: what is gated, of a few models and datasets."""

from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.running import Result
from tests.observatory.tiny import Row, model, tiny


def of(name: str, gated: str | None, downloads: int | None = 10) -> Row:
    return model(name, gated=gated, downloads_30d=downloads)


MODELS = [
    of("google/one", "manual", 300),
    of("google/two", "no", 200),
    of("Qwen/one", "auto", 100),
    of("nobody/one", "no", 400),
    of("nobody/two", None, 250),
]
DATASETS = [
    *(of(f"nobody/{at}", "no") for at in range(30)),
    of("openai/data", "manual", 50),
    of("nobody/absurd", "no", 9_000),
    of("nobody/silent", "auto", None),
]


def counts(result: Result, repo_type: str, region: str) -> dict[str, tuple[int, int]]:
    return {
        row["gated"]: (row["n"], row["dl"])
        for row in result.table.to_pylist()
        if (row["repo_type"], row["region"]) == (repo_type, region)
    }


def test_models_by_region(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=MODELS).figure("B10")
    assert counts(result, "model", "all") == {
        "no": (2, 600),
        "auto": (1, 100),
        "manual": (1, 300),
        "unknown": (1, 250),
    }
    assert counts(result, "model", "us") == {"no": (1, 200), "manual": (1, 300)}
    assert counts(result, "model", "china") == {"auto": (1, 100)}
    assert counts(result, "model", "unknown") == {"no": (1, 400), "unknown": (1, 250)}
    manual = next(row for row in result.table.to_pylist() if row["gated"] == "manual")
    assert (manual["share_all"], manual["share_declared"]) == (1 / 5, 1 / 4)
    assert manual["dl_share_declared"] == pytest.approx(300 / 1000)
    assert manual["loo_max"] == pytest.approx(300 / 600)
    assert manual["ci_lo"] < 1 / 4 < manual["ci_hi"]
    assert result.scalars["share_gated_models"] == 2 / 4
    assert result.scalars["dl_share_gated_models"] == pytest.approx(400 / 1000)
    assert result.n == 4
    assert result.missing == {"models.gated": 1}
    assert any("datasets.gated" in note for note in result.notes)


def test_datasets_have_regions_and_flags_of_their_own(tmp_path: Path) -> None:
    result = tiny(tmp_path, datasets=DATASETS).figure("B10")
    assert counts(result, "dataset", "all") == {
        "no": (31, 300),
        "auto": (1, None),
        "manual": (1, 50),
    }
    assert counts(result, "dataset", "us") == {"manual": (1, 50)}
    row = result.table.to_pylist()[0]
    assert row["dl_flagged"] == 9_000
    assert row["dl_share_declared"] == pytest.approx(300 / 350)
    assert row["dl_share_with_flagged"] == pytest.approx(9_300 / 9_350)
    assert result.excluded == {"flagged, from downloads alone": 1}
    assert result.scalars["share_gated_datasets"] == 2 / 33
    assert result.n == 33
    assert "share_gated_models" not in result.scalars


def test_both_stand_apart(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=MODELS, datasets=DATASETS).figure("B10")
    types = [row["repo_type"] for row in result.table.to_pylist()]
    assert types == sorted(types, reverse=True)
    assert result.n == 37


def test_a_source_that_does_not_tell_gives_no_number(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=[model("a/x", downloads_30d=3)]).figure("B10")
    assert (result.n, len(result.table)) == (0, 0)
    assert any("models.gated" in note for note in result.notes)

# SPDX-License-Identifier: Apache-2.0
"""B13, rank mobility: by hand of a few models, and by plain lists of three censuses."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import pyarrow.parquet as pq

from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.real import MODELS, data, imported
from tests.observatory.tiny import model, tiny

JANUARY = "2024-01-11T00:00:00.000Z"
APRIL = "2024-04-11T00:00:00.000Z"
JULY = "2024-07-11T00:00:00.000Z"


def taken(folder: Path, day: str, rule: str = "downloads_30d", **held: int) -> Snapshot:
    """A snapshot of models `a/x` and so on, by what each holds."""
    return tiny(folder, day, models=[model(f"a/{name}", **{rule: n}) for name, n in held.items()])


def test_who_came_who_went_and_who_changed_places(tmp_path: Path) -> None:
    before = taken(tmp_path, APRIL, x=50, y=40, z=30, w=20, gone=10, small=1)
    after = taken(tmp_path, JULY, x=90, y=30, z=40, w=10, new=60, small=50)
    result = after.figure("B13", others=[before], k=5)
    [row] = result.table.to_pylist()
    assert (str(row["from_day"]), str(row["to_day"])) == ("2024-04-11", "2024-07-11")
    assert (row["n_both"], row["overlap"]) == (3, 3 / 5)
    assert (row["entries"], row["entries_new"], row["exits"], row["exits_gone"]) == (2, 1, 2, 1)
    assert row["tau"] == pytest.approx(1 / 3)
    assert row["ci_lo"] < row["overlap"] < row["ci_hi"]
    assert row["is_whole"] is False
    assert result.n == 7
    assert result.scalars["overlap"] == 3 / 5
    assert result.window == "2024-04-11 to 2024-07-11"


def test_the_first_and_the_last_of_several_are_compared_too(tmp_path: Path) -> None:
    days = [
        taken(tmp_path, JANUARY, x=3, y=2, z=1),
        taken(tmp_path, APRIL, x=1, y=3, z=2),
        taken(tmp_path, JULY, x=1, y=2, z=3),
    ]
    rows = days[-1].figure("B13", others=days[:2], k=2).table.to_pylist()
    assert [(row["n_both"], row["is_whole"]) for row in rows] == [
        (1, False),
        (2, False),
        (1, True),
    ]


def test_a_model_that_moved_is_the_same(tmp_path: Path) -> None:
    before = tiny(tmp_path, APRIL, models=[model("gpt2", downloads_30d=5), model("a/resnet")])
    after = tiny(tmp_path, JULY, models=[model("openai-community/gpt2", downloads_30d=7)])
    [row] = after.figure("B13", others=[before]).table.to_pylist()
    assert (row["n_both"], row["n_before"], row["overlap"], row["tau"]) == (1, 1, 1, None)


def test_the_same_name_elsewhere_is_told_apart(tmp_path: Path) -> None:
    before = tiny(tmp_path, APRIL, models=[model("a/resnet", downloads_30d=5)])
    after = tiny(tmp_path, JULY, models=[model("b/resnet", downloads_30d=7)])
    [row] = after.figure("B13", others=[before]).table.to_pylist()
    assert (row["n_both"], row["n_both_by_name"], row["exits_gone"]) == (0, 1, 1)


def test_flagged_counters_are_left_out_of_all_lists(tmp_path: Path) -> None:
    crowd = [model(f"o{at:02}/m", downloads_30d=900 + at) for at in range(60)]
    shelf = [*crowd, model("a/absurd", downloads_30d=1_000_000)]
    before, after = tiny(tmp_path, APRIL, models=shelf), tiny(tmp_path, JULY, models=shelf)
    result = after.figure("B13", others=[before], k=10)
    [row] = result.table.to_pylist()
    assert result.excluded == {"flagged": 1}
    assert (row["n_both"], row["overlap"], row["overlap_with_flagged"]) == (10, 1, 1)
    assert "a/absurd" not in result.points["ranks"]["model"].to_pylist()


def test_other_rules_and_readers_filters(tmp_path: Path) -> None:
    shelf = [model("google/a", likes=9), model("who/b", likes=8), model("microsoft/c", likes=7)]
    before, after = tiny(tmp_path, APRIL, models=shelf), tiny(tmp_path, JULY, models=shelf[::-1])
    result = after.figure(
        "B13", others=[before], k=2, rule="likes", filters=Filters(org_type="company")
    )
    [row] = result.table.to_pylist()
    assert (row["n_before"], row["n_both"]) == (2, 2)
    assert set(result.points["ranks"]["model"].to_pylist()) == {"google/a", "microsoft/c"}


def test_one_snapshot_is_refused(tmp_path: Path) -> None:
    result = taken(tmp_path, JULY, x=1).figure("B13")
    assert (result.n, len(result.table)) == (0, 0)
    assert result.missing_columns == ["2 snapshots; there is 1"]
    later = taken(tmp_path, JULY.replace("T00", "T12"), x=1)
    twice = later.figure("B13", others=[taken(tmp_path, JULY, y=1)])
    assert (twice.n, len(twice.table)) == (0, 0)
    assert twice.notes == ["It takes two snapshots of different days."]


def first(name: str, column: str, k: int = 100) -> dict[str, int]:
    rows = pq.read_table(data(name), columns=[column, "downloads"]).to_pylist()
    rows.sort(key=lambda row: (-row["downloads"], row[column]))
    return {row[column]: row["downloads"] for row in rows[:k]}


def tau_b(x: Sequence[int], y: Sequence[int]) -> float:
    pairs = [(a - b, c - d) for (a, c), (b, d) in combinations(zip(x, y, strict=True), 2)]
    agree = sum((one * other > 0) - (one * other < 0) for one, other in pairs)
    across, down = (sum(pair[at] != 0 for pair in pairs) for at in (0, 1))
    return agree / (across * down) ** 0.5


def test_36_of_the_first_100_of_october_2022_still_are_in_july_2024(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    old, new = "hub_models_2022-10_liang.parquet", MODELS
    before = imported(tmp_path_factory, "2022-10-01T00:00:00.000Z", old)
    after = imported(tmp_path_factory, JULY, new)
    result = after.figure("B13", others=[before], filters=Filters(flagged="keep"))
    [row] = result.table.to_pylist()
    present, then, now = Dimensions().aliases, first(old, "id"), first(new, "id")
    names = {name.rpartition("/")[2] for name in now}
    assert sum(name.rpartition("/")[2] in names for name in then) == 36
    assert row["n_both_by_name"] == 36
    kept = {present.get(name, name): n for name, n in then.items()}
    both = [name for name in kept if name in now]
    assert (row["n_both"], row["entries"]) == (len(both), 100 - len(both))
    expected = tau_b([kept[name] for name in both], [now[name] for name in both])
    assert row["tau"] == pytest.approx(expected)
    without = after.figure("B13", others=[before]).table.to_pylist()[0]
    assert without["n_both_by_name"] == 36

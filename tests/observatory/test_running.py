# SPDX-License-Identifier: Apache-2.0
"""A figure's answer says what it is of, what it left out and what is missing."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.figure import Value
from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.figures.s2 import FIGURE as S2
from hubkeep.observatory.figures.s7 import FIGURE as S7
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.running import BadParameter, chosen, lacking
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.shelf import JANUARY, JULY, ecosystem, three
from tests.observatory.tiny import model, tiny

OURS = ("F1", "F2", "F3", "F4", "F5", "S1", "S2", "S3", "S4", "S5", "S6", "S7")


def bare(folder: Path) -> Snapshot:
    """A source that knows nothing but names."""
    return tiny(folder, models=[model("a/one"), model("a/two")])


def test_parameters_are_read_from_text() -> None:
    assert chosen(S2, {"k": "20", "rule": "likes"}) == {"k": 20, "rule": "likes"}
    assert chosen(S2, {}) == {"k": 300, "rule": "downloads_30d"}
    f2 = all_figures()["F2"].figure
    assert chosen(f2, {"merged": "true"}) == {"merged": True}
    assert chosen(f2, {"merged": "0"}) == {"merged": False}


@pytest.mark.parametrize(
    ("figure", "given", "says"),
    [
        ("S2", {"top": 3}, "no parameter 'top'; it has: k, rule"),
        ("S2", {"k": "many"}, "k must be like 300"),
        ("S2", {"k": 0}, "1 to 1,000,000"),
        ("S2", {"rule": "id; DROP TABLE models"}, "rule must be one of downloads_30d"),
        ("F2", {"merged": "perhaps"}, "merged must be like False"),
        ("S7", {"months": "nan"}, "months must be 0.25 to 36"),
        ("F4", {"k": 3}, "it has: none"),
    ],
)
def test_wrong_parameters_are_refused(figure: str, given: dict[str, Value], says: str) -> None:
    with pytest.raises(BadParameter, match=says):
        chosen(all_figures()[figure].figure, given)


@pytest.mark.parametrize("name", sorted(set(OURS) - {"S3"}))
def test_where_a_column_is_missing_there_is_no_answer(tmp_path: Path, name: str) -> None:
    result = bare(tmp_path).figure(name)
    assert result.n == 0
    assert result.missing_columns
    assert len(result.table) == 0
    assert result.table.column_names == [one.name for one in result.figure.columns]
    assert result.scalars == result.excluded == result.missing == {}


def test_missing_columns_are_named(tmp_path: Path) -> None:
    assert bare(tmp_path).figure("F1").missing_columns == ["models.created_at", "models.size"]
    assert bare(tmp_path).figure("S3").missing_columns == ["models.downloads_30d"]
    liked = tiny(tmp_path, models=[model("a/one", likes=3)])
    assert liked.figure("S3", rule="likes").n == 1
    assert liked.figure("S3", rule="union").missing_columns == ["models.downloads_30d"]


def test_what_a_figure_can_do_without_is_null_and_noted(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=[model("google/x", downloads_30d=3)]).figure("F2")
    assert result.table["size_q50"].to_pylist() == [None]
    assert result.table["dl_sum"].to_pylist() == [3]
    assert result.missing["size"] == 1
    assert any("models.size" in note for note in result.notes)


def test_forecasts_need_three_snapshots_that_know_downloads(tmp_path: Path) -> None:
    snapshots = three(tmp_path / "three")
    manifests = [one.manifest for one in snapshots]
    assert lacking(S7, manifests) == []
    assert lacking(S7, manifests[1:]) == ["3 snapshots; there is 2"]
    nameless = bare(tmp_path / "bare").manifest
    assert lacking(S7, [nameless, *manifests[1:]]) == [
        "3 snapshots with models.downloads_30d; there is 2"
    ]
    assert lacking(replace(S7, snapshots=1), [nameless, *manifests]) == []


def test_what_the_readers_filters_leave_out_is_counted(tmp_path: Path) -> None:
    chosen_few = Filters(org_type="university", since="2024-01-01", flagged="drop")
    result = ecosystem(tmp_path).figure("S1", filters=chosen_few)
    assert result.n == 3
    assert result.excluded == {"flagged": 1, "of another organisation type": 16}
    dated = ecosystem(tmp_path).figure("S1", filters=Filters(since="2024-04-15"))
    assert dated.n == 1
    assert dated.excluded == {
        "no date": 1,
        "made before March 2022, nobody knows when": 2,
        "made before 2024-04-15": 16,
    }


def test_filters_may_leave_nothing(tmp_path: Path) -> None:
    snapshot, none = ecosystem(tmp_path), Filters(org_type="classroom")
    for name in set(OURS) - {"S7"}:
        result = snapshot.figure(name, filters=none)
        assert result.n == 0, name
        assert result.missing_columns == [], name
        if name != "S6":
            assert len(result.table) == 0, name


def test_flagged_counters_are_named_with_their_reason(tmp_path: Path) -> None:
    result = ecosystem(tmp_path).figure("S2")
    assert [(flag.id, flag.downloads_30d) for flag in result.flagged] == [("mit/absurd", 1_000_000)]
    assert result.flagged[0].reason == "more than 5% of all downloads"
    assert result.n_flagged == 1


def test_the_window_is_the_day_or_from_the_first_to_the_last(tmp_path: Path) -> None:
    snapshots = three(tmp_path)
    assert snapshots[-1].figure("S1", others=snapshots[:-1]).window == JULY[:10]
    over_time = snapshots[-1].figure("S7", others=snapshots[:-1])
    assert over_time.window == f"{JANUARY[:10]} to {JULY[:10]}"


def test_an_empty_snapshot_has_answers_about_nothing(tmp_path: Path) -> None:
    nothing = tiny(tmp_path, models=[])
    for name in ("S1", "S2", "S6", "F2"):
        result = nothing.figure(name)
        assert result.n == 0, name
        assert result.missing_columns, name


def test_a_snapshot_without_models_is_no_reason_to_fail(tmp_path: Path) -> None:
    accounts = tiny(tmp_path, accounts=[{"name": "me", "kind": "user"}])
    result = accounts.figure("S2")
    assert result.missing_columns == ["models.downloads_30d", "models.license"]
    assert result.flagged == []

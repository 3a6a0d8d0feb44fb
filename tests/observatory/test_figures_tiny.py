# SPDX-License-Identifier: Apache-2.0
"""What figures say of a small ecosystem whose every number can be told by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.figure import Value
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.running import Result
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.shelf import ecosystem
from tests.observatory.tiny import model, tiny, when

Ask = Callable[..., Result]

TOTAL = 900 + 800 + 700 + 650 + 600 + 550 + 400 + 300 + 120 + 110 + 100 + 50 + 1 + 80 + 70 + 60 + 40
"""All downloads but those of the flagged counter."""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return ecosystem(tmp_path_factory.mktemp("shelf"))


def by(result: Result, column: str) -> dict[object, dict[str, Value]]:
    return {row[column]: row for row in result.table.to_pylist()}


def test_f1_growth_and_size(shelf: Snapshot) -> None:
    result = shelf.figure("F1")
    found = [
        (str(row["month"]), row["is_censored"], row["n_new"], row["n_cum"], row["n_missing_size"])
        for row in result.table.to_pylist()
    ]
    assert found == [
        ("2022-03-01", True, 2, 2, 0),
        ("2024-02-01", False, 10, 12, 3),
        ("2024-03-01", False, 1, 13, 0),
        ("2024-04-01", False, 1, 14, 0),
        ("2024-05-01", False, 1, 15, 0),
    ]
    february = result.table.to_pylist()[1]
    assert february["q50"] == 1_000_000_000
    assert february["q05"] == 24_500_000
    assert february["n_small"] == 1
    assert result.n == 15
    assert result.excluded == {"no larger than 10,000,000 bytes": 1, "no date": 1}
    assert result.missing == {"size": 3}
    assert any("Survivors" in note for note in result.notes)
    assert shelf.figure("F1", min_bytes=0).n == 16


def test_f2_types_of_organisations(shelf: Snapshot) -> None:
    found = by(result := shelf.figure("F2"), "org_type")
    company = found["company"]
    assert company["n_models"] == 6
    assert company["n_orgs"] == 4
    assert company["dl_sum"] == 900 + 800 + 700 + 650 + 600 + 550
    assert company["dl_q50"] == (650 + 700) / 2
    assert company["size_q50"] == (1 + 2) / 2 * 1e9
    assert company["share_n"] == 6 / 20
    assert company["share_dl"] == pytest.approx(4200 / TOTAL)
    assert company["loo_min"] == pytest.approx(3300 / (TOTAL - 900))
    assert company["loo_max"] == pytest.approx(4200 / (TOTAL - 400))
    university = found["university"]
    assert university["n_self_assigned"] == 3
    assert university["dl_flagged"] == 1_000_000
    assert university["share_dl_with_flagged"] == pytest.approx(1_000_210 / (TOTAL + 1_000_000))
    assert result.missing == {"size": 3, "downloads_30d": 1, "org_type": 9}
    assert result.scalars["share_n_unmapped"] == 9 / 20


def test_f2_individuals_can_be_merged_into_other(tmp_path: Path) -> None:
    shelf = [model("TheBloke/x", downloads_30d=5), model("who/x", downloads_30d=5)]
    snapshot = tiny(tmp_path, models=shelf)
    assert set(by(snapshot.figure("F2"), "org_type")) == {"individual", "other"}
    assert by(snapshot.figure("F2", merged=True), "org_type")["other"]["n_models"] == 2


def test_f3_first_organisations(shelf: Snapshot) -> None:
    result = shelf.figure("F3", top=2)
    lists = {
        (row["ranking"], row["org_type"], row["rank"]): row for row in result.table.to_pylist()
    }
    google = lists["downloads", "company", 1]
    assert (google["author"], google["dl"], google["top_model"]) == ("google", 2400, "google/small")
    assert google["share_in_type"] == pytest.approx(2400 / 4200)
    assert google["top_model_share"] == pytest.approx(900 / 2400)
    assert google["loo"] == pytest.approx(1500 / 3300)
    assert lists["n", "university", 1]["author"] == "clean-lab"
    assert lists["n", "university", 1]["share_in_type"] == 3 / 4
    mit = lists["downloads", "university", 2]
    assert (mit["author"], mit["dl"], mit["dl_flagged"]) == ("mit", 0, 1_000_000)
    assert (mit["top_model"], mit["top_model_share"]) == (None, None)
    top = [row["top_model"] for row in result.table.to_pylist() if row["ranking"] == "models"]
    assert top == ["google/small", "google/large"]
    assert result.excluded == {"flagged": 1, "of no type that is ranked": 9}


def test_f3_rolls_namespaces_up_to_entities(shelf: Snapshot) -> None:
    rows = shelf.figure("F3", level="entity").table.to_pylist()
    company = [
        (row["author"], row["dl"])
        for row in rows
        if row["ranking"] == "downloads" and row["org_type"] == "company"
    ]
    assert company == [("Google", 2950), ("Meta", 1250)]


def test_f4_parameters(shelf: Snapshot) -> None:
    result = shelf.figure("F4")
    found = {(str(row["quarter"]), row["org_type"]): row for row in result.table.to_pylist()}
    assert found["2024-01-01", "company"]["p50_b"] == 7
    other = found["2024-04-01", "other"]
    assert (other["n"], other["max_b"], other["source_mix"]) == (1, 46.7, "name 100%")
    assert found["2024-01-01", "other"]["n"] == 1
    assert result.n == 3
    assert result.excluded == {"packed tensors, which count too few": 2}
    assert result.missing == {"parameters": 1}
    assert result.scalars["share_known"] == 5 / 6


def test_f5_emissions(shelf: Snapshot) -> None:
    result = shelf.figure("F5")
    found = by(result, "org_type")
    lab = found["university"]
    assert (lab["n_reporting"], lab["n"], lab["rate"]) == (3, 4, 3 / 4)
    assert (lab["n_inherited"], lab["n_zero"]) == (1, 1)
    assert (lab["kg_sum"], lab["kg_sum_with_inherited"]) == (96, 192)
    assert (lab["kg_median"], lab["kg_p25"], lab["kg_p75"]) == (48, 24, 72)
    assert lab["top1_share"] == 1
    assert found["company"]["n_reporting"] == 0
    assert found["company"]["kg_sum"] is None
    assert result.scalars["kg_sum"] == 100
    assert result.scalars["top1_share"] == 0.96
    assert result.scalars["top_model"] == "clean-lab/co2"
    assert result.scalars["kg_without_top1"] == 4
    assert result.scalars["reporting_rate"] == 4 / 20
    assert result.n == 3
    assert result.excluded == {"copied from the base model": 1}
    assert result.missing == {"co2_grams": 16}


def test_s1_licences_by_count(shelf: Snapshot) -> None:
    found = by(result := shelf.figure("S1"), "licence")
    assert result.n == 19
    assert found["apache-2.0"]["n"] == 3
    assert found["apache-2.0"]["share_all"] == 3 / 19
    assert found["apache-2.0"]["share_declared"] == 3 / 14
    assert found["(none)"]["share_declared"] is None
    assert found["unknown"]["n"] == found["other"]["n"] == 1
    assert {found[name]["class"] for name in ("(none)", "unknown", "other")} == {"none", "other"}
    assert result.missing == {"license": 5}
    for row in found.values():
        assert row["ci_lo"] <= row["share_all"] <= row["ci_hi"]


def test_s2_licences_by_downloads(shelf: Snapshot) -> None:
    found = by(result := shelf.figure("S2"), "licence")
    apache = found["apache-2.0"]
    assert apache["dl"] == 900 + 800 + 550
    assert apache["dl_share_all"] == pytest.approx(2250 / TOTAL)
    none = 400 + 300 + 120 + 1
    assert apache["dl_share_declared"] == pytest.approx(2250 / (TOTAL - none))
    assert apache["loo_min"] == pytest.approx(1350 / (TOTAL - 900))
    assert apache["loo_max"] == pytest.approx(2250 / (TOTAL - 700))
    assert apache["dl_share_with_flagged"] == pytest.approx(2250 / (TOTAL + 1_000_000))
    assert (found["bsd-3-clause"]["dl"], found["bsd-3-clause"]["dl_flagged"]) == (0, 1_000_000)
    assert result.n == 18
    assert result.excluded == {"flagged": 1}
    assert result.scalars["dl_total"] == TOTAL
    mit = 700 + 100 + 80 + 70 + 60 + 40
    assert result.scalars["apache_mit_share"] == pytest.approx((2250 + mit) / TOTAL)


def test_s2_can_keep_or_drop_what_is_flagged(shelf: Snapshot) -> None:
    kept = shelf.figure("S2", filters=Filters(flagged="keep"))
    assert kept.scalars["dl_total"] == TOTAL + 1_000_000
    assert kept.excluded == {}
    dropped = shelf.figure("S2", filters=Filters(flagged="drop"))
    assert "bsd-3-clause" not in by(dropped, "licence")
    assert dropped.scalars["dl_total"] == TOTAL


def test_s3_creators_by_count(shelf: Snapshot) -> None:
    found = by(result := shelf.figure("S3"), "author")
    assert found["someone"]["n"] == 6
    assert found["someone"]["share"] == 6 / 19
    assert found["google-bert"]["entity"] == "Google"
    assert found["google-bert"]["entity_n"] == found["google"]["entity_n"] == 4
    assert result.scalars["n_authors"] == len(found)


def test_s4_creators_by_downloads(shelf: Snapshot) -> None:
    found = by(shelf.figure("S4"), "author")
    google = found["google"]
    assert (google["dl"], google["top_model"], google["entity_dl"]) == (2400, "google/small", 2950)
    assert google["loo"] == google["loo_min"] == pytest.approx(1500 / (TOTAL - 900))
    assert google["top_model_share"] == pytest.approx(900 / 2400)
    assert (found["mit"]["dl"], found["mit"]["top_model"]) == (0, None)


def test_s5_tasks_by_downloads(shelf: Snapshot) -> None:
    found = by(result := shelf.figure("S5"), "task")
    assert found["text-generation"]["dl"] == 600 + 300 + 120 + 110 + 100 + 50
    assert found["text-generation"]["modality"] == "text"
    assert found["(none)"]["modality"] == "(none)"
    assert found["(none)"]["dl"] == 1
    assert result.missing == {"task": 2}


def test_s6_likes_and_downloads(shelf: Snapshot) -> None:
    rows = shelf.figure("S6").table.to_pylist()
    found = {(row["universe"], row["method"]): row for row in rows}
    assert len(rows) == 9
    assert found["U", "linear"]["n"] == found["all", "linear"]["n"] == 18
    assert found["downloads > 0", "linear"]["n"] == 17
    assert found["U", "log-log"]["n"] == 14
    assert found["U", "log-log"]["n_zeros_dropped"] == 4
    assert found["U", "spearman"]["slope"] is None
    assert found["U", "linear"]["r2"] != found["U", "linear"]["r2_with_flagged"]


def test_s6_of_models_that_nobody_likes_says_that_there_is_no_line(tmp_path: Path) -> None:
    shelf = [model(f"a/m{at}", downloads_30d=at, likes=0) for at in range(5)]
    rows = tiny(tmp_path, models=shelf).figure("S6").table.to_pylist()
    assert [row["r2"] for row in rows] == [None] * 9
    assert {row["n"] for row in rows if row["method"] == "log-log"} == {0}


def test_one_model_alone(tmp_path: Path) -> None:
    one = model(
        "a/only", downloads_30d=5, likes=1, license="mit", task=None, size=20_000_000,
        created_at=when("2024-01-01"), co2_grams=3.0, parameters=5,
    )  # fmt: skip
    snapshot = tiny(tmp_path, models=[{**one, "task": "text-generation"}])
    for name in ("F1", "F2", "F3", "F4", "F5", "S1", "S2", "S3", "S4", "S5", "S6"):
        assert snapshot.figure(name).missing_columns == [], name
    assert snapshot.figure("S2").table["dl_share_all"].to_pylist() == [1.0]
    assert snapshot.figure("S2").flagged == []


def test_nobody_downloads_anything(tmp_path: Path) -> None:
    shelf = [model(f"a/m{at}", downloads_30d=0, license="mit", likes=0) for at in range(3)]
    found = tiny(tmp_path, models=shelf).figure("S2").table.to_pylist()[0]
    assert found["dl"] == 0
    assert found["dl_share_all"] is found["ci_lo"] is found["loo_min"] is None

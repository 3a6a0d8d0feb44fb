# SPDX-License-Identifier: Apache-2.0
"""What the views that figures read say of models: names, types, flags, and what readers filter."""

from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.duck import Duck
from hubkeep.observatory.engine import IN_MEMORY, Selection, ViewEngine
from hubkeep.observatory.figure import BadParameter, Value
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.shelf import JANUARY, STAMP, ecosystem, three
from tests.observatory.tiny import TAKEN, Row, model, tiny, when


def rows(engine: ViewEngine, sql: str, **parameters: Value) -> list[Row]:
    return engine.query(sql, parameters).to_pylist()


def opened(*snapshots: Snapshot, filters: Filters | None = None) -> ViewEngine:
    return ViewEngine(Duck(), Selection([one.folder for one in snapshots]), Dimensions(), filters)


def flags(*snapshots: Snapshot) -> dict[object, object]:
    with opened(*snapshots) as engine:
        return {row["id"]: row["reason"] for row in rows(engine, "SELECT * FROM known_flags")}


def ids(engine: ViewEngine, **parameters: Value) -> list[object]:
    return [
        row["id"] for row in rows(engine, "SELECT id FROM universe ORDER BY place", **parameters)
    ]


def test_old_ids_without_a_namespace_are_known_by_their_aliases(tmp_path: Path) -> None:
    shelf = [model("bert-base-uncased"), model("unheard-of"), model("facebook/x"), model("me/x")]
    with opened(tiny(tmp_path, models=shelf)) as engine:
        found = rows(engine, "SELECT id, author, namespace, entity FROM models ORDER BY id")
    assert [tuple(row.values()) for row in found] == [
        ("bert-base-uncased", None, "google-bert", "Google"),
        ("facebook/x", "facebook", "facebook", "Meta"),
        ("me/x", "me", "me", "me"),
        ("unheard-of", None, "(none)", "(none)"),
    ]


def test_what_an_organisation_says_of_itself_goes_before_the_table(tmp_path: Path) -> None:
    told = [
        {"name": "google", "kind": "org", "org_type": "community"},
        {"name": "me", "kind": "user"},
    ]
    shelf = [model("google/x"), model("microsoft/x"), model("me/x")]
    with opened(tiny(tmp_path, models=shelf, accounts=told)) as engine:
        found = rows(engine, "SELECT org_type, org_type_from, region FROM models ORDER BY id")
    assert [tuple(row.values()) for row in found] == [
        ("community", "self_assigned", "us"),
        ("other", "none", "unknown"),
        ("company", "curated", "us"),
    ]


def test_the_stamp_of_march_2022_is_no_date(tmp_path: Path) -> None:
    shelf = [
        model("a/stamped", created_at=STAMP),
        model("a/dated", created_at=when("2022-03-03")),
        model("a/undated", created_at=None),
    ]
    with opened(tiny(tmp_path, models=shelf)) as engine:
        found = rows(engine, "SELECT is_censored, month, quarter FROM models ORDER BY id")
    assert [(row["is_censored"], str(row["month"]), str(row["quarter"])) for row in found] == [
        (False, "2022-03-01", "2022-01-01"),
        (True, "2022-03-01", "2022-01-01"),
        (False, "None", "None"),
    ]


def test_a_counter_with_more_than_a_twentieth_of_all_is_flagged(tmp_path: Path) -> None:
    shelf = [model(f"a{at}/m", downloads_30d=100 + at) for at in range(200)]
    shelf += [model("big/m", downloads_30d=2500), model("fine/m", downloads_30d=1100)]
    assert flags(tiny(tmp_path, models=shelf)) == {"big/m": "more than 5% of all downloads"}


def test_of_a_handful_of_models_none_is_flagged_for_its_share(tmp_path: Path) -> None:
    shelf = [model(f"a{at}/m", downloads_30d=100 * at) for at in range(5)]
    assert flags(tiny(tmp_path, models=shelf)) == {}


def test_siblings_with_the_same_counter_are_flagged(tmp_path: Path) -> None:
    copies = [model(f"copy/m{at}", downloads_30d=10_000 + 50 * at) for at in range(4)]
    three_copies = [model(f"three/m{at}", downloads_30d=10_000) for at in range(3)]
    small = [model(f"small/m{at}", downloads_30d=99) for at in range(5)]
    others = [model(f"o{at}/m", downloads_30d=5000 + at) for at in range(60)]
    found = flags(tiny(tmp_path, models=copies + three_copies + small + others))
    assert set(found) == {row["id"] for row in copies}
    assert set(found.values()) == {"the same count as three others of its namespace"}


def test_a_counter_that_jumped_alone_is_flagged(tmp_path: Path) -> None:
    crowd = [model(f"o{at}/m", downloads_30d=5000, likes=3) for at in range(90)]

    def taken(day: str, jumped: int, loved: int, likes: int) -> Snapshot:
        return tiny(
            tmp_path,
            day,
            models=[
                *crowd,
                model("x/jumped", downloads_30d=jumped, likes=300),
                model("x/loved", downloads_30d=loved, likes=likes),
                model("x/grew", downloads_30d=jumped // 11 + 200, likes=300),
            ],
        )

    before, after = (
        taken(JANUARY, 200, 200, 300),
        taken("2024-02-11T00:00:00.000Z", 2400, 2400, 303),
    )
    assert flags(before, after) == {
        "x/jumped": "more than ten times its count in the snapshot before, with the same likes"
    }
    assert flags(after) == {}


def test_a_model_with_two_reasons_is_one_model(tmp_path: Path) -> None:
    copies = [model(f"copy/m{at}", downloads_30d=10_000) for at in range(4)]
    snapshot = tiny(
        tmp_path, models=[*copies, *(model(f"o{at}/m", downloads_30d=9) for at in range(99))]
    )
    assert flags(snapshot)["copy/m0"] == (
        "more than 5% of all downloads; the same count as three others of its namespace"
    )
    with opened(snapshot) as engine:
        assert rows(engine, "SELECT count(*) AS n FROM models") == [{"n": 103}]


def test_the_universe_is_the_first_by_the_rule(tmp_path: Path) -> None:
    shelf = [
        model("b/same", downloads_30d=5, likes=1),
        model("a/same", downloads_30d=5, likes=2),
        model("a/most", downloads_30d=9, likes=0),
        model("a/liked", downloads_30d=1, likes=9),
        model("a/unknown", downloads_30d=None, likes=None),
    ]
    with opened(tiny(tmp_path, models=shelf)) as engine:
        assert ids(engine, k=2) == ["a/most", "a/same"]
        assert ids(engine, k=9) == ["a/most", "a/same", "b/same", "a/liked"]
        assert ids(engine, k=1, rule="likes") == ["a/liked"]
        assert ids(engine, k=1, rule="union") == ["a/most", "a/liked"]
        assert ids(engine, k=2) == ["a/most", "a/same"]
        assert ids(engine, k=IN_MEMORY + 1) == ids(engine, k=9)


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        (Filters(org_type="university"), {"clean-lab/co2", "clean-lab/copy", "clean-lab/none"}),
        (Filters(since="2024-03-31"), {"clean-lab/copy", "clean-lab/none", "someone/8x7B"}),
        (Filters(since="2024-03-31", until="2024-03-31"), {"clean-lab/copy"}),
        (Filters(until="2022-12-31"), {"bert-base-uncased", "facebook/old"}),
        (Filters(until="2022-03-01"), set()),
    ],
)
def test_readers_filters(tmp_path: Path, filters: Filters, left: set[str]) -> None:
    with opened(ecosystem(tmp_path), filters=filters) as engine:
        found = {str(row["id"]) for row in rows(engine, "SELECT id FROM models")}
    assert found - {"mit/absurd"} == left


def test_flagged_counters_are_marked_kept_or_dropped(tmp_path: Path) -> None:
    snapshot = ecosystem(tmp_path)
    question = "SELECT is_flagged FROM models WHERE id = 'mit/absurd'"
    seen = {}
    for way in ("mark", "keep", "drop"):
        with opened(snapshot, filters=Filters(flagged=way)) as engine:
            seen[way] = [row["is_flagged"] for row in rows(engine, question)]
            columns = engine.query("SELECT * FROM models", {}).column_names
            assert sorted(columns) == sorted(set(columns))
    assert seen == {"mark": [True], "keep": [False], "drop": []}


@pytest.mark.parametrize(
    "wrong",
    [
        {"org_type": "x' OR '1'='1"},
        {"since": "yesterday"},
        {"until": "2024-02-30"},
        {"flagged": "no"},
    ],
)
def test_a_filter_that_is_none_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(BadParameter):
        Filters(**wrong)  # ty: ignore[invalid-argument-type]


def test_history_has_all_snapshots_by_present_names(tmp_path: Path) -> None:
    first, second = (
        tiny(tmp_path, day, models=[model(name, downloads_30d=1)])
        for day, name in (
            (JANUARY, "bert-base-uncased"),
            ("2024-02-11T00:00:00.000Z", "google-bert/bert-base-uncased"),
        )
    )
    with opened(first, second) as engine:
        found = rows(engine, "SELECT number, model FROM history ORDER BY number")
        times = rows(engine, "SELECT number, taken_at FROM snapshots ORDER BY number")
    assert {row["model"] for row in found} == {"google-bert/bert-base-uncased"}
    assert [row["taken_at"] for row in times] == [when("2024-01-11"), when("2024-02-11")]


def test_an_engine_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    snapshots = three(tmp_path / "snapshots")
    with opened(*snapshots) as engine:
        assert ids(engine, k=1) == ["mit/absurd"]
    assert list(scratch.iterdir()) == []


def test_what_is_hidden_is_in_no_view(tmp_path: Path) -> None:
    _, before, snapshot = three(tmp_path)
    names = {"models": {"google/small", "someone/packed"}}
    folders = [before.folder, snapshot.folder]
    with ViewEngine(Duck(), Selection(folders, [{}, names]), Dimensions()) as engine:
        for view, column in (("models", "id"), ("lineage", "child"), ("universe", "id")):
            seen = engine.query(f"SELECT {column} FROM {view}", {})[column].to_pylist()
            assert seen, view
            assert not names["models"] & set(seen), view
        history = engine.query(
            "SELECT DISTINCT number FROM history WHERE model = 'google/small'", {}
        )
        assert history["number"].to_pylist() == [0]


def test_names_are_hidden_whatever_their_case(tmp_path: Path) -> None:
    snapshot = tiny(tmp_path, TAKEN, models=[model("Lab/Secret"), model("lab/open")])
    hidden = Selection([snapshot.folder], [{"models": {"lab/secret"}}])
    with ViewEngine(Duck(), hidden, Dimensions()) as engine:
        assert engine.query("SELECT id FROM models", {})["id"].to_pylist() == ["lab/open"]


def test_another_hub_stands_beside_with_what_is_known_of_its_models(tmp_path: Path) -> None:
    own = tiny(tmp_path, models=[model("team/ours", license="mit")])
    usual = [model(f"google/m{at}", downloads_30d=10 * 4**at) for at in range(4)]
    public = tiny(
        tmp_path / "public",
        models=[*usual, model("mit/absurd", downloads_30d=1_000_000, license="llama3")],
        accounts=[{"name": "google", "kind": "org", "org_type": "community"}],
        lineage=[{"child": "google/m1", "parent": "bert-base-uncased"}],
    )
    hidden = {"models": {"google/m2"}}
    selection = Selection([own.folder], reference=public.folder, reference_hidden=hidden)
    with ViewEngine(Duck(), selection, Dimensions()) as engine:
        found = rows(engine, "SELECT * FROM reference_models ORDER BY id")
        edges = rows(engine, "SELECT parent FROM reference_lineage")
        assert ids(engine) == []
        assert [row["id"] for row in rows(engine, "SELECT id FROM models")] == ["team/ours"]
    assert [row["id"] for row in found] == ["google/m0", "google/m1", "google/m3", "mit/absurd"]
    assert [row["org_type"] for row in found] == [*["community"] * 3, "university"]
    assert [row["license_class"] for row in found] == [*["none"] * 3, "model-custom"]
    assert [row["is_flagged"] for row in found] == [False, False, False, True]
    assert edges == [{"parent": "google-bert/bert-base-uncased"}]
    with opened(own) as engine:
        assert rows(engine, "SELECT * FROM reference_models") == []

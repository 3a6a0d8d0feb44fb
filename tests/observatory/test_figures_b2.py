# SPDX-License-Identifier: Apache-2.0
"""B2, lineage families: by hand of a few models, and by plain walks through the census."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import pyarrow.parquet as pq

from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.running import Result
from tests.observatory.real import MODELS, data, imported
from tests.observatory.tiny import Row, model, tiny


def edge(child: str, parent: str, relation: str | None = "finetune") -> Row:
    return {"child": child, "parent": parent, "relation": relation}


def by_root(result: Result) -> dict[str, dict[str, object]]:
    return {str(row["root"]): row for row in result.table.to_pylist()}


SHELF = [
    model("meta-llama/base", downloads_30d=150),
    model("a/tuned", downloads_30d=100),
    model("a/packed", downloads_30d=10),
    model("b/mixed", downloads_30d=7),
    model("c/other", downloads_30d=50),
    model("d/orphan", downloads_30d=3),
    model("e/alone", downloads_30d=30),
]
LINEAGE = [
    edge("a/tuned", "meta-llama/base"),
    edge("a/packed", "a/tuned", "quantized"),
    edge("b/mixed", "a/tuned", "merge"),
    edge("b/mixed", "c/other", "merge"),
    edge("d/orphan", "gone/base", None),
    edge("e/alone", "e/alone"),
]


def test_every_model_is_in_one_family(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=SHELF, lineage=LINEAGE).figure("B2")
    found = by_root(result)
    base = found["meta-llama/base"]
    assert list(found) == ["meta-llama/base", "gone/base"]
    assert (base["descendants"], base["depth"], base["direct"]) == (3, 2, 1)
    assert (base["direct_finetune"], base["all_quantized"], base["all_merge"]) == (1, 1, 1)
    assert (base["dl_family"], base["dl_descendants"]) == (267, 117)
    assert base["share"] == pytest.approx(267 / 350)
    assert base["loo"] == pytest.approx(117 / 200)
    orphan = found["gone/base"]
    assert (orphan["is_external"], orphan["descendants"], orphan["all_untold"]) == (True, 1, 1)
    assert result.n == 4
    assert result.missing == {"relation": 1}
    assert result.scalars["n_edges"] == 5
    assert result.scalars["share_merge"] == 2 / 4
    assert result.scalars["share_untold"] == 1 / 5
    assert result.scalars["n_several_bases"] == 1
    assert (result.scalars["n_isolates"], result.scalars["share_isolates"]) == (1, 1 / 7)
    assert (result.scalars["deepest"], result.scalars["n_external_roots"]) == (2, 1)


def test_a_cycle_ends_the_search(tmp_path: Path) -> None:
    shelf = [model(f"a/{name}", downloads_30d=n) for n, name in enumerate("xyzw", 1)]
    ring = [edge("a/x", "a/y"), edge("a/y", "a/z"), edge("a/z", "a/x"), edge("a/w", "a/x")]
    result = tiny(tmp_path, models=shelf, lineage=ring).figure("B2")
    [row] = result.table.to_pylist()
    assert (row["root"], row["descendants"], row["depth"], row["is_cycle"]) == (
        "a/z",
        4,
        None,
        True,
    )
    assert row["dl_family"] == 10
    assert (result.scalars["n_cycles"], result.scalars["deepest"]) == (1, 0)


def test_former_names_are_the_same_model(tmp_path: Path) -> None:
    """The list API has a model by its new name, and cards that were written before by the old."""
    shelf = [model("google-bert/bert-base-uncased", downloads_30d=5), model("a/x"), model("a/y")]
    told = [edge("a/x", "bert-base-uncased"), edge("a/y", "google-bert/bert-base-uncased")]
    result = tiny(tmp_path, models=shelf, lineage=told).figure("B2")
    [row] = result.table.to_pylist()
    assert (row["root"], row["descendants"]) == ("google-bert/bert-base-uncased", 2)
    assert row["is_external"] is False
    older = [model("bert-base-uncased", downloads_30d=5), model("a/x"), model("a/y")]
    [row] = tiny(tmp_path / "older", models=older, lineage=told).figure("B2").table.to_pylist()
    assert (row["dl_family"], row["is_external"]) == (5, False)


def test_flagged_counters_stand_beside(tmp_path: Path) -> None:
    crowd = [model(f"o{at}/m", downloads_30d=900) for at in range(60)]
    shelf = [*crowd, model("big/base", downloads_30d=50_000), model("a/x", downloads_30d=900)]
    snapshot = tiny(tmp_path, models=shelf, lineage=[edge("a/x", "big/base")])
    [row] = snapshot.figure("B2").table.to_pylist()
    assert (row["dl_family"], row["dl_flagged"]) == (900, 50_000)
    assert row["share"] == pytest.approx(900 / 54_900)
    assert row["share_with_flagged"] == pytest.approx(50_900 / 104_900)
    [kept] = snapshot.figure("B2", filters=Filters(flagged="keep")).table.to_pylist()
    assert (kept["dl_family"], kept["dl_flagged"]) == (50_900, 0)


def test_models_that_are_not_asked_about_are_no_descendants(tmp_path: Path) -> None:
    shelf = [model("google/a"), model("who/b"), model("TheBloke/c")]
    told = [edge("who/b", "google/a"), edge("TheBloke/c", "who/b")]
    snapshot = tiny(tmp_path, models=shelf, lineage=told)
    result = snapshot.figure("B2", filters=Filters(org_type="individual"))
    [row] = result.table.to_pylist()
    assert (row["root"], row["descendants"], row["is_external"]) == ("google/a", 1, True)
    assert result.excluded["models that are not in the snapshot, or not asked about"] == 1


def test_lineage_alone_has_families_and_nothing_that_models_would_tell(tmp_path: Path) -> None:
    result = tiny(tmp_path, lineage=LINEAGE).figure("B2")
    [first, *_] = result.table.to_pylist()
    assert (first["root"], first["descendants"]) == ("meta-llama/base", 3)
    assert first["is_external"] is first["dl_family"] is first["share"] is None
    assert result.scalars["share_isolates"] is None
    assert any("models.id" in note for note in result.notes)


@pytest.fixture(scope="module")
def census(tmp_path_factory: pytest.TempPathFactory) -> Result:
    snapshot = imported(tmp_path_factory, "2024-07-11T00:00:00.000Z", MODELS)
    return snapshot.figure("B2", top=100_000)


def bases_of_the_census() -> tuple[Mapping[str, set[str]], Mapping[str, int]]:
    source = pq.read_table(data(MODELS), columns=["id", "downloads", "base_models"])
    ids, present = source["id"].to_pylist(), Dimensions().aliases
    found: dict[str, set[str]] = defaultdict(set)
    for child, bases in zip(ids, source["base_models"].to_pylist(), strict=True):
        for base in bases or ():
            if usable(base) and (name := present.get(base, base)) != child:
                found[child].add(name)
    return found, dict(zip(ids, source["downloads"].to_pylist(), strict=True))


def usable(name: str) -> bool:
    """Two bases of the census are no ids: they are left out when it is imported."""
    return bool(name) and len(name) <= 193 and all(one.isalnum() or one in "-_./" for one in name)


def generations(main: Mapping[str, str], start: str) -> Sequence[str]:
    path = [start]
    while (base := main.get(path[-1])) is not None and base not in path:
        path.append(base)
    return path


def test_families_of_the_census(census: Result) -> None:
    bases, downloads = bases_of_the_census()
    main = {
        child: min(names, key=lambda name: (name not in downloads, -downloads.get(name, -1), name))
        for child, names in bases.items()
    }
    paths = {child: generations(main, child) for child in main}
    sound = {child: path for child, path in paths.items() if path[-1] not in main}
    counts = Counter(path[-1] for path in sound.values())
    loads: dict[str, int] = defaultdict(int)
    flagged = {flag.id for flag in census.flagged}
    for child, path in sound.items():
        loads[path[-1]] += 0 if child in flagged else downloads[child]
    rows = [row for row in census.table.to_pylist() if not row["is_cycle"]]
    assert {row["root"]: row["descendants"] for row in rows} == counts
    assert {row["root"]: row["dl_descendants"] for row in rows} == loads
    assert max(row["depth"] for row in rows) == max(len(path) - 1 for path in sound.values())
    assert census.n == len(main) == 116_493
    assert census.scalars["n_edges"] == sum(map(len, bases.values())) == 125_983
    linked = (main.keys() | {name for names in bases.values() for name in names}) & downloads.keys()
    isolates = 1 - len(linked) / len(downloads)
    assert census.scalars["share_isolates"] == pytest.approx(isolates)
    assert round(isolates, 3) == 0.837
    assert census.scalars["deepest"] == 39
    assert rows[0]["root"] == "distilbert/distilbert-base-uncased"

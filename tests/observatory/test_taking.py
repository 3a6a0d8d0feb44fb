# SPDX-License-Identifier: Apache-2.0
"""Snapshots of a hub of our own: what is in them, what is not, and what changes underneath."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hubkeep.identity import commands
from hubkeep.kit.time import Millis
from hubkeep.observatory.checking import problems_of
from hubkeep.observatory.manifest import Manifest, Universe
from hubkeep.observatory.schema import TABLES
from hubkeep.observatory.store import SnapshotStore
from hubkeep.observatory.taking.take import UNIVERSES, take
from tests.harness.hub import TestHub, on_sqlite
from tests.repos.world import World

CARD = """---
license: MIT
language: [de, en]
datasets: [ada/texts]
base_model: ada/base
base_model_relation: adapter
co2_eq_emissions: {emissions: "1.5 kg", source: code carbon}
model-index:
- name: tuned
  results:
  - task: {type: text-generation}
    dataset: {name: x, type: x}
    metrics: [{type: accuracy, value: 0.5}]
pipeline_tag: text-generation
---
# Tuned
"""


class Taken:
    """Snapshots of one moment."""

    def __init__(self, folder: Path, made: Mapping[Universe, Manifest]) -> None:
        self.made = made
        self._folder = folder

    def place(self, universe: Universe) -> Path:
        """The folder of one of them."""
        return self._folder / universe / self.made[universe].id

    def rows(self, table: str, universe: Universe = "public") -> list[dict[str, Any]]:
        """The rows of a table, in its order."""
        path = self.place(universe) / f"{table}.parquet"
        with duckdb.connect() as connection:
            found = connection.execute(f"SELECT * FROM read_parquet('{path}')")
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def ids(self, table: str, universe: Universe = "public") -> list[str]:
        """What the rows of a table are called."""
        name = TABLES[table].order[0]
        return [row[name] for row in self.rows(table, universe)]

    def text(self, universe: Universe = "public") -> str:
        """All rows of all tables, as text."""
        return repr([self.rows(table, universe) for table in self.made[universe].tables])


@pytest.fixture
def world(hub: TestHub) -> World:
    """Ada, who also administers the hub, and her organisation."""
    made = World(hub)
    made.user("ada", fullname="Ada L.", email="ada@example.org", is_admin=True)
    made.user("ben")
    made.org("lab", ada="admin")
    return made


@pytest.fixture
def taking(world: World, tmp_path: Path) -> Callable[..., Taken]:
    """Takes snapshots of the hub, of both universes unless told otherwise."""

    def work(*universes: Universe, step: Callable[[str], None] = lambda _: None) -> Taken:
        hub, folder = world.hub, tmp_path / "snapshots"
        chosen = universes or UNIVERSES
        made = take(hub.app.db, SnapshotStore(folder), chosen, hub.clock, "http://hub", step)
        return Taken(folder, made)

    return work


def make(world: World, name: str, files: Mapping[str, str], **body: object) -> None:
    """Make a repository of ada's over the API, with one commit."""
    made = world.call("POST", "/api/repos/create", "ada", {"name": name, **body})
    assert made.status_code == 200, made.text
    lines: list[dict[str, object]] = [{"key": "header", "value": {"summary": "Add"}}]
    for path, text in files.items():
        content = base64.b64encode(text.encode()).decode()
        value = {"path": path, "content": content, "encoding": "base64"}
        lines.append({"key": "file", "value": value})
    kind = f"{body.get('type', 'model')}s"
    sent = "\n".join(json.dumps(line) for line in lines).encode()
    address = f"/api/{kind}/ada/{name}/commit/main"
    done = world.call("POST", address, "ada", content=sent)
    assert done.status_code == 200, done.text


def moment(at: Millis) -> datetime:
    """A time as snapshots hold it."""
    return datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None)


def close(world: World, path: str, private: bool = True) -> None:
    done = world.call("PUT", f"/api/models/{path}/settings", "ada", {"private": private})
    assert done.status_code == 200


def test_a_model_is_told_by_all_that_the_hub_knows_of_it(
    world: World, taking: Callable[..., Taken]
):
    make(world, "tuned-7B", {"README.md": CARD, "pytorch_model.bin": "x" * 10})
    world.call("POST", "/api/models/ada/tuned-7B/like", "ben")
    then = world.hub.clock()
    world.hub.clock.move(hours=1)
    taken = taking("public")
    (model,) = taken.rows("models")
    info = world.call("GET", "/api/models/ada/tuned-7B?expand=usedStorage&expand=trendingScore")
    size = sum(
        each["size"] for each in world.call("GET", "/api/models/ada/tuned-7B/tree/main").json()
    )
    assert model == {
        "id": "ada/tuned-7B",
        "author": "ada",
        "created_at": moment(then),
        "last_modified": moment(then),
        "downloads_30d": 0,
        "downloads_all": 0,
        "likes": 1,
        "trending": float(info.json()["trendingScore"]),
        "license": "mit",
        "size": size,
        "used_storage": info.json()["usedStorage"],
        "gated": "no",
        "private": False,
        "disabled": False,
        "has_card": True,
        "task": "text-generation",
        "library": None,
        "parameters": 7_000_000_000,
        "parameters_from": "name",
        "co2_grams": 1500.0,
        "co2_written": "1.5 kg",
        "has_safetensors": False,
        "has_pickle": True,
        "has_gguf": False,
        "has_metrics": True,
        "scan": None,
    }
    assert taken.rows("lineage") == [
        {"child": "ada/tuned-7B", "parent": "ada/base", "relation": "adapter"}
    ]
    assert [(row["kind"], row["value"]) for row in taken.rows("labels")] == [
        ("dataset", "ada/texts"),
        ("language", "de"),
        ("language", "en"),
    ]
    # There is no scanner: what it would have found is missing, and nothing else is.
    manifest = taken.made["public"]
    assert {name: file.missing for name, file in manifest.tables.items() if file.missing} == {
        "models": ("scan",)
    }
    assert (manifest.source.kind, manifest.source.name) == ("hub", "http://hub")
    assert moment(world.hub.clock()).isoformat(timespec="seconds") == manifest.taken_at[:19]
    assert problems_of(taken.place("public")) == []


@on_sqlite
def test_what_has_no_card_and_no_commit_is_told_as_that(world: World, taking: Callable[..., Taken]):
    make(world, "bare", {"a.txt": "a"})
    # As it was written before the hub looked at this: nothing is known.
    world.repo("ada/older", num_parameters=5)
    older, bare = sorted(taking("public").rows("models"), key=lambda row: -row["id"].count("o"))
    assert (bare["has_card"], bare["has_pickle"], bare["size"] > 0) == (False, False, True)
    assert [older[name] for name in ("has_card", "has_pickle", "size", "parameters_from")] == [
        None
    ] * 4
    assert (older["parameters"], older["has_metrics"]) == (5, False)


def test_datasets_and_spaces_are_told_and_kernels_are_not(
    world: World, taking: Callable[..., Taken]
):
    card = "---\nlicense: cc0-1.0\nlanguage: fr\n---\n# Texts\nSee arxiv.org/abs/2401.00001"
    make(world, "texts", {"README.md": card}, type="dataset")
    show = "---\nsdk: static\nmodels: [ada/tuned, ada/base]\ndatasets: [ada/texts]\n---\n"
    make(world, "show", {"README.md": show, "index.html": "<p>"}, type="space", sdk="static")
    world.repo("ada/kernel", kind="kernel")
    taken = taking("public")
    (dataset,), (space,) = taken.rows("datasets"), taken.rows("spaces")
    assert (dataset["license"], dataset["has_card"]) == ("cc0-1.0", True)
    assert (space["sdk"], space["has_card"]) == ("static", True)
    assert taken.ids("models") == []
    assert [(row["repo_type"], row["kind"], row["value"]) for row in taken.rows("labels")] == [
        ("dataset", "language", "fr"),
        ("dataset", "paper", "2401.00001"),
        ("space", "dataset", "ada/texts"),
        ("space", "model", "ada/base"),
        ("space", "model", "ada/tuned"),
    ]


def test_strangers_snapshots_hold_what_strangers_see(world: World, taking: Callable[..., Taken]):
    make(world, "open", {"README.md": CARD})
    make(world, "secret", {"README.md": CARD.replace("ada/texts", "ada/hush")}, private=True)
    world.disable("ben")
    world.hub.clock.move(hours=1)
    taken = taking()
    assert taken.ids("models") == ["ada/open"]
    assert taken.ids("models", "all") == ["ada/open", "ada/secret"]
    assert [row["private"] for row in taken.rows("models", "all")] == [False, True]
    for word in ("secret", "hush", "'ben'"):
        assert word not in taken.text()
        assert word in taken.text("all")
    # Nobody's address is anybody's business.
    assert "example.org" not in taken.text("all")
    accounts = {row["name"]: row for row in taken.rows("accounts")}
    assert (accounts["acme"]["kind"], accounts["acme"]["org_type"]) == ("org", "company")
    assert (accounts["ada"]["kind"], accounts["ada"]["fullname"]) == ("user", "Ada L.")
    assert taken.place("all").stat().st_mode & 0o077 == 0
    assert taken.place("all").parent.stat().st_mode & 0o077 == 0
    # A second one of what strangers see alone is the same, byte for byte.
    assert taking("public").made["public"] == taken.made["public"]


def leave(world: World, path: str, how: str) -> None:
    """Take something out of the public eye."""
    if how == "close":
        close(world, path)
    elif how == "close late":
        # Its transaction began before the hub was read, and ends after.
        world.hub.clock.move(seconds=-30)
        close(world, path)
        world.hub.clock.move(seconds=30)
    elif how == "delete":
        name = {"name": path.partition("/")[2]}
        assert world.call("DELETE", "/api/repos/delete", "ada", name).status_code == 200
    else:
        moved = {"fromRepo": path, "toRepo": "lab/elsewhere"}
        assert world.call("POST", "/api/repos/move", "ada", moved).status_code == 200


@pytest.mark.parametrize("how", ["close", "delete", "move", "close late"])
def test_what_is_hidden_while_a_snapshot_is_written_is_not_in_it(
    world: World, taking: Callable[..., Taken], how: str
):
    make(world, "stays", {"README.md": CARD})
    make(world, "leaving", {"README.md": CARD.replace("ada/texts", "ada/hush")})
    make(world, "back", {})
    steps: list[str] = []

    def step(what: str) -> None:
        if what == "writing labels (public)" and what not in steps:
            leave(world, "ada/leaving", how)
            close(world, "ada/back")
            close(world, "ada/back", private=False)
            hub = world.hub
            hub.write(lambda conn: commands.set_disabled(conn, "ben", True, hub.clock()))
        steps.append(what)

    taken = taking(step=step)
    assert taken.ids("models") == ["ada/back", "ada/stays"]
    assert "leaving" not in taken.text()
    assert "hush" not in taken.text()
    assert "ben" not in taken.ids("accounts")
    # That one moment's rows are for administrators whatever came after it.
    assert taken.ids("models", "all") == ["ada/back", "ada/leaving", "ada/stays"]
    assert problems_of(taken.place("public")) == []


@on_sqlite
def test_a_hub_on_which_something_is_hidden_all_the_time_gets_its_snapshot(
    world: World, taking: Callable[..., Taken]
):
    left = [f"ada/m{number}" for number in range(9)]
    for path in left:
        world.repo(path)

    def step(what: str) -> None:
        if what == "writing labels (public)":
            close(world, left.pop())

    # Three rounds, of which the last one is not looked through again: readers leave it out.
    assert len(taking("public", step=step).ids("models")) == 7
    assert len(left) == 6


@on_sqlite
def test_a_snapshot_that_fails_leaves_nothing(
    world: World, taking: Callable[..., Taken], tmp_path: Path
):
    world.repo("ada/m")

    def step(what: str) -> None:
        if what == "writing labels (public)":
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        taking(step=step)
    assert [path for path in (tmp_path / "snapshots").rglob("*") if not path.is_dir()] == []
    assert taking().ids("models", "all") == ["ada/m"]
    assert list((tmp_path / "snapshots").glob("*/.*")) == []


@on_sqlite
def test_a_hub_without_anything_makes_a_snapshot_of_nothing(taking: Callable[..., Taken]):
    taken = taking("public")
    assert taken.ids("models") == []
    assert problems_of(taken.place("public")) == []


def test_more_rows_than_are_held_at_once_are_all_there(
    world: World, taking: Callable[..., Taken], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hubkeep.observatory.taking.queries_taking.PIECE", 3)
    names = [f"ada/m{number}" for number in range(8)]
    for name in names:
        world.repo(name)
    told: list[str] = []
    assert taking("public", step=told.append).ids("models") == names
    assert "read 8 repositories, reading accounts" in told

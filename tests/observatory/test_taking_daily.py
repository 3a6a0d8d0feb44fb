# SPDX-License-Identifier: Apache-2.0
"""The hub takes a snapshot of itself every day, in a process of its own, and by hand."""

import dataclasses
import logging
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest
from msgspec.structs import replace

from hubkeep.app import App
from hubkeep.cli.demo_gallery import fill
from hubkeep.cli.worker import _say_what_snapshots_lack
from hubkeep.config import Config, ConfigError
from hubkeep.kit.time import DAY
from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.queries_concealed import hidden_since
from hubkeep.observatory.snapshot import Snapshot
from hubkeep.observatory.store import SnapshotStore
from hubkeep.observatory.taking import daily
from hubkeep.observatory.taking.take import take
from tests.cli.conftest import Commands, one_line
from tests.harness.hub import TestHub, on_sqlite, program_env
from tests.repos.world import World

pytestmark = pytest.mark.anyio


def of_day(app: App) -> App:
    """The hub, as it is outside of tests: with a snapshot of every day."""
    return told(app, snapshots="daily")


def told(app: App, **settings: object) -> App:
    """The hub with other settings."""
    return dataclasses.replace(app, config=replace(app.config, **settings))


@pytest.fixture
def store(hub: TestHub) -> SnapshotStore:
    """Where the hub keeps its snapshots."""
    return SnapshotStore(hub.app.config.data / "snapshots")


@pytest.fixture
def cli(database_url: str, tmp_path: Path) -> Commands:
    """Commands on a hub of their own."""
    return Commands(database_url, str(tmp_path / "hub"))


def there(store: SnapshotStore) -> tuple[int, int]:
    return len(store.list("public")), len(store.list("all"))


@on_sqlite
async def test_a_hub_has_one_of_each_universe_every_day(hub: TestHub, store: SnapshotStore):
    app = of_day(hub.app)
    await daily.take_daily(app)
    assert there(store) == (0, 0), "a hub without repositories has nothing to tell"
    World(hub).repo("alice/secret", private=True)
    await daily.take_daily(app)
    assert there(store) == (1, 1)
    (everything,) = store.list("all")
    assert everything.tables["models"].rows == 1
    assert store.list("public")[0].tables["models"].rows == 0
    await daily.take_daily(app)
    assert there(store) == (1, 1), "done for today"


@on_sqlite
async def test_a_process_that_fails_says_why(hub: TestHub):
    World(hub).repo("alice/m")
    broken = told(of_day(hub.app), data=hub.app.config.data / "not-a-folder")
    broken.config.data.write_bytes(b"no folder")
    with pytest.raises(daily.NotTaken, match="not-a-folder"):
        await daily.take_daily(broken)


@on_sqlite
async def test_none_is_taken_where_that_is_off_or_cannot_be(
    hub: TestHub,
    store: SnapshotStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    World(hub).repo("alice/m")
    await daily.take_daily(hub.app)
    assert hub.app.config.snapshots == "off"
    found = util.find_spec
    monkeypatch.setattr(daily, "find_spec", lambda name: None if name == "duckdb" else found(name))
    await daily.take_daily(of_day(hub.app))
    assert there(store) == (0, 0)
    with caplog.at_level(logging.WARNING):
        _say_what_snapshots_lack(hub.app.config)
        assert caplog.messages == []
        _say_what_snapshots_lack(of_day(hub.app).config)
    (line,) = caplog.messages
    assert "pip install 'hubkeep[observatory]'" in line
    with pytest.raises(ConfigError, match="daily, off"):
        Config(data=Path("x"), snapshots="hourly")


async def test_names_are_forgotten_that_no_snapshot_can_hold(hub: TestHub, store: SnapshotStore):
    world = World(hub)
    world.user("ada")
    world.repo("ada/m")
    world.repo("ada/n")
    start = hub.clock()

    def close(name: str) -> None:
        done = world.call("PUT", f"/api/models/{name}/settings", "ada", {"private": True})
        assert done.status_code == 200

    def hidden() -> list[str]:
        return [one.path for one in hub.read(lambda conn: hidden_since(conn, start))]

    close("ada/m")
    daily.tidy(hub.app.db, store)
    assert hidden() == ["ada/m"], "without a snapshot, one may be under way"
    hub.clock.move(days=2)
    take(hub.app.db, store, ["public"], hub.clock, "")
    close("ada/n")
    daily.tidy(hub.app.db, store)
    assert hidden() == ["ada/n"]


def test_the_day_ends_at_midnight_in_utc(hub: TestHub, store: SnapshotStore):
    hub.clock.now = hub.clock.now // DAY * DAY + DAY - 1000
    take(hub.app.db, store, ["all"], hub.clock, "")
    assert daily.of_today(store, hub.clock()) == ["all"]
    hub.clock.move(seconds=2)
    assert daily.of_today(store, hub.clock()) == []


def test_one_is_taken_by_hand(cli: Commands):
    made = cli.ok("snapshot", "take")
    everything = cli.ok("snapshot", "take", "--all")
    assert list(made) == list(everything) == ["id"]
    store = SnapshotStore(Path(cli.data) / "snapshots")
    assert [one.id for one in store.list("public")] == [made["id"]]
    assert [one.id for one in store.list("all")] == [everything["id"]]
    said = cli.run("snapshot", "take").output
    assert "TABLE" in said
    assert "scan" in said


@on_sqlite
def test_without_the_libraries_the_command_says_what_to_install(
    cli: Commands, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    failed = cli.run("snapshot", "take")
    assert failed.exit_code == 1
    assert "pip install 'hubkeep[observatory]'" in one_line(failed.stderr.splitlines())


def test_neither_server_nor_worker_loads_what_snapshots_need():
    program = (
        "import sys, hubkeep.asgi, hubkeep.routes, hubkeep.job_kinds, hubkeep.cli.worker\n"
        "from hubkeep.observatory.queries_concealed import hidden_since\n"
        "heavy = {'duckdb', 'pyarrow', 'numpy', 'altair', 'hubkeep.observatory.engine'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=program_env(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


@on_sqlite
async def test_figures_have_all_that_they_need_of_a_hub_like_the_demonstrations(
    hub: TestHub, store: SnapshotStore
):
    await fill(hub.app, hub.clock())
    hub.clock.move(hours=1)
    made = take(hub.app.db, store, ["public"], hub.clock, "")["public"]
    snapshot = Snapshot.open(store.find(made.id))
    wanted = ["F1", "F2", "F3", "F4", "F5", "S1", "S2", "S3", "S4", "S5", "S6"]
    assert set(wanted) <= set(all_figures())
    for name in wanted:
        result = snapshot.figure(name)
        assert result.n > 0, name
        assert list(result.missing_columns) == [], name
    sizes = snapshot.figure("F2").table.to_pylist()
    assert {row["org_type"] for row in sizes} >= {"company", "university", "non-profit"}
    assert all(row["size_q50"] is not None for row in sizes)

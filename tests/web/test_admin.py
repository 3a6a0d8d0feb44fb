# SPDX-License-Identifier: Apache-2.0
"""The administration as a whole: who finds it, what it says of the hub, what it never says."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import structs
from sqlalchemy import Connection, insert

from hubkeep.config import Config
from hubkeep.db.secrets import load_secret
from hubkeep.db.tables import jobs
from hubkeep.identity import commands
from hubkeep.kit.time import DAY
from hubkeep.transfer.cas.queries_storage import Sized, Totals
from hubkeep.transfer.cas.queries_storage_notes import KEPT_DAYS, days_of_storage, note_day
from hubkeep.web.admin_health import (
    DatabaseHealth,
    Health,
    ProcessHealth,
    QueueHealth,
    StoreHealth,
    _folder_health,
)
from hubkeep.web.admin_secrets import hushed, without_secrets
from hubkeep.web.admin_warnings import warnings_of
from hubkeep.web.pages_admin_settings import GROUPS
from hubkeep.web.pages_admin_storage import lines_of
from tests.harness.hub import on_sqlite, started_hub
from tests.harness.world import seed
from tests.repos.world import World
from tests.web.browser import Browser, Seen, give_passwords

More = Callable[[str], Browser]
HOUR = 3_600_000
PAGES = (
    "/admin",
    "/admin/users",
    "/admin/users/new",
    "/admin/users/alice",
    "/admin/organisations",
    "/admin/organisations/new",
    "/admin/organisations/acme",
    "/admin/repositories",
    "/admin/storage",
    "/admin/jobs",
    "/admin/invitations",
    "/admin/settings",
)
FORMS = (
    ("/admin/users/new", {"name": "mallory", "admin": "true"}),
    ("/admin/users/alice", {"do": "disable"}),
    ("/admin/users/bob", {"do": "promote"}),
    ("/admin/organisations/new", {"name": "mallory"}),
    ("/admin/organisations/acme", {"do": "member", "name": "bob", "role": "admin"}),
    ("/admin/jobs", {"do": "forget", "job": "1"}),
    ("/admin/invitations", {"note": "x"}),
    ("/admin/invitations/revoke", {"invitation": "x"}),
)


@pytest.fixture
def root(browser: Browser) -> Browser:
    """A browser that an administrator of the hub is signed in with."""
    mine = Browser(browser.hub)
    mine.sign_in("root")
    return mine


def test_each_page_is_there_with_its_data_for_an_administrator(root: Browser):
    for path in PAGES:
        seen = root.seen(path)
        assert {"/admin", "/admin/users", "/admin/settings"} <= set(seen.links()), path
        assert root.json(path)["title"], path
    root.hub.run_jobs()
    for path in PAGES:
        assert root.get(path).status_code == 200, path


@on_sqlite
def test_the_menu_leads_there_for_administrators_alone(root: Browser, another: More):
    assert "/admin" in root.seen("/").links()
    assert "/admin" not in another("alice").seen("/").links()
    assert "/admin" not in Browser(root.hub).seen("/").links()


@on_sqlite
@pytest.mark.parametrize("who", ["nobody", "alice", "token", "both"])
def test_for_others_nothing_is_there(root: Browser, another: More, who: str):
    """Nobody, a user, an administrator's token, and that with an administrator's cookie."""
    hub = root.hub
    headers = {"Authorization": f"Bearer {hub.tokens.root}"} if who in ("token", "both") else {}
    browser = {"alice": lambda: another("alice"), "both": lambda: root}.get(
        who, lambda: Browser(hub)
    )()
    browser.get("/login")
    missing = browser.get("/admin/nothing-is-here/at/all", Accept="application/json", **headers)
    for path in PAGES:
        page = browser.get(path, **headers)
        assert page.status_code == 404, path
        assert "Nothing is here" in page.text
        assert "alice@example.org" not in page.text
        answer = browser.get(path, Accept="application/json", **headers)
        assert answer.status_code == 404
        there, absent = dict(answer.headers), dict(missing.headers)
        for name in ("x-request-id", "content-length", "x-error-message"):
            there.pop(name, None)
            absent.pop(name, None)
        assert there == absent, path
        assert answer.json() == {"error": f"Nothing is at {path}"}
        # Not even what is wrong with a request is told.
        assert browser.get(f"{path}?no=such", Accept="text/html", **headers).status_code == 404
        assert hub.head(path).status_code == 404
    for path, form in FORMS:
        sent = browser.send(path, {**form, "csrf": browser.csrf}, **headers)
        assert sent.status_code == 404, path
        assert browser.send(path, {}, **headers).status_code == 404, path
    assert root.json("/alice")["name"] == "alice"


@on_sqlite
def test_a_token_that_is_none_is_told_nothing_either(root: Browser):
    answer = root.hub.get("/admin", headers={"Authorization": "Bearer hf_of_nobody_at_all_here"})
    assert answer.status_code == 404
    assert "www-authenticate" not in answer.headers


@on_sqlite
def test_a_form_from_elsewhere_does_nothing(root: Browser):
    for path, form in FORMS:
        for csrf in ({}, {"csrf": "0" * 40}):
            assert root.send(path, {**form, **csrf}).status_code == 403, path
    assert not root.json("/admin/users/alice")["user"]["disabled"]
    assert not root.json("/admin/users/bob")["user"]["isAdmin"]
    assert root.json("/admin/invitations")["invitations"] == []


@on_sqlite
def test_who_is_no_administrator_any_more_finds_nothing_at_once(root: Browser, another: More):
    root.hub.write(lambda conn: commands.set_admin(conn, "alice", True))
    alice = another("alice")
    assert alice.get("/admin/users").status_code == 200
    root.hub.write(lambda conn: commands.set_admin(conn, "alice", False))
    assert alice.get("/admin/users").status_code == 404


def test_the_overview_says_how_the_hub_fares_and_how_much_there_is(root: Browser):
    hub = root.hub
    before = root.json("/admin")
    assert before["figures"] is None
    assert [one["what"] for one in before["warnings"]] == ["No job worker has been seen yet."]
    world = World(hub)
    world.repo("alice/one")
    world.repo("alice/two", private=True)
    world.repo("acme/set", kind="dataset")
    hub.app.downloads.note(1, "user:1", "config.json")
    assert hub.client.portal is not None
    hub.client.portal.call(hub.app.downloads.flush)
    hub.run_jobs()
    seen = root.json("/admin")
    assert seen["warnings"] == []
    assert seen["figures"] == {
        "counted_at": hub.clock(),
        "users": 3,
        "disabled_users": 0,
        "organisations": 1,
        "repositories": {"model": 2, "dataset": 1},
        "private_repositories": 1,
        "likes": 0,
        "downloads_today": 1,
    }
    kind = "SQLite" if hub.app.db.is_sqlite else "PostgreSQL"
    assert seen["health"]["database"]["kind"].startswith(kind)
    assert seen["health"]["database"]["size"] > 0
    assert (seen["health"]["database"]["gitSize"] is None) is hub.app.db.is_sqlite
    assert seen["health"]["store"]["kind"] == "folder"
    assert seen["health"]["store"]["problem"] == ""
    assert seen["health"]["queue"]["seenAt"] == hub.clock()
    assert seen["storage"]["logical"] == {"files": 0, "bytes": 0}
    hub.clock.move(minutes=6)
    (worker,) = root.json("/admin")["warnings"]
    assert worker["what"] == "No job worker has been seen since 6 minutes ago."
    hub.clock.move(hours=5)
    assert "was last counted 5 hours ago" in root.get("/admin").text


GOOD = Health(
    DatabaseHealth("SQLite 3", "0008", 0.1, 1, None),
    StoreHealth("folder", "/srv", free=80 << 30, total=100 << 30),
    QueueHealth(seen_at=HOUR, waiting=0, running=0, failed=0, oldest_due=None),
    "2.39.5",
    ProcessHealth("0.1.0", "3.12", 1, 1, 0, 0, 1),
)
NOTHING = Totals(
    counted_at=HOUR, **{name: Sized(0, 0) for name in Totals.__struct_fields__[1:]}
)  # fmt: skip


@pytest.mark.parametrize(
    ("health", "totals", "config", "says"),
    [
        ({}, {}, {}, []),
        ({"git": None}, {}, {}, ["bad: git is not installed"]),
        ({"git": "2.30.1"}, {}, {}, ["warn: git 2.30.1 is too old"]),
        ({"git": "2.100.0"}, {}, {}, []),
        ({"store": {"free": 4 << 30}}, {}, {}, ["warn: 4.29 GB are free"]),
        ({"store": {"free": 1 << 20}}, {}, {}, ["bad: 1.05 MB are free"]),
        ({"store": {"problem": "it is gone"}}, {}, {}, ["bad: Large files cannot be trusted"]),
        ({"queue": {"seen_at": None}}, {}, {}, ["bad: No job worker has been seen yet"]),
        ({"queue": {"oldest_due": 0}}, {}, {}, ["warn: A job was due 1 hour ago"]),
        ({"queue": {"failed": 2}}, {}, {}, ["warn: 2 jobs were given up"]),
        ({}, {"damaged_xorbs": Sized(1, 9)}, {}, ["bad: 1 stored thing is damaged"]),
        ({}, {"counted_at": -4 * HOUR}, {}, ["warn: What is stored was last counted"]),
        ({"snapshots_lack": True}, {}, {}, ["warn: The hub takes no snapshots"]),
        ({}, {}, {"host": "0.0.0.0"}, ["warn: The hub listens on 0.0.0.0"]),
        (
            {"git": "2.30.1", "store": {"problem": "x"}},
            {},
            {},
            ["bad: Large files", "warn: git 2.30.1"],
        ),
    ],
)
def test_what_is_to_be_seen_to_is_said_with_what_helps(
    health: dict, totals: dict, config: dict, says: list[str], tmp_path: Path
):
    changed = {
        name: structs.replace(getattr(GOOD, name), **value) if isinstance(value, dict) else value
        for name, value in health.items()
    }
    found = warnings_of(
        structs.replace(GOOD, **changed),
        structs.replace(NOTHING, **totals),
        Config(data=tmp_path, **config),
        HOUR,
    )
    told = [f"{one.level}: {one.what}" for one in found]
    assert len(told) == len(says), told
    assert all(one.startswith(start) for one, start in zip(told, says, strict=True)), told
    assert all(one.do for one in found)


def test_a_folder_that_is_gone_is_a_problem(tmp_path: Path):
    assert _folder_health(tmp_path).problem == ""
    assert _folder_health(tmp_path / "gone").problem


SECRETS = {
    "s3_access_key": "AKIA-of-the-tests",
    "s3_secret_key": "a-very-secret-key-of-the-tests",
    "metrics_token": "a-token-for-metrics-of-the-tests",
}


@pytest.fixture
def secretive(tmp_path: Path, sqlite_url: str, quick: None) -> Iterator[Browser]:
    """A browser of an administrator's, of a hub with secrets in its settings."""
    config = Config(
        data=tmp_path / "hub",
        database_url=sqlite_url,
        workers=3,
        allowed_hosts=("hub.lan", ".example.org"),
        **SECRETS,
    )
    with started_hub(config) as hub:
        hub.write(lambda conn: seed(conn, hub.clock()))
        give_passwords(hub)
        browser = Browser(hub)
        browser.sign_in("root")
        yield browser


def test_settings_are_shown_and_secrets_are_not(secretive: Browser):
    hub = secretive.hub
    hub.write(lambda conn: _fail_a_job(conn, f"refused with {SECRETS['s3_secret_key']}"))
    signing = hub.write(lambda conn: load_secret(conn, b"")).hex()
    for path in (*PAGES, "/admin/jobs?state=failed"):
        for text in (secretive.get(path).text, json.dumps(secretive.json(path))):
            for secret in (*SECRETS.values(), hub.tokens.alice, hub.tokens.root, signing):
                assert secret not in text, path
            assert "$argon2" not in text
            assert secretive.cookies["hubkeep"] not in text
    found = {
        one["name"]: one
        for group in secretive.json("/admin/settings")["groups"]
        for one in group["settings"]
    }
    for name in SECRETS:
        one = found[f"HUBKEEP_{name.upper()}"]
        assert (one["value"], one["isSet"], one["isSecret"]) == ("", True, True)
    assert found["HUBKEEP_WORKERS"]["value"] == "3"
    assert found["HUBKEEP_WORKERS"]["default"] == "1"
    assert found["HUBKEEP_WORKERS"]["isChanged"]
    assert found["HUBKEEP_ALLOWED_HOSTS"]["value"] == "hub.lan, .example.org"
    assert not found["HUBKEEP_PORT"]["isChanged"]
    assert found["HUBKEEP_BLOBS_URL"]["value"].startswith("file://")


def _fail_a_job(conn: Connection, error: str) -> None:
    row = {"kind": "test", "args": "{}", "run_at": 0, "created_at": 0, "failed": True}
    conn.execute(insert(jobs).values(error=error, **row))


def test_every_setting_is_shown():
    shown = [name for group in GROUPS.values() for name in group]
    assert sorted(shown) == sorted(field.name for field in msgspec.structs.fields(Config))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////srv/hub/hubkeep.db", "sqlite:////srv/hub/hubkeep.db"),
        ("postgresql://hub:p%40ss@db/hub", "postgresql://hub:…@db/hub"),
        ("postgresql://hub@db/hub?sslmode=require", "postgresql://hub@db/hub?sslmode=require"),
        ("postgresql:///hub?host=/run&password=hush", "postgresql:///hub?host=…&password=…"),
        (
            "s3://b/p?endpoint=https://key:hush@s3.lan&region=eu",
            "s3://b/p?endpoint=https://key:…@s3.lan&region=eu",
        ),
        ("https://user:hush@hub.lan", "https://user:…@hub.lan"),
        ("https://hub.lan", "https://hub.lan"),
    ],
)
def test_addresses_are_shown_without_what_opens_them(url: str, shown: str):
    assert without_secrets(url) == shown


def test_errors_are_shown_without_secrets(tmp_path: Path):
    config = Config(
        data=tmp_path,
        database_url="postgresql://hub:p%40ssword@db/hub?sslpassword=quiet-please",
        s3_secret_key="hush-hush",
    )
    text = "p%40ssword and p@ssword, quiet-please; hush-hush at db"
    assert hushed(config, text) == "… and …, …; … at db"


def test_storage_says_what_is_held_stored_and_to_go(root: Browser):
    hub = root.hub
    assert "Nothing has been counted yet" in root.seen("/admin/storage").text
    world = World(hub)
    world.repo("alice/large", used_storage=5000)
    world.repo("acme/larger", kind="dataset", used_storage=7000, private=True)
    world.repo("alice/empty")
    hub.run_jobs()
    page = root.json("/admin/storage")
    assert page["countedAt"] == hub.clock()
    assert [one["webPath"] for one in page["largest"]] == ["datasets/acme/larger", "alice/large"]
    assert [one["kind"] for one in page["waiting"]] == ["uploads", "files", "copies", "xorbs"]
    assert page["upkeep"]["collectingAt"] == hub.clock()
    assert sum(one["percent"] for one in page["slices"]) == pytest.approx(100, abs=0.5)
    assert page["days"] == [[hub.clock() // DAY, 0, 0]]
    assert "Growth since" not in root.seen("/admin/storage").text
    hub.clock.move(days=1)
    hub.run_jobs()
    root.sign_in("root")
    assert "Growth since" in root.seen("/admin/storage").text


def test_days_are_kept_for_a_while_the_last_count_of_each(root: Browser):
    hub = root.hub
    for day in (*range(KEPT_DAYS + 5), KEPT_DAYS + 4):
        totals = structs.replace(NOTHING, counted_at=day * DAY + 5, logical=Sized(1, day * 10))
        hub.write(lambda conn, totals=totals: note_day(conn, totals))
    days = hub.read(days_of_storage)
    assert [one.day for one in days] == list(range(5, KEPT_DAYS + 5))
    assert days[-1].logical == (KEPT_DAYS + 4) * 10
    paths = lines_of(days)
    assert paths["logical"].startswith("M0.0 ")
    assert paths["stored"].endswith("600.0 120.0")
    assert lines_of(days[:1]) == {}


def test_repositories_are_found_by_name_size_and_who_sees_them(root: Browser):
    world = World(root.hub)
    for number in range(60):
        world.repo(f"alice/model-{number}", used_storage=number, private=number % 2 == 1)
    world.repo("acme/words", kind="dataset", used_storage=9)

    def listed(query: str = "") -> list[str]:
        return [one["id"] for one in root.json(f"/admin/repositories{query}")["repositories"]]

    first = root.json("/admin/repositories")
    assert [one["storage"] for one in first["repositories"]] == list(range(59, 9, -1))
    rest = root.json(first["next"])
    assert [one["storage"] for one in rest["repositories"]] == list(range(9, -1, -1))
    assert rest["next"] is None
    assert listed("?type=dataset") == ["acme/words"]
    assert listed("?search=MODEL-7") == ["alice/model-7"]
    assert listed("?search=model-7&seen=public") == []
    assert len(listed("?seen=private")) == len(listed("?seen=public")) == 30
    assert listed("?search=nothing-like-it") == []
    assert listed("?sort=created")[0] == "alice/model-59"
    assert "/alice/model-59/settings" in root.seen("/admin/repositories").links()
    for query in ("?sort=name", "?seen=all", "?type=bucket", "?x=1", "?cursor=zzz"):
        assert root.get(f"/admin/repositories{query}").status_code == 400
    assert Seen(root.get("/admin/repositories?search=%00%ED%A0%80").text).text

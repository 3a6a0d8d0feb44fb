# SPDX-License-Identifier: Apache-2.0
"""Passwords for git and git-lfs: where they are taken, until when, and how often one may guess."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from sqlalchemy import select, update

from hubkeep import errors
from hubkeep.config import Config
from hubkeep.db.tables import accounts, failed_sign_ins
from hubkeep.identity import passwords
from hubkeep.identity.passwords import hash_password
from hubkeep.routes import all_routes
from tests.harness.hub import TestHub, on_sqlite, started_hub
from tests.repos.world import World, secret

PASSWORD = "correct horse battery"
BATCH = "/ada/m.git/info/lfs/objects/batch"
DOWNLOAD = {"operation": "download", "objects": []}
UPLOAD = {"operation": "upload", "objects": []}
Quick = Callable[[str], str]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Quick:
    """Hashes with little work in it; passwords are checked by what the hash says it takes."""
    import argon2

    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_decoy", lambda: cheap.hash("nobody's"))
    return cheap.hash


def people(hub: TestHub, quick: Quick) -> World:
    """Ada with a password and a private repository, and ben with neither."""
    world = World(hub)
    world.user("ada")
    world.user("ben")
    world.repo("ada/m", private=True)
    set_password(world, quick(PASSWORD))
    return world


@pytest.fixture
def world(tmp_path: Path, database_url: str, quick: Quick) -> Iterator[World]:
    """A hub that takes passwords."""
    config = Config(data=tmp_path / "hub", database_url=database_url, git_passwords=True)
    with started_hub(config) as hub:
        yield people(hub, quick)


def set_password(world: World, stored: str | None, **more: object) -> None:
    change = update(accounts).where(accounts.c.name == "ada")
    world.hub.write(lambda conn: conn.execute(change.values(password_hash=stored, **more)))


def basic(user: str, password: str) -> dict[str, str]:
    joined = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {joined}"}


def sign_in(
    world: World, password: str, user: str = "ada", body: object = DOWNLOAD
) -> httpx.Response:
    """Ask for nothing, but be somebody."""
    return world.call("POST", BATCH, None, body, headers=basic(user, password))


def failures(world: World) -> dict[str, int]:
    rows = select(failed_sign_ins.c.name_key, failed_sign_ins.c.count)
    return world.hub.read(lambda conn: dict(conn.execute(rows).all()))


def test_a_password_does_for_git_and_its_account_may_write(world: World):
    assert sign_in(world, PASSWORD).status_code == 200
    assert sign_in(world, PASSWORD, "ADA", UPLOAD).status_code == 200
    assert failures(world) == {}


@on_sqlite
def test_a_password_opens_these_addresses_and_no_others(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    asked = ("/info/refs", "/git-upload-pack", "/git-receive-pack", "/HEAD", "/archive/{file*}")
    lfs = ("/objects/batch", "/locks", "/locks/verify", "/locks/{lock}/unlock")
    taking = {f"/{{web}}{{repo}}{path}" for path in asked}
    taking |= {f"/{{web}}{{repo}}/info/lfs{path}" for path in lfs}
    looked: list[str] = []

    async def look(_app: object, name: str, _password: str) -> None:
        looked.append(name)
        raise errors.wrong_password()

    monkeypatch.setattr("hubkeep.identity.sign_in.prove_password", look)
    found = set()
    for route in all_routes():
        path = route.pattern.replace("{T}", "models").replace("{web}", "")
        path = path.replace("{repo}", "ada/m")
        answer = world.call(route.method, path, None, headers=basic("ada", PASSWORD))
        assert answer.status_code >= 400 or not looked
        if looked:
            found.add(route.pattern)
        looked.clear()
    assert found == taking


@on_sqlite
def test_without_the_setting_the_answer_says_what_to_use(
    tmp_path: Path, database_url: str, quick: Quick
):
    with started_hub(Config(data=tmp_path, database_url=database_url)) as hub:
        world = people(hub, quick)
        for user in ("ada", "nobody"):
            answer = sign_in(world, PASSWORD, user)
            assert answer.status_code == 401
            assert answer.json()["message"] == "Use an access token as the password"
            assert "www-authenticate" in answer.headers
            assert "lfs-authenticate" in answer.headers
        git = world.call("GET", "/ada/m/HEAD", None, headers=basic("ada", PASSWORD))
        assert (git.status_code, git.text) == (401, "Use an access token as the password\n")
        assert sign_in(world, secret("ada")).status_code == 200
        assert failures(world) == {}


@pytest.mark.parametrize("loss", ["changed", "taken away", "disabled"])
def test_a_password_stops_at_once(world: World, quick: Quick, loss: str):
    assert sign_in(world, PASSWORD).status_code == 200
    now = {"changed": quick("another one"), "disabled": quick(PASSWORD), "taken away": None}[loss]
    set_password(world, now, disabled=loss == "disabled")
    assert sign_in(world, PASSWORD).status_code == 401


def test_a_password_that_is_changed_after_it_was_looked_at_does_no_more(
    world: World, quick: Quick, monkeypatch: pytest.MonkeyPatch
):
    right = passwords.is_password

    def changed_meanwhile(stored: str | None, given: str) -> bool:
        answer = right(stored, given)
        set_password(world, quick("another one"))
        return answer

    monkeypatch.setattr("hubkeep.identity.sign_in.is_password", changed_meanwhile)
    answer = sign_in(world, PASSWORD)
    assert answer.status_code == 401
    assert "the password is wrong" in answer.json()["message"]


@on_sqlite
def test_addresses_that_a_password_gave_end_with_it(world: World, quick: Quick):
    oid = "ab" * 32
    body = {"operation": "upload", "objects": [{"oid": oid, "size": 3}]}
    actions = sign_in(world, PASSWORD, body=body).json()["objects"][0]["actions"]
    xet = {**body, "transfers": ["xet"]}
    headers = sign_in(world, PASSWORD, body=xet).json()["objects"][0]["actions"]["upload"]["header"]
    chunk = f"{headers['X-Xet-Cas-Url'].rpartition(':8080')[2]}/v1/chunks/default/{'0' * 64}"

    def statuses() -> tuple[int, int]:
        asked = world.call("POST", actions["verify"]["href"], None, {"oid": oid, "size": 3})
        token = {"Authorization": f"Bearer {headers['X-Xet-Access-Token']}"}
        return asked.status_code, world.call("GET", chunk, headers=token).status_code

    assert statuses() == (404, 404)
    set_password(world, quick("another one"))
    assert statuses() == (403, 403)


def test_a_token_is_the_password_of_any_name_and_needs_no_look_at_one(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hubkeep.identity.sign_in.is_password", None)
    for user in ("ada", "ben", "anyone", "", "böb"):
        assert sign_in(world, secret("ada"), user).status_code == 200
    revoked = sign_in(world, secret("revoked"))
    assert revoked.status_code == 401
    assert "www-authenticate" in revoked.headers
    assert failures(world) == {}


def test_too_many_wrong_passwords_close_a_name_for_a_while(world: World):
    for _ in range(10):
        wrong = sign_in(world, "incorrect")
        assert wrong.status_code == 401
        assert "www-authenticate" in wrong.headers
        assert "lfs-authenticate" in wrong.headers
        world.hub.clock.move(seconds=1)
    for password in ("incorrect", PASSWORD):
        closed = sign_in(world, password, "Ada")
        assert closed.status_code == 429
        assert "15 minutes" in closed.json()["message"]
        # git-lfs would wait so long and say nothing.
        assert "retry-after" not in closed.headers
    git = world.call("GET", "/ada/m/HEAD", None, headers=basic("ada", PASSWORD))
    assert (git.status_code, git.headers["content-type"]) == (429, "text/plain; charset=utf-8")
    assert git.headers["retry-after"] == str(15 * 60 - 1)

    assert sign_in(world, secret("ada")).status_code == 200
    world.hub.clock.move(minutes=14, seconds=58)
    assert sign_in(world, PASSWORD).status_code == 429
    world.hub.clock.move(seconds=1)
    assert sign_in(world, PASSWORD).status_code == 200
    assert sign_in(world, "incorrect").status_code == 401


def test_all_processes_of_a_hub_count_together(world: World):
    config = world.hub.app.config
    with started_hub(config, world.hub.clock) as beside:
        other = World(beside)
        for _ in range(5):
            assert sign_in(world, "incorrect").status_code == 401
            assert sign_in(other, "incorrect").status_code == 401
        assert sign_in(world, PASSWORD).status_code == 429
        assert sign_in(other, PASSWORD).status_code == 429


def test_wrong_ones_are_forgotten_in_time_and_right_ones_do_not_count(world: World):
    for _ in range(9):
        assert sign_in(world, "incorrect").status_code == 401
    assert sign_in(world, PASSWORD).status_code == 200
    world.hub.clock.move(minutes=15)
    for _ in range(9):
        assert sign_in(world, "incorrect").status_code == 401
    assert sign_in(world, PASSWORD).status_code == 200
    assert failures(world) == {"ada": 9}


def test_who_has_no_account_or_no_password_is_treated_like_who_has(world: World):
    world.org("lab", ada="admin")
    for name in ("nobody", "ben", "lab"):
        told = [sign_in(world, "incorrect", name) for _ in range(11)]
        assert [one.status_code for one in told] == [401] * 10 + [429]
        assert told[0].json() == sign_in(world, "incorrect").json()


@on_sqlite
def test_who_has_no_account_waits_as_long(world: World, monkeypatch: pytest.MonkeyPatch):
    checked: list[str | None] = []
    right = passwords.is_password

    def seen(stored: str | None, given: str) -> bool:
        checked.append(stored)
        return right(stored, given)

    monkeypatch.setattr("hubkeep.identity.sign_in.is_password", seen)
    for name in ("ada", "nobody", "ben"):
        sign_in(world, "incorrect", name)
    assert [one is None for one in checked] == [False, True, True]
    # The decoy is verified with all that an account's takes.
    import argon2

    monkeypatch.undo()
    passwords._decoy.cache_clear()
    decoy = argon2.extract_parameters(passwords._decoy())
    assert decoy == argon2.extract_parameters(hash_password(PASSWORD))
    assert not passwords.is_password(None, "nobody's password")


def test_counts_that_are_over_do_not_pile_up(world: World):
    for n in range(12):
        sign_in(world, "incorrect", f"nobody-{n}")
    world.hub.clock.move(minutes=15)
    sign_in(world, "incorrect")
    assert failures(world) == {"ada": 1}


@on_sqlite
def test_guesses_that_come_at_once_are_counted_one_by_one(world: World):
    import threading

    told: list[int] = []
    threads = [
        threading.Thread(target=lambda: told.append(sign_in(world, "incorrect").status_code))
        for _ in range(16)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(told) == [401] * 10 + [429] * 6


ODD = [
    "Basic",
    "Basic ",
    "Basic !!!",
    "Basic é",
    "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
    "Basic " + base64.b64encode(b"no colon at all").decode(),
    "Basic " + base64.b64encode(b"ada:").decode(),
    "Basic " + base64.b64encode(b":").decode(),
    "Basic " + base64.b64encode(b"a\0a:passw\0rd!").decode(),
    "Basic " + base64.b64encode(b"ada:" + b"x" * 2000).decode(),
    "Basic " + base64.b64encode(b"a" * 2000 + b":password").decode(),
    "Bearer",
    "Bearer é",
    "Bearer hf_" + "x" * 5000,
    "Negotiate abc",
    "basic:ada",
]


@pytest.mark.parametrize("allowed", [True, False])
@on_sqlite
def test_odd_credentials_are_wrong_ones(
    tmp_path: Path, database_url: str, quick: Quick, allowed: bool
):
    config = Config(data=tmp_path, database_url=database_url, git_passwords=allowed)
    with started_hub(config) as hub:
        world = people(hub, quick)
        for odd in ODD:
            headers = {"Authorization": odd.encode("latin-1")}
            for path in ("/ada/m/HEAD", "/ada/m.git/info/lfs/locks", "/api/models/ada/m"):
                answer = hub.client.get(path, headers=headers)
                assert answer.status_code == 401, (odd, path)
                assert "www-authenticate" in answer.headers
        huge = basic("ada", "x" * 70_000)
        assert sign_in(world, "x" * 70_000).status_code == 431, huge
        assert failures(world) == {}

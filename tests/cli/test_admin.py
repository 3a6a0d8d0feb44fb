# SPDX-License-Identifier: Apache-2.0
"""Users, organisations and tokens, on both databases."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text, update

from hubkeep.db import Database
from hubkeep.db.migrate import SCHEMA
from hubkeep.db.tables import accounts
from tests.cli.conftest import Commands
from tests.harness.hub import TestHub, on_sqlite


def test_users(cli: Commands):
    made = cli.ok("user", "create", "alice", "--fullname", "Alice", "--email", "a@example.org")
    assert len(made["id"]) == 24
    cli.ok("user", "create", "__TEST_ROOT__", "--admin")
    found = {each["name"]: each for each in cli.ok("user", "list")}
    assert found["alice"]["fullname"] == "Alice"
    assert found["alice"]["isAdmin"] is False
    assert found["__TEST_ROOT__"]["isAdmin"] is True
    assert "alice" in cli.run("user", "list").output
    cli.ok("user", "delete", "ALICE")
    assert [each["name"] for each in cli.ok("user", "list")] == ["__TEST_ROOT__"]


@pytest.mark.parametrize("name", ["api", "datasets", "a b", "x-", "x--y", "../x", "x.git", "é"])
@on_sqlite
def test_names_that_cannot_be_used(cli: Commands, name: str):
    assert "account name" in cli.refused("user", "create", name)


def test_a_name_is_taken_once_by_users_and_organisations(cli: Commands):
    cli.ok("user", "create", "Acme")
    assert "taken" in cli.refused("org", "create", "acme")
    assert "taken" in cli.refused("user", "create", "ACME")


def test_a_password_is_kept_as_argon2(cli: Commands):
    cli.ok("user", "create", "alice", "--password-stdin", stdin="correct horse\n")
    engine = create_engine(cli.database_url)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT password_hash FROM accounts")).scalar_one()
    engine.dispose()
    assert kept.startswith("$argon2id$")
    assert "8 to 1024" in cli.refused("user", "create", "b", "--password-stdin", stdin="short\n")


def test_organisations(cli: Commands):
    cli.ok("user", "create", "alice")
    cli.ok("org", "create", "acme", "--type", "company", "--default-private")
    cli.ok("org", "add", "acme", "alice", "--role", "read")
    cli.ok("org", "add", "acme", "alice", "--role", "admin")
    assert [(m["name"], m["role"]) for m in cli.ok("org", "members", "acme")] == [
        ("alice", "admin")
    ]
    [org] = cli.ok("org", "list")
    assert (org["orgType"], org["defaultPrivate"]) == ("company", True)
    assert "no user 'bob'" in cli.refused("org", "add", "acme", "bob", "--role", "read")
    assert "no organisation 'alice'" in cli.refused("org", "members", "alice")
    cli.ok("org", "remove", "acme", "alice")
    assert "no member" in cli.refused("org", "remove", "acme", "alice")
    cli.ok("org", "delete", "acme")
    assert cli.ok("org", "list") == []


def test_tokens(cli: Commands):
    cli.ok("user", "create", "alice")
    made = cli.ok("token", "create", "alice", "--role", "write", "--name", "laptop")
    assert made["token"].startswith("hf_")
    assert len(made["token"]) == 37
    given = cli.ok("token", "create", "alice", "--role", "read", "--value", "hf_" + "v" * 34)
    assert given["token"] == "hf_" + "v" * 34
    listed = cli.run("token", "list").output + str(cli.ok("token", "list", "alice"))
    assert made["token"] not in listed
    assert made["token"][-4:] in listed
    assert "laptop" in cli.refused("token", "create", "alice", "--role", "read", "--name", "laptop")
    cli.ok("token", "revoke", "alice", "laptop")
    cli.ok("token", "revoke", "alice", given["id"])
    assert cli.ok("token", "list") == []
    assert "no token" in cli.refused("token", "revoke", "alice", "laptop")


@pytest.mark.parametrize("value", ["api_org_" + "x" * 30, "hf_short", "hf_" + "x y" * 10, "x" * 40])
@on_sqlite
def test_values_that_are_no_tokens(cli: Commands, value: str):
    cli.ok("user", "create", "alice")
    line = cli.refused("token", "create", "alice", "--role", "read", "--value", value)
    assert "begins with 'hf_'" in line
    assert value not in line


@on_sqlite
def test_only_hashes_are_on_the_disk(cli: Commands):
    cli.ok("user", "create", "alice")
    value = cli.ok("token", "create", "alice", "--role", "write")["token"]
    path = Path(cli.database_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = path.read_bytes()
    assert value.encode() not in kept
    assert value[3:].encode() not in kept
    assert hashlib.sha256(value.encode()).digest() in kept


def test_the_owner_of_repositories_stays(hub: TestHub, database_url: str, tmp_path: Path):
    cli = Commands(database_url, str(tmp_path / "hub"))
    body = {"name": "thing", "type": "model"}
    assert hub.post("/api/repos/create", token=hub.tokens.bob, json=body).status_code == 200
    assert "bob/thing" in cli.refused("user", "delete", "bob")
    hub.request("DELETE", "/api/repos/delete", token=hub.tokens.bob, json={"name": "thing"})
    hub.run_jobs()
    cli.ok("user", "delete", "bob")
    assert hub.get("/api/whoami-v2", token=hub.tokens.bob).status_code == 401


def test_commands_work_while_the_hub_runs(hub: TestHub, database_url: str, tmp_path: Path):
    cli = Commands(database_url, str(tmp_path / "hub"))
    made = cli.ok("token", "create", "alice", "--role", "read", "--expires-days", "1")
    assert hub.get("/api/whoami-v2", token=made["token"]).json()["name"] == "alice"
    hub.clock.move(days=1, minutes=1)
    assert hub.get("/api/whoami-v2", token=made["token"]).status_code == 401
    other = cli.ok("token", "create", "alice", "--role", "read", "--name", "other")
    assert hub.get("/api/whoami-v2", token=other["token"]).status_code == 200
    cli.ok("token", "revoke", "alice", "other")
    assert hub.get("/api/whoami-v2", token=other["token"]).status_code == 401


def test_migrate(empty_database_url: str, tmp_path: Path):
    cli = Commands(empty_database_url, str(tmp_path / "hub"))
    assert cli.ok("migrate") == {"before": None, "after": SCHEMA}
    assert cli.ok("migrate") == {"before": SCHEMA, "after": SCHEMA}
    cli.ok("user", "create", "alice")


def test_accounts_are_named_whose_names_the_hub_took_for_itself(
    cli: Commands, caplog: pytest.LogCaptureFixture
):
    cli.ok("user", "create", "alice")
    cli.ok("user", "create", "bob")
    cli.ok("migrate")
    assert caplog.messages == []
    taken = (
        update(accounts).where(accounts.c.name == "bob").values(name="Social", name_key="social")
    )
    db = Database(cli.database_url)
    db.write_now(lambda conn: conn.execute(taken))
    db.close()
    cli.ok("migrate")
    [said] = caplog.messages
    assert said.startswith("the account Social is called like addresses of the hub")


def test_postgresql_is_not_migrated_by_the_way(empty_postgresql_url: str, tmp_path: Path):
    cli = Commands(empty_postgresql_url, str(tmp_path / "hub"))
    assert "hubkeep migrate" in cli.refused("user", "list")


def test_a_newer_schema_is_left_alone(cli: Commands):
    db = Database(cli.database_url)
    db.write_now(lambda conn: conn.execute(text("UPDATE alembic_version SET version_num='9'")))
    db.close()
    assert "hubkeep migrate" in cli.refused("user", "list") or "newer" in cli.refused(
        "user", "list"
    )
    assert "newer than this program" in cli.refused("migrate")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--database-url", "nonsense"], "sqlite:///path"),
        (["--database-url", "mysql://x/y"], "sqlite:///path"),
        (["--database-url", "postgresql://x@127.0.0.1:1/y"], "refused"),
        (["--data", "/proc/none"], "/proc/none"),
        ([], "--data DIR"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, monkeypatch, words, says: str):
    from click.testing import CliRunner

    from hubkeep.cli import main

    monkeypatch.delenv("HUBKEEP_DATA", raising=False)
    data = ["--data", str(tmp_path)] if words and "--data" not in words else []
    result = CliRunner().invoke(main, ["user", "list", *data, *words])
    assert result.exit_code == 1
    assert result.stderr.startswith("hubkeep: ")
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_password_and_shutting_somebody_out(hub: TestHub, database_url: str, tmp_path: Path):
    cli = Commands(database_url, str(tmp_path / "hub"))
    words = ("user", "password", "alice", "--password-stdin")
    assert cli.ok(*words, stdin="a long enough one\n") == {"name": "alice", "passwordSet": True}
    assert "8 to 1024" in cli.refused(*words, stdin="short\n")
    assert cli.ok("user", "disable", "ALICE") == {"name": "ALICE", "disabled": True}
    assert hub.get("/api/whoami-v2", token=hub.tokens.alice).status_code == 401
    assert "no user" in cli.refused("user", "password", "alice", *words[3:], stdin="another one\n")
    assert cli.ok("user", "enable", "alice") == {"name": "alice", "disabled": False}
    assert hub.get("/api/whoami-v2", token=hub.tokens.alice).status_code == 200
    assert "no user" in cli.refused("user", "disable", "nobody")


def test_administrators_come_and_go_but_for_the_last(cli: Commands):
    cli.ok("user", "create", "root", "--admin")
    cli.ok("user", "create", "alice")
    assert "last administrator" in cli.refused("user", "admin", "root", "--off")
    assert cli.ok("user", "admin", "ALICE") == {"name": "ALICE", "isAdmin": True}
    assert cli.ok("user", "admin", "root", "--off") == {"name": "root", "isAdmin": False}
    listed = {one["name"]: one["isAdmin"] for one in cli.ok("user", "list")}
    assert listed == {"alice": True, "root": False}
    cli.ok("user", "disable", "alice")
    assert cli.ok("user", "delete", "alice") == {"deleted": "alice"}, "who is disabled goes too"

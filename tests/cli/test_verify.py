# SPDX-License-Identifier: Apache-2.0
"""`hubkeep verify`: what it says of git."""

import base64
import json

import pytest
from sqlalchemy import update

from hubkeep.cli.common import size_text
from hubkeep.db.tables import git_commits, git_objects
from tests.cli.conftest import Commands
from tests.cli.test_stored import WHOLE, whole
from tests.harness.hub import TestHub


@pytest.fixture
def cli(hub: TestHub) -> Commands:
    """Commands on the hub's own database and folder."""
    config = hub.app.config
    return Commands(config.database_url, str(config.data))


@pytest.fixture(autouse=True)
def _repositories(hub: TestHub) -> None:
    for kind, name in (("model", "m"), ("dataset", "d")):
        body = {"name": name, "type": kind}
        answer = hub.post("/api/repos/create", token=hub.tokens.alice, json=body)
        assert answer.status_code == 200, answer.text
        content = base64.b64encode(f"A {kind}".encode()).decode()
        value = {"path": "f/card.txt", "content": content, "encoding": "base64"}
        commit(hub, f"{kind}s/alice/{name}", {"key": "file", "value": value})


def commit(hub: TestHub, repo: str, line: dict[str, object]) -> None:
    """Make a commit of one line."""
    header = {"key": "header", "value": {"summary": "a change", "description": ""}}
    body = "\n".join(map(json.dumps, (header, line)))
    answer = hub.post(f"/api/{repo}/commit/main", token=hub.tokens.alice, content=body.encode())
    assert answer.status_code == 200, answer.text


def test_all_is_well(cli: Commands, hub: TestHub):
    found = cli.ok("verify")["git"]
    assert found["objects"] > 6
    assert (found["repositories"], found["damaged"], found["problems"]) == (2, 0, [])
    shown = cli.run("verify", "--no-files")
    assert shown.exit_code == 0
    counted = f"{found['commits']} commits, {found['objects']} objects, "
    assert shown.stdout.splitlines() == [
        f"Looked through 2 repositories: {counted}{size_text(found['bytes'])}",
        "Nothing is damaged in git",
    ]
    assert "git" not in cli.ok("verify", "--no-git")


def test_damage_is_said_with_what_helps(cli: Commands, hub: TestHub):
    hub.write(lambda conn: conn.execute(update(git_commits).values(title="another")))
    result = cli.run("verify", "--json", "--no-files")
    assert result.exit_code == 1
    found = json.loads(result.stdout)["git"]
    assert found["damaged"] == len(found["problems"]) == found["commits"]
    first = found["problems"][0]
    assert (first["type"], first["repo"]) == ("model", "alice/m")
    assert first["problem"] == "has another title than its row"
    assert "backup" in first["advice"]

    shown = cli.run("verify").stdout
    assert f"Damaged is the model alice/m: {first['what']} {first['problem']}" in shown
    assert first["advice"] in shown


def test_one_repository_is_looked_through_if_asked(cli: Commands, hub: TestHub):
    hub.write(lambda conn: conn.execute(update(git_objects).values(data=b"")))
    result = cli.run("verify", "--repo", "datasets/alice/d", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)["git"]
    assert found["repositories"] == 1
    assert {problem["repo"] for problem in found["problems"]} == {"alice/d"}


def test_what_was_taken_back_waits_for_being_collected(cli: Commands, hub: TestHub):
    answer = hub.post("/api/models/alice/m/super-squash/main", token=hub.tokens.alice, json={})
    assert answer.status_code == 200, answer.text
    assert cli.ok("verify")["git"]["waiting"] > 0
    assert "wait for being deleted" in cli.run("verify").stdout
    hub.clock.move(hours=2)
    hub.run_jobs()
    assert cli.ok("verify")["git"]["waiting"] == 0


def test_large_files_that_were_deleted_are_listed_and_are_no_damage(cli: Commands, hub: TestHub):
    oid = whole(hub)
    value = {"path": "w.bin", "algo": "sha256", "oid": oid, "size": len(WHOLE)}
    commit(hub, "models/alice/m", {"key": "lfsFile", "value": value})
    assert cli.ok("verify")["git"]["absent"] == []

    files = "/api/models/alice/m/lfs-files"
    [held] = hub.get(files, token=hub.tokens.alice).json()
    body = {"deletions": {"sha": [held["fileOid"]], "rewriteHistory": False}}
    answer = hub.post(f"{files}/batch", token=hub.tokens.alice, json=body)
    assert answer.status_code == 200, answer.text
    assert cli.ok("verify")["git"]["absent"] == [
        {"type": "model", "repo": "alice/m", "oid": oid, "size": len(WHOLE)}
    ]
    shown = cli.run("verify").stdout
    assert "names 1 LFS files" in shown
    assert f"  {oid}  {len(WHOLE)} bytes" in shown

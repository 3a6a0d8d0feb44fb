# SPDX-License-Identifier: Apache-2.0
"""The job that deletes what no reference leads to."""

import base64
import json

import pytest
from sqlalchemy import Connection, select

from hubkeep.content import jobs
from hubkeep.db.tables import repos
from hubkeep.git import reachable, store
from hubkeep.git.reachable import Garbage, find_garbage
from tests.harness.hub import TestHub

API = "/api/models/alice/m"


def commit(hub: TestHub, path: str, content: bytes) -> str:
    header = {"key": "header", "value": {"summary": "a change"}}
    encoded = base64.b64encode(content).decode()
    value = {"path": path, "content": encoded, "encoding": "base64"}
    body = "\n".join(map(json.dumps, (header, {"key": "file", "value": value})))
    answer = hub.post(f"{API}/commit/main", token=hub.tokens.alice, content=body.encode())
    assert answer.status_code == 200, answer.text
    return answer.json()["commitOid"]


def resolves(hub: TestHub, commit: str) -> bool:
    repo_id = hub.read(lambda conn: conn.execute(select(repos.c.id)).scalar_one())
    return hub.read(lambda conn: store.resolve(conn, repo_id, commit)) is not None


def test_it_gets_through_while_somebody_commits(hub: TestHub, monkeypatch: pytest.MonkeyPatch):
    """What lands between looking and deleting is looked at, without the lock if it is much."""
    token = hub.tokens.alice
    made = hub.post("/api/repos/create", token=token, json={"name": "m", "type": "model"})
    assert made.status_code == 200, made.text
    old = commit(hub, "gone", b"secret")
    commit(hub, "back", b"again")
    body = "\n".join(
        json.dumps(line)
        for line in (
            {"key": "header", "value": {"summary": "a change"}},
            {"key": "deletedFile", "value": {"path": "gone"}},
            {"key": "deletedFile", "value": {"path": "back"}},
        )
    )
    hub.post(f"{API}/commit/main", token=token, content=body.encode())
    assert hub.post(f"{API}/super-squash/main", token=token, json={}).status_code == 200

    def find(conn: Connection, repo_id: int) -> Garbage:
        found = find_garbage(conn, repo_id)
        landed.append(commit(hub, "once/more", b"again"))
        return found

    landed: list[str] = []
    monkeypatch.setattr(jobs, "find_garbage", find)
    monkeypatch.setattr(reachable, "_UNDER_LOCK", 0)
    hub.clock.move(hours=2)
    hub.run_jobs()
    assert landed
    assert not resolves(hub, old)
    assert resolves(hub, landed[0])
    assert hub.get("/alice/m/resolve/main/once/more").content == b"again"

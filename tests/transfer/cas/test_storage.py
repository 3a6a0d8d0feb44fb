# SPDX-License-Identifier: Apache-2.0
"""What is stored against what is held, as the API and Prometheus are told."""

import pytest
from sqlalchemy import update

from hubkeep.db.tables import accounts, files
from hubkeep.kit.time import wire
from hubkeep.transfer.cas.storage import count_storage
from tests.harness.hub import TestHub
from tests.transfer.cas.shelf import Shelf

HUB, REPO = "/api/storage", "/api/models/alice/m/storage"


@pytest.fixture
def filled(hub: TestHub, shelf: Shelf) -> dict[str, int]:
    """Two files of alice's share a xorb, one of which bob has too; sizes by name."""
    one, two = shelf.random(1, xorbs=2, size=4000)
    first = shelf.file("alice/m", [one.term(0, len(one.chunks))])
    second = shelf.file("alice/m", [one.term(0, 1), two.term(0, len(two.chunks))])
    third = shelf.file("bob/m", [two.term(0, 1)])
    shelf.xorb([b"nobody's"])
    hub.write(lambda conn: conn.execute(update(accounts).where(_is("bob")).values(is_admin=True)))
    return {
        "alice": len(first.content) + len(second.content),
        "bob": len(third.content),
        "one": len(one.body),
        "two": len(two.body),
        "spare": len(shelf.xorb([b"nobody's"]).body),
    }


def _is(name: str):
    return accounts.c.name == name


def count(hub: TestHub) -> None:
    assert hub.client.portal is not None
    hub.client.portal.call(count_storage, hub.app)


def test_a_repository_is_told_what_it_refers_to_each_xorb_once(
    hub: TestHub, filled: dict[str, int]
):
    both = filled["one"] + filled["two"]
    assert hub.get(REPO, token=hub.tokens.alice).json() == {
        "logical": {"files": 2, "bytes": filled["alice"]},
        "stored": {
            "bytes": both,
            "whole": {"count": 0, "bytes": 0},
            "xorbs": {"count": 2, "bytes": both},
        },
    }


def test_whole_copies_count_where_they_are(hub: TestHub, filled: dict[str, int]):
    hub.write(lambda conn: conn.execute(update(files).values(whole=True)))
    stored = hub.get(REPO, token=hub.tokens.alice).json()["stored"]
    assert stored["whole"] == {"count": 2, "bytes": filled["alice"]}
    assert stored["bytes"] == filled["alice"] + filled["one"] + filled["two"]


def test_readers_are_not_told(hub: TestHub, filled: dict[str, int]):
    body = {"visibility": "private"}
    assert hub.put("/api/models/alice/m/settings", token=hub.tokens.alice, json=body).is_success
    assert hub.get(REPO).status_code == 401
    hub.put("/api/models/alice/m/settings", token=hub.tokens.alice, json={"visibility": "public"})
    assert hub.get(REPO).status_code == 401
    assert hub.get(REPO + "?x=1", token=hub.tokens.alice).status_code == 400


def test_administrators_are_told_what_was_counted_last(hub: TestHub, filled: dict[str, int]):
    assert hub.get(HUB).status_code == 401
    assert hub.get(HUB, token=hub.tokens.alice).status_code == 403
    before = hub.get(HUB, token=hub.tokens.bob)
    assert (before.status_code, "counted" in before.json()["error"]) == (404, True)

    count(hub)
    told = hub.get(HUB, token=hub.tokens.bob).json()
    logical = filled["alice"] + filled["bob"]
    stored = filled["one"] + filled["two"] + filled["spare"]
    assert told["countedAt"] == wire(hub.clock())
    assert told["logical"] == {"files": 3, "bytes": logical}
    assert told["stored"]["bytes"] == stored
    assert told["stored"]["xorbs"] == {"count": 3, "bytes": stored}
    assert told["savedBytes"] == logical - stored
    assert told["unchecked"]["xorbs"] == {"count": 3, "bytes": stored}
    assert told["damaged"]["xorbs"] == {"count": 0, "bytes": 0}

    hub.clock.move(hours=1)
    count(hub)
    assert hub.get(HUB, token=hub.tokens.bob).json()["countedAt"] == wire(hub.clock())


def test_what_waits_and_what_is_damaged_is_counted_apart(hub: TestHub, shelf: Shelf):
    one, two, three = shelf.random(1, xorbs=3, size=400)
    shelf.change_xorb(one, unlinked_at=5)
    shelf.change_xorb(two, damaged_at=5)
    shelf.change_xorb(three, ready=False, unlinked_at=5, damaged_at=5)
    hub.write(lambda conn: conn.execute(update(accounts).where(_is("bob")).values(is_admin=True)))
    count(hub)
    told = hub.get(HUB, token=hub.tokens.bob).json()
    assert told["stored"]["xorbs"]["count"] == 2
    assert told["waiting"]["xorbs"] == {"count": 1, "bytes": len(one.body)}
    assert told["damaged"]["xorbs"] == {"count": 1, "bytes": len(two.body)}


def test_metrics_have_it_once_it_is_counted(hub: TestHub, filled: dict[str, int]):
    assert "hubkeep_stored_bytes" not in hub.get("/metrics").text
    count(hub)
    text = hub.get("/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    stored = filled["one"] + filled["two"] + filled["spare"]
    assert float(lines['hubkeep_stored_bytes{kind="xorbs"}']) == stored
    assert float(lines["hubkeep_logical_bytes"]) == filled["alice"] + filled["bob"]
    assert float(lines['hubkeep_damaged{kind="xorbs"}']) == 0
    assert float(lines["hubkeep_storage_counted_seconds"]) == hub.clock() / 1000
    assert text.count("# TYPE hubkeep_stored_bytes gauge") == 1

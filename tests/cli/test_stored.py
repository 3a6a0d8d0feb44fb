# SPDX-License-Identifier: Apache-2.0
"""`hubkeep verify`, `gc`, `stats` and `xet`: looking after what is stored."""

import hashlib
import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, update

from hubkeep.blobs import whole_key, xorb_key
from hubkeep.db.tables import accounts, files, uploads, xorbs
from hubkeep.kit.time import DAY, now
from hubkeep.transfer.queries_files import unlink_files
from hubkeep.xet.hashes import to_text
from tests.cli.conftest import Commands
from tests.harness.hub import TestHub, on_sqlite
from tests.transfer.cas.shelf import File, Shelf, Xorb, repo_id, shelf_of

WHOLE = b"whole weights"


@pytest.fixture
def cli(hub: TestHub) -> Commands:
    """Commands on the hub's own database and folder."""
    config = hub.app.config
    return Commands(config.database_url, str(config.data))


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    """Where alice has the model `alice/m` and the data set `alice/d`."""
    hub.clock.now -= DAY
    for kind, name in (("model", "m"), ("dataset", "d")):
        body = {"name": name, "type": kind}
        answer = hub.post("/api/repos/create", token=hub.tokens.alice, json=body)
        assert answer.status_code == 200, answer.text
    return shelf_of(hub)


def chunked(shelf: Shelf, repo: str = "alice/m", seed: int = 1) -> tuple[Xorb, File]:
    """A file in chunks, and the one xorb that it needs."""
    [xorb] = shelf.random(seed, xorbs=1, size=5000)
    return xorb, shelf.file(repo, [xorb.term(0, len(xorb.chunks))])


def whole(hub: TestHub, repo: str = "alice/m", content: bytes = WHOLE) -> str:
    """Send a file by git-lfs; return its sha256."""
    oid = hashlib.sha256(content).hexdigest()
    body = {"operation": "upload", "objects": [{"oid": oid, "size": len(content)}]}
    asked = hub.post(f"/{repo}.git/info/lfs/objects/batch", token=hub.tokens.alice, json=body)
    href = asked.json()["objects"][0]["actions"]["upload"]["href"]
    assert hub.put(href.partition("8080")[2], content=content).status_code == 200
    return oid


def blob(hub: TestHub, key: str) -> Path:
    path = hub.app.blobs.local_path(key)
    assert path is not None
    return path


def spoil(path: Path) -> None:
    """Flip a bit in the middle of a file of the store."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.chmod(0o600)
    path.write_bytes(content)


def let_go(hub: TestHub, repo: str, days_ago: float) -> None:
    """Take all files from a repository, as if some days ago."""
    at = now() - round(days_ago * DAY)
    ids = list(hub.read(lambda conn: conn.execute(select(files.c.id)).scalars().all()))
    hub.write(lambda conn: unlink_files(conn, repo_id(conn, repo), ids, at))


def test_all_is_well(cli: Commands, hub: TestHub, shelf: Shelf):
    xorb, _ = chunked(shelf)
    whole(hub)
    found = cli.ok("verify")
    assert found.pop("git")["damaged"] == 0
    assert found == {
        "read": {"count": 3, "bytes": len(xorb.body) + len(WHOLE)},
        "damaged": [],
        "mended": [],
    }
    shown = cli.run("verify", "--no-git", "--older-than", "0.5")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == ["Read 0 xorbs and files, 0 bytes", "Nothing is damaged"]


def test_what_is_damaged_is_said_with_the_files_that_it_hits(
    cli: Commands, hub: TestHub, shelf: Shelf
):
    xorb, _ = chunked(shelf)
    shelf.file("alice/d", [xorb.term(0, 1)])
    oid = whole(hub)
    spoil(blob(hub, xorb_key(to_text(xorb.name))))
    blob(hub, whole_key(oid)).unlink()

    result = cli.run("verify", "--json")
    assert result.exit_code == 1
    of_xorb, of_file = json.loads(result.stdout)["damaged"]
    assert of_xorb["what"] == f"xorb {to_text(xorb.name)}"
    assert [(one["type"], one["repo"]) for one in of_xorb["files"]] == [
        ("dataset", "alice/d"),
        ("model", "alice/m"),
    ]
    assert (of_file["what"], of_file["problem"]) == (f"file {oid}", "the bytes are missing")
    assert of_file["files"] == [{"type": "model", "repo": "alice/m", "path": None, "oid": oid}]

    # It stays so until it is read again and found to be good.
    later = cli.run("verify", "--older-than", "0.5")
    assert later.exit_code == 1
    assert to_text(xorb.name) in later.stdout
    assert oid in later.stdout
    assert "alice/d" in later.stdout

    blob(hub, xorb_key(to_text(xorb.name))).write_bytes(xorb.body)
    blob(hub, whole_key(oid)).write_bytes(WHOLE)
    assert cli.ok("verify")["damaged"] == []


def test_one_repository_is_read_if_asked(cli: Commands, hub: TestHub, shelf: Shelf):
    here, _ = chunked(shelf, "alice/m", seed=1)
    there, _ = chunked(shelf, "alice/d", seed=2)
    for xorb in (here, there):
        spoil(blob(hub, xorb_key(to_text(xorb.name))))
    for name, xorb in (("Alice/M", here), ("datasets/alice/d", there)):
        result = cli.run("verify", "--repo", name, "--json")
        [damaged] = json.loads(result.stdout)["damaged"]
        assert damaged["what"] == f"xorb {to_text(xorb.name)}"
    both = cli.run("verify", "--repo", "alice/m", "--repo", "datasets/alice/d", "--json")
    assert len(json.loads(both.stdout)["damaged"]) == 2
    assert cli.refused("verify", "--repo", "alice/d") == "there is no model 'alice/d'"


def test_what_was_mended_is_said_once(cli: Commands, hub: TestHub, shelf: Shelf):
    xorb, _ = chunked(shelf)
    shelf.change_xorb(xorb, chunks=1)
    result = cli.run("verify")
    assert result.exit_code == 1
    assert f"Mended the xorb {to_text(xorb.name)}" in result.stdout
    assert cli.ok("verify")["mended"] == []


def test_gc_says_what_would_go_and_deletes_it(cli: Commands, hub: TestHub, shelf: Shelf):
    xorb, _ = chunked(shelf)
    oid = whole(hub)
    let_go(hub, "alice/m", days_ago=6)
    waiting = cli.ok("gc", "--dry-run")["left"]
    assert waiting["files"]["due"] == {"count": 0, "bytes": 0}
    assert waiting["files"]["waiting"] == {"count": 2, "bytes": len(WHOLE)}
    assert waiting["files"]["nextAt"] == waiting["files"]["largest"][0]["goesAt"]
    assert waiting["files"]["largest"][0]["name"] == oid

    hub.write(lambda conn: conn.execute(update(files).values(unlinked_at=now() - 8 * DAY)))
    due = cli.ok("gc", "--dry-run")
    assert (due["dryRun"], due["freed"]) == (True, {})
    assert due["left"]["files"]["due"] == {"count": 2, "bytes": len(WHOLE)}
    assert blob(hub, whole_key(oid)).exists()
    shown = cli.run("gc", "--dry-run")
    assert "once no repository has referred to them for 7 days" in shown.stdout

    done = cli.ok("gc")
    assert done["freed"]["files"] == {"count": 2, "bytes": len(WHOLE)}
    assert not blob(hub, whole_key(oid)).exists()
    # Chunks wait for longer, from now on.
    assert done["left"]["xorbs"]["waiting"] == {"count": 1, "bytes": len(xorb.body)}
    assert done["left"]["xorbs"]["largest"][0]["name"] == to_text(xorb.name)

    shelf.change_xorb(xorb, unlinked_at=now() - 31 * DAY)
    shown = cli.run("gc")
    assert shown.exit_code == 0
    assert "DELETED" in shown.stdout
    assert not blob(hub, xorb_key(to_text(xorb.name))).exists()
    assert hub.read(lambda conn: conn.execute(select(xorbs.c.id)).all()) == []


@on_sqlite
def test_gc_gives_uploads_up(cli: Commands, hub: TestHub, shelf: Shelf):
    async def begin() -> str:
        return await hub.app.blobs.begin_upload("sha256/u", size=9, part_size=9)

    assert hub.client.portal is not None
    begun = hub.client.portal.call(begin)

    def add(conn: Connection) -> None:
        user = conn.execute(select(accounts.c.id).where(accounts.c.name == "alice")).scalar_one()
        row = {"repo_id": repo_id(conn, "alice/m"), "user_id": user, "sha256": bytes(32)}
        sizes = {"size": 9, "part_size": 9, "store_upload": begun}
        conn.execute(insert(uploads).values(id="u", created_at=now() - 3 * DAY, **row, **sizes))

    hub.write(add)
    assert cli.ok("gc", "--dry-run")["left"]["uploads"]["due"] == {"count": 1, "bytes": 9}
    assert cli.ok("gc")["freed"]["uploads"] == {"count": 1, "bytes": None}


def test_stats_count_each_xorb_once(cli: Commands, hub: TestHub, shelf: Shelf):
    xorb, file = chunked(shelf)
    half = shelf.file("alice/d", [xorb.term(0, 1)])
    whole(hub)
    size = len(xorb.body)
    found = cli.ok("stats")
    logical = len(file.content) + len(half.content) + len(WHOLE)
    assert found["logical"] == {"files": 3, "bytes": logical}
    assert found["stored"]["bytes"] == size + len(WHOLE)
    assert found["stored"]["xorbs"] == {"count": 1, "bytes": size}
    assert found["savedBytes"] == logical - size - len(WHOLE)
    assert found["chunked"] == {
        "files": 2,
        "bytes": len(file.content) + len(half.content),
        "storedBytes": size,
    }
    first, second = found["largest"]
    assert (first["repo"], first["stored"]["bytes"]) == ("alice/m", size + len(WHOLE))
    assert (second["type"], second["logical"]) == (
        "dataset",
        {"files": 1, "bytes": len(half.content)},
    )
    assert len(cli.ok("stats", "--top", "1")["largest"]) == 1
    shown = cli.run("stats").stdout
    assert "alice/m" in shown
    assert "Stored:" in shown


def test_commands_over_an_empty_hub(tmp_path: Path, sqlite_url: str):
    cli = Commands(sqlite_url, str(tmp_path / "hub"))
    assert cli.ok("stats")["logical"] == {"files": 0, "bytes": 0}
    assert cli.ok("verify")["read"] == {"count": 0, "bytes": 0}
    assert cli.ok("gc")["freed"]["xorbs"] == {"count": 0, "bytes": 0}
    for command in ("stats", "verify", "gc"):
        assert cli.run(command).exit_code == 0


def test_the_epoch_is_renewed(cli: Commands, hub: TestHub, shelf: Shelf):
    def address() -> str:
        answer = hub.get(
            "/api/models/alice/m/xet-read-token/main",
            token=hub.tokens.alice,
        )
        return answer.json()["casUrl"]

    before = address()
    epoch = cli.ok("xet", "renew-epoch")["epoch"]
    assert address() != before
    assert address().endswith(f"/cas/{epoch}")
    assert f"/cas/{epoch}" not in cli.run("xet", "renew-epoch").stdout

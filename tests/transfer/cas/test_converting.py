# SPDX-License-Identifier: Apache-2.0
"""Files that came by git-lfs turned into chunks, by the real hf_xet over a live hub."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from sqlalchemy import Connection, Row, insert, select, update

from hubkeep.blobs import whole_key
from hubkeep.db import Database
from hubkeep.db.tables import accounts, files, hub, repo_files, repos
from tests.harness.hub import LiveHub, program_env, running_hub, seed_folder

HF = Path(sys.executable).parent / "hf"
OLD = 4 << 20
NEW = OLD + 1000


def relatives() -> dict[str, bytes]:
    """A file, and a version of it with something inserted and something changed."""
    random = Random(7)
    old = random.randbytes(OLD)
    inserted = old[: 1 << 20] + random.randbytes(1000) + old[1 << 20 :]
    new = bytearray(inserted)
    new[3 << 20 : (3 << 20) + 100] = random.randbytes(100)
    return {"old.bin": old, "new.bin": bytes(new), "small.bin": random.randbytes(65535)}


class Converting:
    """A live hub, whose job worker runs when it is told to."""

    def __init__(self, live: LiveHub, folder: Path) -> None:
        self.live = live
        self.folder = folder
        port = str(urlsplit(live.url).port)
        self.env = {**program_env(), "HUBKEEP_PORT": port, "HUBKEEP_DATA": str(live.data)}

    def hubkeep(self, *words: str, **settings: str) -> str:
        """Run a command of the hub's; return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "hubkeep", *words],
            env={**self.env, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + (done.stderr if words[0] == "worker" else "")

    def convert(self) -> str:
        """Run what is due, with converting on; return what is logged."""
        again = update(hub).where(hub.c.name == "periodic:cas.convert-files").values(value="0")
        self.write(again)
        return self.hubkeep("worker", "--once", HUBKEEP_XET_CONVERT="true")

    def stored(self) -> dict[str, Any]:
        return json.loads(self.hubkeep("stats", "--json"))["stored"]

    def hf(self, *words: str, home: str = "home", **env: str) -> None:
        """Run the stock client."""
        settings = {**os.environ, "HF_ENDPOINT": self.live.url, "HF_TOKEN": self.live.token}
        settings |= {"HF_HOME": str(self.folder / home), "HF_HUB_DISABLE_TELEMETRY": "1"}
        done = subprocess.run(
            [HF, *words], env={**settings, **env}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def rows(self) -> dict[str, Row]:
        """What the database says of files, by sha256."""
        with closing(Database(self.live.database_url)) as db:
            found = db.read_now(lambda conn: conn.execute(select(files)).all())
        return {row.sha256.hex(): row for row in found}

    def write(self, statement: Any) -> None:
        with closing(Database(self.live.database_url)) as db:
            db.write_now(lambda conn: conn.execute(statement))


@pytest.fixture
def converting(tmp_path: Path) -> Iterator[Converting]:
    """A hub where alice has pushed the relatives to `alice/m` without Xet."""
    data = tmp_path / "hub"
    seed_folder(data)
    with running_hub(data, "--no-job-worker") as live:
        made = Converting(live, tmp_path)
        pushed = tmp_path / "pushed"
        pushed.mkdir()
        for name, content in relatives().items():
            (pushed / name).write_bytes(content)
        made.hf("upload", "alice/m", str(pushed), HF_HUB_DISABLE_XET="1")
        yield made


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_relatives_share_chunks_and_are_the_same_for_everybody(converting: Converting):
    contents = relatives()
    before = converting.stored()
    assert before["bytes"] == sum(map(len, contents.values()))

    converting.convert()
    rows = converting.rows()
    assert set(rows) == {sha(content) for content in contents.values()}
    for name in ("old.bin", "new.bin"):
        row = rows[sha(contents[name])]
        assert (row.whole, row.xet_hash is not None, row.spare_since is not None) == (
            False,
            True,
            True,
        )
    assert rows[sha(contents["small.bin"])].xet_hash is None
    read_back(converting, contents, "just converted")

    # Their whole copies are kept for a few days.
    converting.write(update(files).values(spare_since=files.c.spare_since - 4 * 86_400_000))
    converting.hubkeep("gc")
    after = converting.stored()
    assert after["spare"]["count"] == 0
    assert after["whole"]["bytes"] == len(contents["small.bin"])
    assert after["bytes"] < 0.6 * before["bytes"]
    read_back(converting, contents, "copies gone")
    assert json.loads(converting.hubkeep("verify", "--json"))["damaged"] == []

    # Nothing is left to do.
    converting.convert()
    assert converting.stored() == after


def read_back(converting: Converting, contents: dict[str, bytes], when: str) -> None:
    """All files come as they were: by Xet, without it, plain, and by git-lfs, under their oids."""
    for way, env in (("xet", {}), ("plain", {"HF_HUB_DISABLE_XET": "1"})):
        folder = converting.folder / f"{way} {when}"
        where = ("--local-dir", str(folder))
        converting.hf("download", "alice/m", *where, home=f"home {way} {when}", **env)
        assert {name: (folder / name).read_bytes() for name in contents} == contents
    url = converting.live.url
    tree = httpx.get(f"{url}/api/models/alice/m/tree/main").json()
    assert {one["path"]: one["lfs"]["oid"] for one in tree if "lfs" in one} == {
        name: sha(content) for name, content in contents.items()
    }
    wanted = [{"oid": sha(one), "size": len(one)} for one in contents.values()]
    body = {"operation": "download", "objects": wanted}
    answer = httpx.post(f"{url}/alice/m.git/info/lfs/objects/batch", json=body).json()
    for one in answer["objects"]:
        content = httpx.get(one["actions"]["download"]["href"]).content
        assert sha(content) == one["oid"]


def test_relatives_of_somebody_else_share_nothing_and_are_no_obstacle(converting: Converting):
    """What the engine remembers of one user's chunks, the other must not build on."""
    whose = {name: converting.rows()[sha(content)].id for name, content in relatives().items()}

    def give_to_bob(conn: Connection) -> None:
        bob = conn.execute(select(accounts.c.id).where(accounts.c.name == "bob")).scalar_one()
        row = {"type": "model", "path": "bob/m", "path_key": "bob/m", "private": True}
        row |= {"public_id": "b" * 24, "owner_id": bob, "created_at": 0, "last_modified": 0}
        (made,) = conn.execute(insert(repos).values(**row)).inserted_primary_key
        conn.execute(update(repos).values(private=True))
        link = update(repo_files).where(repo_files.c.file_id == whose["new.bin"])
        conn.execute(link.values(repo_id=made, pushed_by=bob))

    with closing(Database(converting.live.database_url)) as db:
        db.write_now(give_to_bob)
    converting.convert()

    rows = converting.rows()
    for name in ("old.bin", "new.bin"):
        assert rows[sha(relatives()[name])].xet_hash is not None
    stored = converting.stored()["xorbs"]["bytes"]
    assert stored > 1.9 * OLD


def test_a_damaged_file_is_left_as_it_is(converting: Converting):
    content = relatives()["old.bin"]
    path = converting.live.data / "blobs" / "blobs" / whole_key(sha(content))
    spoiled = bytearray(content)
    spoiled[100] ^= 1
    path.chmod(0o600)
    path.write_bytes(spoiled)
    said = converting.convert()
    assert f"the file {sha(content)} is not turned into chunks: its bytes" in said
    rows = converting.rows()
    assert set(rows) == {sha(one) for one in relatives().values()}
    row = rows[sha(content)]
    assert (row.whole, row.xet_hash) == (True, None)


def test_it_is_off_unless_it_is_asked_for(converting: Converting):
    converting.hubkeep("worker", "--once")
    assert all(row.whole and row.xet_hash is None for row in converting.rows().values())

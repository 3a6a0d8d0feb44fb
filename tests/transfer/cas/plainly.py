# SPDX-License-Identifier: Apache-2.0
"""Files that are stored as chunks, read by who knows nothing of chunks."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
from sqlalchemy import Connection, insert, select, update

from hubkeep.db import Database
from hubkeep.db.tables import file_terms, file_xorbs, files, repo_files, xorbs
from hubkeep.xet.chunks import Scheme
from hubkeep.xet.hashes import Merkle
from hubkeep.xet.shard import Term, pack_terms
from tests.harness.hub import TestHub
from tests.transfer.cas.shelf import File, Shelf, Xorb, link


@dataclass(frozen=True)
class Plain:
    """A file of alice/m that is stored as chunks alone, at its address for git-lfs."""

    hub: TestHub
    path: str
    content: bytes

    def get(self, headers: dict[str, str] | None = None, method: str = "GET") -> httpx.Response:
        return self.hub.request(method, self.path, headers=headers)

    def part(self, start: int, end: int) -> httpx.Response:
        """GET the bytes [start, end), which are some."""
        return self.get({"Range": f"bytes={start}-{end - 1}"})


def named(db: Database, file: File) -> dict[str, Any]:
    """Make the hub know a file's sha256, as it does once it has checked it; as batches name it."""
    oid = hashlib.sha256(file.content).digest()

    def work(conn: Connection) -> None:
        conn.execute(update(files).where(files.c.id == file.id).values(sha256=oid))
        conn.execute(update(repo_files).where(repo_files.c.file_id == file.id).values(oid=oid))

    db.write_now(work)
    return {"oid": oid.hex(), "size": len(file.content)}


def plain(hub: TestHub, file: File) -> Plain:
    """Ask for a file as git-lfs does."""
    objects = [named(hub.app.db, file)]
    body = {"operation": "download", "objects": objects, "hash_algo": "sha256"}
    answer = hub.post("/alice/m.git/info/lfs/objects/batch", json=body).json()
    href = answer["objects"][0]["actions"]["download"]["href"]
    assert href.startswith("http://127.0.0.1:8080/lfs/objects/")
    return Plain(hub, urlsplit(href).path, file.content)


def random_file(shelf: Shelf, seed: int, terms: int = 20, *, row_terms: int = 1024) -> File:
    """Store a file of runs of chunks here and there, some of them used twice, in all schemes."""
    random = Random(seed)
    stored = [
        shelf.xorb([_chunk(random) for _ in range(random.randint(1, 9))], scheme)
        for scheme in (*Scheme, *random.choices(list(Scheme), k=4))
    ]
    return shelf.file("alice/m", [_term(random, stored) for _ in range(terms)], row_terms)


def repeated(shelf: Shelf, repo: str, xorb: Xorb, times: int) -> dict[str, Any]:
    """Store a large file of one xorb over and over, never in memory; as batches name it."""
    sha256, tree = hashlib.sha256(), Merkle()
    whole = xorb.term(0, len(xorb.chunks))
    for _ in range(times):
        tree.add_chunks(xorb.index.hashes, map(len, xorb.chunks))
        for chunk in xorb.chunks:
            sha256.update(chunk)
    oid, size = sha256.digest(), whole.raw_size * times

    def work(conn: Connection) -> None:
        row = {"sha256": oid, "xet_hash": tree.file_hash(), "size": size, "whole": False}
        made = conn.execute(insert(files).values(**row, created_at=0))
        of_file = {"file_id": made.inserted_primary_key[0]}
        terms = pack_terms([whole] * times)
        conn.execute(insert(file_terms).values(**of_file, raw_start=0, terms=terms))
        conn.execute(insert(file_xorbs).values(**of_file, xorb_id=xorb.id))
        link(conn, repo, of_file["file_id"])
        linked = repo_files.c.file_id == of_file["file_id"]
        conn.execute(update(repo_files).where(linked).values(oid=oid))

    shelf.db.write_now(work)
    return {"oid": oid.hex(), "size": size}


def _chunk(random: Random) -> bytes:
    kind = random.randrange(3)
    if kind == 0:
        return random.randbytes(random.randint(1, 2000))
    if kind == 1:
        return bytes([random.randrange(256)]) * random.randint(1, 3000)
    return b"".join(random.randbytes(3) + b"\x3c" for _ in range(random.randint(1, 500)))


def _term(random: Random, stored: Sequence[Xorb]) -> Term:
    xorb = random.choice(stored)
    start = random.randrange(len(xorb.chunks))
    return xorb.term(start, random.randint(start + 1, len(xorb.chunks)))


def damaged_at(shelf: Shelf, xorb: Xorb) -> int | None:
    """Since when the hub knows that a xorb is damaged."""
    query = select(xorbs.c.damaged_at).where(xorbs.c.id == xorb.id)
    return shelf.db.read_now(lambda conn: conn.execute(query).scalar_one())

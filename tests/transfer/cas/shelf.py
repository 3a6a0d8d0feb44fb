# SPDX-License-Identifier: Apache-2.0
"""Xorbs and files put straight into a hub's stores, as uploads would leave them."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from sqlalchemy import Connection, insert, select, update

from hubkeep.blobs import BlobStore, xorb_key
from hubkeep.db import Database
from hubkeep.db.tables import file_terms, file_xorbs, files, repo_files, repos, xorb_chunks, xorbs
from hubkeep.identity.actor import Actor
from hubkeep.identity.queries import account
from hubkeep.kit.ids import new_id
from hubkeep.transfer.cas.access import sign_token
from hubkeep.transfer.cas.queries_epoch import current_epoch
from hubkeep.xet.chunks import Scheme
from hubkeep.xet.hashes import Merkle, to_text
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.shard import Term, pack_terms
from hubkeep.xet.xorb import encode_xorb, read_xorb
from tests.harness.hub import TestHub

Put = Callable[[str, bytes], None]


@dataclass
class Xorb:
    """A stored xorb: its bytes as stored, and its chunks."""

    id: int
    name: bytes
    body: bytes
    index: XorbIndex
    chunks: Sequence[bytes]

    def term(self, start: int, end: int) -> Term:
        return Term(self.name, start, end, sum(map(len, self.chunks[start:end])))


@dataclass
class File:
    """A stored file; `hash` is as addresses write it."""

    id: int
    hash: str
    content: bytes


@dataclass
class Shelf:
    """What a hub has stored in chunks."""

    db: Database
    put: Put
    xorbs: dict[bytes, Xorb] = field(default_factory=dict)

    def xorb(self, chunks: Sequence[bytes], scheme: Scheme = Scheme.LZ4) -> Xorb:
        """Store a xorb of these chunks."""
        body = encode_xorb(chunks, scheme)
        name, index = read_xorb(body)
        if name in self.xorbs:
            return self.xorbs[name]
        self.put(xorb_key(to_text(name)), body)

        def work(conn: Connection) -> int:
            row = {"size": len(body), "raw_size": index.raw_size, "chunks": index.count}
            made = conn.execute(insert(xorbs).values(hash=name, ready=True, created_at=0, **row))
            (xorb_id,) = made.inserted_primary_key
            arrays = {"ends": index.ends, "hashes": index.hashes}
            conn.execute(insert(xorb_chunks).values(xorb_id=xorb_id, **arrays))
            return xorb_id

        self.xorbs[name] = Xorb(self.db.write_now(work), name, body, index, list(chunks))
        return self.xorbs[name]

    def file(self, repo: str, terms: Sequence[Term], row_terms: int = 1024) -> File:
        """Store a file of these terms and link it to a repository."""
        tree, content = Merkle(), bytearray()
        for term in terms:
            of = self.xorbs[term.xorb]
            some = of.chunks[term.start : term.end]
            tree.add_chunks(of.index.hashes_of(term.start, term.end), map(len, some))
            content += b"".join(some)
        name = tree.file_hash()

        def work(conn: Connection) -> int:
            known = select(files.c.id).where(files.c.xet_hash == name)
            file_id = conn.execute(known).scalar()
            if file_id is None:
                row = {"xet_hash": name, "size": len(content), "whole": False, "created_at": 0}
                (file_id,) = conn.execute(insert(files).values(**row)).inserted_primary_key
                self._add_terms(conn, file_id, terms, row_terms)
                link(conn, repo, file_id)
            return file_id

        return File(self.db.write_now(work), to_text(name), bytes(content))

    def _add_terms(
        self, conn: Connection, file_id: int, terms: Sequence[Term], row_terms: int
    ) -> None:
        at = 0
        for first in range(0, len(terms), row_terms):
            some = terms[first : first + row_terms]
            row = {"file_id": file_id, "raw_start": at, "terms": pack_terms(some)}
            conn.execute(insert(file_terms).values(**row))
            at += sum(term.raw_size for term in some)
        for name in {term.xorb for term in terms}:
            row = {"file_id": file_id, "xorb_id": self.xorbs[name].id}
            conn.execute(insert(file_xorbs).values(**row))

    def key(self, xorb: Xorb) -> str:
        """Where the blob store has it."""
        return xorb_key(to_text(xorb.name))

    def change_xorb(self, xorb: Xorb, **columns: object) -> None:
        """Change the row of a xorb."""
        change = update(xorbs).where(xorbs.c.id == xorb.id).values(**columns)
        self.db.write_now(lambda conn: conn.execute(change))

    def random(self, seed: int, xorbs: int, most: int = 6, size: int = 60) -> list[Xorb]:
        """Store xorbs of a few small chunks each, in any scheme."""
        random = Random(seed)
        return [
            self.xorb(
                [
                    random.randbytes(random.randrange(1, size))
                    for _ in range(random.randint(1, most))
                ],
                random.choice(list(Scheme)),
            )
            for _ in range(xorbs)
        ]


def shelf_of(hub: TestHub) -> Shelf:
    """The shelf of a hub in this process."""

    def put(key: str, body: bytes) -> None:
        assert hub.client.portal is not None
        hub.client.portal.call(put_blob, hub.app.blobs, key, body)

    return Shelf(hub.app.db, put)


async def put_blob(blobs: BlobStore, key: str, body: bytes, replace: bool = False) -> None:
    """Store a blob."""

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    await blobs.put(key, pieces(), size=len(body), sha256=None, replace=replace)


def link(conn: Connection, repo: str, file_id: int) -> None:
    """Link a file to a repository."""
    row = {"repo_id": repo_id(conn, repo), "file_id": file_id, "public_id": new_id()}
    conn.execute(insert(repo_files).values(**row, oid=bytes(32), pushed_at=0))


def repo_id(conn: Connection, repo: str) -> int:
    return conn.execute(select(repos.c.id).where(repos.c.path == repo)).scalar_one()


def token_for(hub: TestHub, user: str | None, repo: str, *, may_write: bool = False) -> str:
    """A token for the chunk store, as the hub gives it to this user."""

    def work(conn: Connection) -> tuple[Actor, int, str]:
        actor = Actor(account(conn, user)) if user else Actor()
        return actor, repo_id(conn, repo), current_epoch(conn)

    actor, repo_of, epoch = hub.read(work)
    return sign_token(hub.app, actor, repo_of, epoch, may_write=may_write)

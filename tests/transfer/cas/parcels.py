# SPDX-License-Identifier: Apache-2.0
"""Shards as clients send them, and what came of them."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
from sqlalchemy import Connection, insert, select
from starlette.types import Message

from hubkeep.blobs import xorb_key
from hubkeep.db.tables import file_terms, files, repo_files, xorb_chunks, xorb_senders, xorbs
from hubkeep.xet.hashes import Merkle, range_hash, to_text
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.shard import Term
from hubkeep.xet.xorb import read_xorb
from tests.transfer.cas.world import Store, Xorb
from tests.transfer.town import Town
from tests.xet.made import file_block, shard, xorb_block

Cut = tuple[Xorb, int, int]
"""A xorb, and which of its chunks."""


@dataclass(frozen=True)
class Sent:
    """A file as a client cuts it, to be put into a shard."""

    content: bytes
    hash: bytes
    terms: Sequence[Term]
    checks: Sequence[bytes]

    @property
    def name(self) -> str:
        """Its hash as it stands in addresses."""
        return to_text(self.hash)

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.content).digest()

    def block(self, claim: bytes | None = None, **spoilt: object) -> bytes:
        """What a shard says of it; by default with its true sha256, and nothing `spoilt`."""
        parts = {"name": self.hash, "terms": self.terms, "checks": self.checks, **spoilt}
        return file_block(**parts, sha256=claim or self.sha256)

    @property
    def nameless(self) -> bytes:
        """What a shard says of it without a sha256."""
        return file_block(self.hash, self.terms, self.checks)


def index_of(xorb: Xorb) -> XorbIndex:
    return read_xorb(xorb.body)[1]


def made_of(*cuts: Cut) -> Sent:
    """The file that consists of these chunks."""
    tree = Merkle()
    content, terms, checks = bytearray(), [], []
    for xorb, start, end in cuts:
        index = index_of(xorb)
        hashes, sizes = index.hashes_of(start, end), index.raw_sizes(start, end)
        tree.add_chunks(hashes, sizes)
        terms.append(Term(xorb.hash, start, end, sum(sizes)))
        checks.append(range_hash(hashes))
        content += b"".join(xorb.chunks[start:end])
    return Sent(bytes(content), tree.file_hash(), terms, checks)


def whole(xorb: Xorb) -> Sent:
    """The file that consists of all chunks of a xorb."""
    return made_of((xorb, 0, len(xorb.chunks)))


def listed(xorb: Xorb) -> bytes:
    """What a shard says of a xorb."""
    return xorb_block(xorb.hash, index_of(xorb))


def parcel(*sent: Sent | bytes, xorbs: Sequence[Xorb] = ()) -> bytes:
    """A shard of files, each as it is or as a block that is spoilt."""
    blocks = [one if isinstance(one, bytes) else one.block() for one in sent]
    return shard(blocks, [listed(xorb) for xorb in xorbs])


async def post(store: Store, body: bytes, way: str = "v1") -> httpx2.Response:
    """Send a shard."""
    return await store.call("POST", f"/{way}/shards", content=body)


async def listen(store: Store, body: bytes, hear: Callable[[bytes], None]) -> None:
    """Send a shard to v2 and hear each line as it is told; who raises has hung up."""
    arriving: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    hung_up = asyncio.Event()

    async def receive() -> Message:
        if arriving:
            return arriving.pop()
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message.get("body"):
            try:
                hear(message["body"])
            except ConnectionError:
                hung_up.set()
                await asyncio.Event().wait()  # as a socket that nobody reads

    path = urlsplit(store.url + "/v2/shards").path
    headers = [(name.lower().encode(), value.encode()) for name, value in store.headers.items()]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "headers": headers, "scheme": "http"}
    await store.town.hub(scope, receive, send)


def events(answer: httpx2.Response) -> list[dict[str, object]]:
    """What a v2 answer tells, line by line."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.text.endswith("\n")
    return [json.loads(line) for line in answer.text.splitlines()]


def claims(town: Town, repo: str) -> dict[str, bytes | None]:
    """What a repository holds in chunks: Xet hash, and the sha256 that it knows the file by."""
    query = (
        select(files.c.xet_hash, repo_files.c.oid)
        .join(repo_files, repo_files.c.file_id == files.c.id)
        .where(repo_files.c.repo_id == town.ids[repo], files.c.xet_hash.is_not(None))
    )
    rows = town.app.db.read_now(lambda conn: conn.execute(query).all())
    return {to_text(row.xet_hash): row.oid for row in rows}


def file_row(town: Town, sent: Sent):
    """What the database says of a file."""
    query = select(files).where(files.c.xet_hash == sent.hash)
    return town.app.db.read_now(lambda conn: conn.execute(query).first())


def stored_terms(town: Town, sent: Sent) -> list[tuple[int, int]]:
    """Where each row of a file's terms begins, and how many it has."""
    query = (
        select(file_terms.c.raw_start, file_terms.c.terms)
        .join(files, files.c.id == file_terms.c.file_id)
        .where(files.c.xet_hash == sent.hash)
        .order_by(file_terms.c.raw_start)
    )
    rows = town.app.db.read_now(lambda conn: conn.execute(query).all())
    return [(row.raw_start, len(row.terms) // 44) for row in rows]


async def keep(town: Town, user: str, *sent: Xorb) -> None:
    """Store xorbs as if this user had sent them."""
    for xorb in sent:

        async def body(content: bytes = xorb.body):
            yield content

        await town.app.blobs.put(xorb_key(xorb.name), body(), size=None, sha256=None)
        index = index_of(xorb)
        row = {"hash": xorb.hash, "size": len(xorb.body), "raw_size": index.raw_size}
        row |= {"chunks": index.count, "ready": True, "unlinked_at": town.time(), "created_at": 0}

        def work(conn: Connection, index: XorbIndex = index, row: dict = row) -> None:
            (xorb_id,) = conn.execute(insert(xorbs).values(**row)).inserted_primary_key
            chunks = {"xorb_id": xorb_id, "ends": index.ends, "hashes": index.hashes}
            conn.execute(insert(xorb_chunks).values(**chunks))
            conn.execute(insert(xorb_senders).values(xorb_id=xorb_id, user_id=town.ids[user]))

        town.app.db.write_now(work)

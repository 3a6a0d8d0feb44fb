# SPDX-License-Identifier: Apache-2.0
"""Xorbs and files as uploads leave them, put into a hub without any upload."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from random import Random

from sqlalchemy import Connection, insert, select, update

from hubkeep.blobs import xorb_key
from hubkeep.db.tables import file_terms, file_xorbs, files, xorb_chunks, xorbs
from hubkeep.transfer.cas.queries_collecting import StoredXorb
from hubkeep.transfer.queries import link_files
from hubkeep.transfer.queries_files import unlink_files
from hubkeep.xet.chunks import Scheme
from hubkeep.xet.hashes import Merkle, to_text
from hubkeep.xet.shard import Term, pack_terms
from hubkeep.xet.xorb import encode_xorb, read_xorb
from tests.transfer.town import Town


def chunks_of(seed: int, count: int = 4, size: int = 3000) -> list[bytes]:
    """Some chunks, different for each seed, that compress a little."""
    random = Random(seed)
    return [random.randbytes(size) + bytes(200) for _ in range(count)]


def body_of(chunks: Sequence[bytes], scheme: Scheme = Scheme.NONE) -> tuple[bytes, bytes]:
    """The name of a xorb of these chunks, and its bytes."""
    body = encode_xorb(chunks, scheme)
    return read_xorb(body)[0], body


def key_of(xorb: bytes) -> str:
    return xorb_key(to_text(xorb))


async def put_bytes(town: Town, key: str, content: bytes) -> None:
    """Put a blob there, over what is there."""

    async def body() -> AsyncIterator[bytes]:
        yield content

    await town.app.blobs.put(key, body(), size=len(content), sha256=None, replace=True)


async def put_xorb(town: Town, chunks: Sequence[bytes], scheme: Scheme = Scheme.NONE) -> bytes:
    """Store a xorb that no file has yet, as an upload does, and return its name."""
    name, body = body_of(chunks, scheme)
    index = read_xorb(body)[1]

    def add(conn: Connection) -> None:
        sizes = {"size": len(body), "raw_size": index.raw_size, "chunks": index.count}
        times = {"created_at": town.time(), "unlinked_at": town.time()}
        made = conn.execute(insert(xorbs).values(hash=name, ready=True, **sizes, **times))
        row = {"xorb_id": made.inserted_primary_key[0], "ends": index.ends}
        conn.execute(insert(xorb_chunks).values(hashes=index.hashes, **row))

    await put_bytes(town, key_of(name), body)
    town.app.db.write_now(add)
    return name


def put_file(
    town: Town, repo: str, parts: Sequence[tuple[bytes, Sequence[bytes], int, int]]
) -> tuple[int, bytes]:
    """Link a file of runs of chunks: xorb, its chunks, from, up to. Return its id and bytes."""
    content = b"".join(b"".join(chunks[start:end]) for _, chunks, start, end in parts)
    tree = Merkle()
    terms = []
    for name, chunks, start, end in parts:
        for chunk in chunks[start:end]:
            tree.add(read_xorb(encode_xorb([chunk], Scheme.NONE))[0], len(chunk))
        terms.append(Term(name, start, end, sum(map(len, chunks[start:end]))))

    def add(conn: Connection) -> int:
        sha256 = hashlib.sha256(content).digest()
        made = conn.execute(
            insert(files).values(
                sha256=sha256,
                size=len(content),
                created_at=town.time(),
                xet_hash=tree.file_hash(),
                whole=False,
            )
        )
        file_id = made.inserted_primary_key[0]
        conn.execute(
            insert(file_terms).values(file_id=file_id, raw_start=0, terms=pack_terms(terms))
        )
        for name in {name for name, *_ in parts}:
            xorb_id = conn.execute(select(xorbs.c.id).where(xorbs.c.hash == name)).scalar_one()
            conn.execute(insert(file_xorbs).values(file_id=file_id, xorb_id=xorb_id))
            conn.execute(update(xorbs).where(xorbs.c.id == xorb_id).values(unlinked_at=None))
        owner = town.ids[repo.partition("/")[0]]
        link_files(conn, town.ids[repo], owner, {file_id: sha256}, town.time())
        return file_id

    return town.app.db.write_now(add), content


def let_go(town: Town, repo: str, file_id: int) -> None:
    """Take a file from a repository."""
    town.app.db.write_now(lambda conn: unlink_files(conn, town.ids[repo], [file_id], town.time()))


def known_xorbs(town: Town) -> set[bytes]:
    """The xorbs that have a row."""
    return town.app.db.read_now(lambda conn: set(conn.execute(select(xorbs.c.hash)).scalars()))


def column(town: Town, name: str, hash: bytes) -> object:  # noqa: A002 -- what it is
    """What a column says of a xorb."""
    query = select(xorbs.c[name]).where(xorbs.c.hash == hash)
    return town.app.db.read_now(lambda conn: conn.execute(query).scalar_one())


async def stored_xorbs(town: Town) -> list[StoredXorb]:
    """The xorbs that have bytes in the store."""
    return [StoredXorb(one.key.encode(), one.size) async for one in town.app.blobs.keys("xorbs")]


def spoil(path: Path, change: Callable[[bytearray], object]) -> None:
    """Change a file of the store behind its back."""
    content = bytearray(path.read_bytes())
    change(content)
    path.chmod(0o600)
    path.write_bytes(content)

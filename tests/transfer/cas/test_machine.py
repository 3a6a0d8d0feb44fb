# SPDX-License-Identifier: Apache-2.0
"""Uploads, deletions, time and collecting in any order, and in the middle of each other.

Whatever happens: a file that a repository holds is there byte for byte; a client that builds on
what it has sent within 21 days is not refused; and in the end nothing is left of what is deleted.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Select, delete, select, update

from hubkeep.blobs import BlobStore, whole_key, xorb_key
from hubkeep.db import Database
from hubkeep.db.tables import (
    file_terms,
    file_xorbs,
    files,
    metadata,
    repo_files,
    repos,
    xorb_chunks,
    xorbs,
)
from hubkeep.errors import HubError
from hubkeep.kit.time import DAY
from hubkeep.repos.jobs import purge_deleted
from hubkeep.repos.types import DELETED
from hubkeep.transfer.cas.checking import check_files
from hubkeep.transfer.cas.collecting import collect_xorbs, find_stray_xorbs
from hubkeep.transfer.jobs import collect_files, drop_spare_copies, find_orphans
from hubkeep.transfer.queries import WantedFile, link_for_commit
from hubkeep.transfer.queries_files import unlink_files
from hubkeep.xet.chunks import Scheme, decode_chunks
from hubkeep.xet.hashes import to_text
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.shard import unpack_terms
from tests.transfer.cas.parcels import Sent, made_of, parcel, post
from tests.transfer.cas.world import Store, Xorb, make_xorb, store_of
from tests.transfer.town import Town, town_at

CHUNKS = [bytes([number]) * 50 + b"chunk" for number in range(6)]
USERS = ("ann", "bob")
REMEMBERED = 21 * DAY
LONGEST_SESSION = DAY

# Xorbs that share chunks, one of them in two encodings; files that are made of one or several.
XORBS = [
    make_xorb(CHUNKS[0:3]),
    make_xorb(CHUNKS[0:3], Scheme.NONE),
    make_xorb(CHUNKS[2:5]),
    make_xorb(CHUNKS[0:6]),
]
FILES: list[tuple[Sent, tuple[Xorb, ...]]] = [
    (made_of((XORBS[0], 0, 3)), (XORBS[0],)),
    (made_of((XORBS[3], 0, 3)), (XORBS[3],)),
    (made_of((XORBS[2], 0, 2), (XORBS[0], 1, 2)), (XORBS[0], XORBS[2])),
    (made_of((XORBS[3], 1, 5), (XORBS[2], 0, 3)), (XORBS[2], XORBS[3])),
]

CONTENTS = {sent.hash: sent.content for sent, _ in FILES}

KINDS = (
    *("send", "send", "grant", "shard", "shard", "old shard", "dedup", "lfs", "lend"),
    *("delete", "delete repo", "day", "week", "month", "check", "collect", "collect", "stray"),
)
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 1), st.integers(0, 3)), max_size=40
)

AGAIN_IN_TIME: list[Step] = [
    *(("shard", 0, 0), ("delete", 0, 0), ("week", 0, 0), ("week", 0, 0), ("collect", 0, 0)),
    *(("old shard", 0, 0), ("month", 0, 0), ("collect", 0, 0)),
]
COLLECTED_MEANWHILE: list[Step] = [
    *(("send", 0, 0), ("month", 0, 0), ("send", 1, 0), ("collect", 0, 0), ("month", 0, 0)),
    *(("shard", 0, 0), ("collect", 0, 0), ("collect", 0, 0), ("collect", 0, 0)),
]
ONE_BY_GIT_LFS: list[Step] = [
    *(("lfs", 0, 0), ("shard", 1, 0), ("day", 0, 0), ("check", 0, 0), ("delete", 0, 0)),
    *(("delete", 1, 0), ("week", 0, 0), ("collect", 0, 0), ("shard", 0, 1), ("check", 0, 0)),
]


class Interrupting:
    """A blob store in which something else happens whenever bytes come or go."""

    def __init__(self, inner: BlobStore, happen: Callable[[], Awaitable[None]]) -> None:
        self._inner = inner
        self._happen = happen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def put(self, *args: Any, **how: Any) -> Any:
        await self._happen()
        stored = await self._inner.put(*args, **how)
        await self._happen()
        return stored

    async def read(self, *args: Any) -> bytes:
        await self._happen()
        return await self._inner.read(*args)


@dataclass
class Client:
    """A user with a repository, who remembers when which xorbs were sent or said to be there."""

    user: str
    repo: str
    sent: dict[bytes, int] = field(default_factory=dict)


@dataclass
class Moment:
    """When something began; whether it may fail, since so much happened in the middle of it."""

    town: Town
    client: Client
    at: int
    repo_id: int

    @property
    def is_disturbed(self) -> bool:
        is_gone = self.town.ids[self.client.repo] != self.repo_id
        return is_gone or self.town.time() - self.at > LONGEST_SESSION


@dataclass
class Machine:
    """A hub, two clients, and what is still to happen."""

    town: Town
    left: list[Step]
    clients: list[Client] = field(default_factory=list)
    depth: int = 0
    failure: Exception | None = None

    async def play(self) -> None:
        """Let everything happen, then delete everything."""
        blobs = Interrupting(self.town.app.blobs, self.interrupted)
        self.town.hub._app = replace(self.town.app, blobs=blobs)
        for user in USERS:
            self.clients.append(Client(user, f"{user}/m"))
            self.town.repo(f"{user}/m")
        while self.left:
            await self.happen()
            if self.failure:
                raise self.failure
        await self.end()

    async def interrupted(self) -> None:
        """Something happens in the middle of another; not in the middle of that again."""
        if self.depth == 1:
            await self.happen()

    async def happen(self) -> None:
        if not self.left:
            return
        kind, who, which = self.left.pop(0)
        self.depth += 1
        try:
            await getattr(self, "do_" + kind.replace(" ", "_"))(self.clients[who], which)
            await self.check()
        except Exception as error:
            # In the middle of a request the hub makes a 500 of it.
            self.failure = self.failure or error
            raise
        finally:
            self.depth -= 1

    def now(self, client: Client) -> Moment:
        return Moment(self.town, client, self.town.time(), self.town.ids[client.repo])

    async def store(self, client: Client) -> Store:
        return await store_of(self.town, client.user, client.repo)

    async def do_send(self, client: Client, which: int) -> None:
        await self.send(client, XORBS[which])

    async def send(self, client: Client, xorb: Xorb) -> None:
        began = self.now(client)
        answer = await (await self.store(client)).send(xorb)
        assert answer.status_code == 200 or began.is_disturbed, answer.text
        # A month in the middle of a request is longer than any session: no client counts on that.
        if answer.status_code == 200 and not began.is_disturbed:
            client.sent[xorb.hash] = self.town.time()

    async def do_grant(self, client: Client, which: int) -> None:
        asked = {"length": 9, "checksum": {"algo": "crc64nvme", "value": "1"}}
        path = f"/v1/xorb-grants/default/{XORBS[which].name}"
        answer = await (await self.store(client)).call("POST", path, json=asked)
        assert answer.status_code in (200, 404), answer.text
        if answer.status_code == 200:
            client.sent[XORBS[which].hash] = self.town.time()

    async def do_shard(self, client: Client, which: int) -> None:
        """An upload of a file: the xorbs that are not remembered, and the shard."""
        sent, needed = FILES[which]
        began = self.now(client)
        for xorb in needed:
            if not self.remembers(client, xorb):
                await self.send(client, xorb)
        in_time = all(self.remembers(client, xorb) for xorb in needed)
        answer = await self.post(client, sent, needed)
        assert answer.status_code == 200 or began.is_disturbed or not in_time, answer.text

    async def do_old_shard(self, client: Client, which: int) -> None:
        """A shard of somebody who thinks that all has been sent: refused, or all is well."""
        answer = await self.post(client, *FILES[which])
        assert answer.status_code in (200, 400), answer.text

    async def post(self, client: Client, sent: Sent, needed: Sequence[Xorb]) -> httpx2.Response:
        answer = await post(await self.store(client), parcel(sent, xorbs=needed))
        if answer.status_code == 200:
            client.sent |= {xorb.hash: self.town.time() for xorb in needed}
        return answer

    def remembers(self, client: Client, xorb: Xorb) -> bool:
        return self.town.time() - client.sent.get(xorb.hash, -REMEMBERED) < REMEMBERED

    async def do_dedup(self, client: Client, which: int) -> None:
        """What is told of is needed by a file: so it stays for longer than the answer holds."""
        chunk = to_text(FILES[which][1][0].hashes[0])
        answer = await (await self.store(client)).call("GET", f"/v1/chunks/default/{chunk}")
        assert answer.status_code in (200, 404), answer.text
        if answer.status_code == 200:
            named = [xorb.hash for xorb in XORBS if xorb.hash in answer.content]
            linked = select(xorbs.c.hash).join(file_xorbs, file_xorbs.c.xorb_id == xorbs.c.id)
            assert named
            assert set(named) <= set(self.rows(linked))

    async def do_lfs(self, client: Client, which: int) -> None:
        """The same file by git-lfs."""
        content = FILES[which][0].content
        began = self.now(client)
        actions = await self.town.actions(client.user, client.repo, content, transfers=["basic"])
        if actions is not None:
            answer = await self.town.client.put(actions["upload"]["href"], content=content)
            assert answer.status_code == 200 or began.is_disturbed, answer.text

    async def do_lend(self, client: Client, which: int) -> None:
        """A commit names a file by its sha256; it may be in another repository."""
        sent = FILES[which][0]
        actor, repo = self.town.actor(client.user), self.town.seen(client.user, client.repo)
        wanted = {sent.sha256: WantedFile("f", len(sent.content), "main")}

        def commit(conn: Connection) -> None:
            link_for_commit(conn, repo, actor, wanted, self.town.time())

        try:
            self.town.app.db.write_now(commit)
        except HubError as refused:
            assert refused.status == 503, refused  # noqa: PT017 -- not checked yet

    async def do_delete(self, client: Client, which: int) -> None:
        """Delete a file for good."""
        self.unlink(client, FILES[which][0].sha256)

    async def do_delete_repo(self, client: Client, _which: int) -> None:
        """Delete a repository, have it cleared away, and make it anew."""
        gone = update(repos).where(repos.c.id == self.town.ids[client.repo])
        bury = gone.values(type=DELETED, path_key=str(self.town.ids[client.repo]))
        self.town.app.db.write_now(lambda conn: conn.execute(bury))
        await purge_deleted(self.town.app)
        self.town.repo(client.repo)

    async def do_day(self, *_: object) -> None:
        self.town.time.pass_days(1)

    async def do_week(self, *_: object) -> None:
        self.town.time.pass_days(7.1)

    async def do_month(self, *_: object) -> None:
        self.town.time.pass_days(30.1)

    async def do_check(self, *_: object) -> None:
        """The jobs that compute sha256s, some of which lead to a file that came by git-lfs."""
        unchecked = select(files.c.id).where(files.c.sha256.is_(None))
        assert self.town.hub._app is not None
        await check_files(self.town.hub._app, self.rows(unchecked))

    async def do_collect(self, *_: object) -> None:
        await collect_files(self.town.app)
        await drop_spare_copies(self.town.app)
        await collect_xorbs(self.town.app)

    async def do_stray(self, *_: object) -> None:
        await find_orphans(self.town.app)
        await find_stray_xorbs(self.town.app)

    async def check(self) -> None:
        """Every file that a repository holds is there."""
        held = select(files).where(files.c.id.in_(select(repo_files.c.file_id)))
        for file in self.town.app.db.read_now(lambda conn: conn.execute(held).all()):
            if file.whole:
                content = await self.blob(whole_key(file.sha256.hex()))
                assert hashlib.sha256(content).digest() == file.sha256
            if file.xet_hash is not None:
                assert await self.joined(file.id) == CONTENTS[file.xet_hash]
            assert file.whole or file.xet_hash is not None
            assert file.unlinked_at is None

    async def joined(self, file_id: int) -> bytes:
        """The bytes of a file, from its terms and what is known of chunks."""
        query = select(file_terms.c.terms).where(file_terms.c.file_id == file_id)
        content = b""
        for packed in self.rows(query.order_by(file_terms.c.raw_start)):
            for term in unpack_terms(packed):
                known = (
                    select(xorb_chunks.c.hashes, xorb_chunks.c.ends)
                    .join(xorbs, xorbs.c.id == xorb_chunks.c.xorb_id)
                    .join(file_xorbs, file_xorbs.c.xorb_id == xorbs.c.id)
                    .where(xorbs.c.hash == term.xorb, xorbs.c.ready)
                    .where(xorbs.c.unlinked_at.is_(None), file_xorbs.c.file_id == file_id)
                )
                row = self.town.app.db.read_now(lambda conn, q=known: conn.execute(q).one())
                index = XorbIndex(row.hashes, row.ends)
                body = await self.blob(xorb_key(to_text(term.xorb)))
                span = body[index.stored_offset(term.start) : index.stored_offset(term.end)]
                content += b"".join(decode_chunks(span))
        return content

    async def blob(self, key: str) -> bytes:
        return await self.town.app.blobs.read(key, 0, 1 << 20)

    def rows(self, query: Select) -> Sequence[Any]:
        return self.town.app.db.read_now(lambda conn: conn.execute(query).scalars().all())

    def unlink(self, client: Client, oid: bytes | None = None) -> None:
        """Take files from a repository, those of a sha256 or all."""
        repo_id = self.town.ids[client.repo]
        held = select(repo_files.c.file_id).where(repo_files.c.repo_id == repo_id)
        ids = self.rows(held if oid is None else held.where(repo_files.c.oid == oid))
        self.town.app.db.write_now(lambda conn: unlink_files(conn, repo_id, ids, self.town.time()))

    async def end(self) -> None:
        """Nothing is left of what is deleted, once its time is over."""
        for client in self.clients:
            self.unlink(client)
        await self.do_stray()
        for _ in range(2):
            await self.do_month()
            await self.do_collect()
        assert self.rows(select(files.c.id)) == []
        assert self.rows(select(xorbs.c.id)) == []
        stored = self.town.app.blobs.keys()
        assert [one.key async for one in stored] == []


async def _play(database_url: str, folder: Path, steps: list[Step]) -> None:
    db = Database(database_url)
    db.write_now(_empty)
    db.close()
    async with town_at(database_url, folder) as town:
        await Machine(town, list(steps)).play()


def _empty(conn: Connection) -> None:
    for table in reversed(metadata.sorted_tables):
        conn.execute(delete(table))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
@example(steps=AGAIN_IN_TIME)
@example(steps=COLLECTED_MEANWHILE)
@example(steps=ONE_BY_GIT_LFS)
def test_in_any_order(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
):
    asyncio.run(_play(database_url, tmp_path_factory.mktemp("machine"), steps))

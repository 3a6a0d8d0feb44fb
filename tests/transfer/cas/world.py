# SPDX-License-Identifier: Apache-2.0
"""Clients of the chunk store, who get their tokens as real ones do, and xorbs to send."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
from sqlalchemy import Row, select
from starlette.types import Message

from hubkeep.db.tables import xorbs
from hubkeep.xet.hashes import to_text
from hubkeep.xet.xorb import Scheme, encode_xorb, read_xorb
from tests.transfer.town import Town, as_user


@dataclass(frozen=True)
class Xorb:
    """A xorb as a client sends it."""

    chunks: Sequence[bytes]
    body: bytes
    hash: bytes
    hashes: Sequence[bytes]
    """Of its chunks."""

    @property
    def name(self) -> str:
        """Its hash as it stands in addresses."""
        return to_text(self.hash)


def make_xorb(chunks: Sequence[bytes] | None = None, scheme: Scheme = Scheme.LZ4) -> Xorb:
    """A xorb of these chunks; by default of three that nobody else has."""
    chunks = [os.urandom(9000) for _ in range(3)] if chunks is None else chunks
    body = encode_xorb(chunks, scheme)
    name, index = read_xorb(body)
    hashes = [bytes(index.hashes_of(place, place + 1)) for place in range(len(chunks))]
    return Xorb(chunks, body, name, hashes)


@dataclass
class Store:
    """The chunk store, as a client with a token for one repository sees it."""

    town: Town
    url: str
    """With the epoch: `http://127.0.0.1:8080/cas/0`."""
    token: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def call(self, method: str, path: str, **how: object) -> httpx2.Response:
        """Send a request with the token; `path` begins with `/v1` or `/v2`, `how` is httpx's."""
        headers = {**self.headers, **how.pop("headers", {})}
        return await self.town.client.request(method, self.url + path, headers=headers, **how)

    async def send(self, xorb: Xorb, *, name: str | None = None, **how: object) -> httpx2.Response:
        """POST a xorb, by another name or with another body (`content=`) if they are given."""
        how.setdefault("content", xorb.body)
        return await self.call("POST", f"/v1/xorbs/default/{name or xorb.name}", **how)

    async def upload(self, *sent: Xorb) -> None:
        """POST xorbs, all of which are taken."""
        for xorb in sent:
            answer = await self.send(xorb)
            assert answer.status_code == 200, answer.text

    async def hang_up(self, method: str, path: str, sent: bytes) -> list[Message]:
        """Begin a request, send some of its body, and hang up; return what was answered."""
        arriving: list[Message] = [
            {"type": "http.request", "body": sent, "more_body": True},
            {"type": "http.disconnect"},
        ]
        answered: list[Message] = []

        async def receive() -> Message:
            return arriving.pop(0)

        async def send(message: Message) -> None:
            answered.append(message)

        where = urlsplit(self.url + path).path
        scope = {"type": "http", "method": method, "path": where, "raw_path": where.encode()}
        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        scope |= {"query_string": b"", "headers": headers, "scheme": "http"}
        await self.town.hub(scope, receive, send)
        return answered


async def ask_token(
    town: Town, user: str | None, repo: str, way: str = "write", rev: str | None = "main"
) -> httpx2.Response:
    """Ask for a token to read or write (`way`) a model; `rev` may have a query behind it."""
    path = f"/api/models/{repo}/xet-{way}-token" + (f"/{rev}" if rev is not None else "")
    return await town.client.get(path, headers=as_user(user))


async def store_of(town: Town, user: str | None, repo: str, way: str = "write") -> Store:
    """The chunk store, for who may read or write (`way`) a model."""
    answer = await ask_token(town, user, repo, way)
    assert answer.status_code == 200, answer.text
    given = answer.json()
    return Store(town, given["casUrl"], given["accessToken"])


def row_of(town: Town, xorb: Xorb) -> Row | None:
    """What the database says of a xorb."""
    query = select(xorbs).where(xorbs.c.hash == xorb.hash)
    return town.app.db.read_now(lambda conn: conn.execute(query).first())

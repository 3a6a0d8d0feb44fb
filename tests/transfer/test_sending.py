# SPDX-License-Identifier: Apache-2.0
"""How stored files are sent: ranges, conditions, redirects, nginx, and clients that leave."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import anyio
import httpx2
import msgspec
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from hubkeep import errors
from hubkeep.blobs import whole_key
from hubkeep.errors import HubError
from hubkeep.transfer.sending import Redirect, blob_response
from tests.transfer.town import BASE, Town, sha

pytestmark = pytest.mark.anyio

CONTENT = os.urandom((2 << 20) + 17)
KEY = whole_key(sha(CONTENT))
ETAG = '"abc"'
MODIFIED = "Wed, 21 Oct 2026 07:28:00 GMT"
HEADERS = {"ETag": ETAG, "Last-Modified": MODIFIED, "X-Repo-Commit": "c" * 40}


@pytest.fixture
async def stored(quick_town: Town) -> Town:
    """A town whose store has CONTENT."""

    async def body() -> AsyncIterator[bytes]:
        yield CONTENT

    await quick_town.app.blobs.put(KEY, body(), size=len(CONTENT), sha256=None)
    return quick_town


def sender(town: Town, **options: object):
    """An application that answers everything with CONTENT."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        size = options.get("size", len(CONTENT))
        rest = {name: value for name, value in options.items() if name != "size"}
        try:
            response: Response = await blob_response(
                town.app, request, KEY, size, headers=HEADERS, **rest
            )
        except HubError as error:
            response = errors.render(error)
        await response(scope, receive, send)

    return application


async def ask(
    town: Town, headers: Mapping[str, str] | None = None, method: str = "GET", **options: object
) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=sender(town, **options))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        return await client.request(method, "/", headers=headers)


async def test_a_file_is_sent_whole(stored: Town):
    answer = await ask(stored)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-repo-commit"] == "c" * 40


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-", 5, len(CONTENT)),
        ("bytes=-7", len(CONTENT) - 7, len(CONTENT)),
        ("bytes=1048570-1048590", 1048570, 1048591),
        (f"bytes=10-{10**15}", 10, len(CONTENT)),
    ],
)
async def test_a_range_is_sent_and_head_says_the_same(stored: Town, asked, start, end):
    answer = await ask(stored, {"Range": asked})
    head = await ask(stored, {"Range": asked}, "HEAD")
    assert (answer.status_code, answer.content) == (206, CONTENT[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert answer.headers["content-length"] == str(end - start)
    assert (head.status_code, head.headers, head.content) == (206, answer.headers, b"")


@pytest.mark.parametrize("asked", ["bytes=1-2,5-6", "lines=1-2", "bytes=9-2", "bytes=x-", "-"])
async def test_what_is_no_single_range_gets_everything(stored: Town, asked: str):
    assert (await ask(stored, {"Range": asked})).content == CONTENT


async def test_a_range_outside_is_416(stored: Town):
    for method in ("GET", "HEAD"):
        answer = await ask(stored, {"Range": f"bytes={len(CONTENT)}-"}, method)
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": f'"x", W/{ETAG}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-None-Match": '"x"', "If-Modified-Since": MODIFIED}, 200),
        ({"If-Modified-Since": MODIFIED}, 304),
        ({"If-Modified-Since": "Wed, 21 Oct 2026 07:27:59 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": "Wed, 99 Oct 2026 07:27:59 GMT"}, 200),
        ({"Range": "bytes=0-3", "If-Range": ETAG}, 206),
        ({"Range": "bytes=0-3", "If-Range": MODIFIED}, 206),
        ({"Range": "bytes=0-3", "If-Range": f"W/{ETAG}"}, 200),
        ({"Range": "bytes=0-3", "If-Range": '"old"'}, 200),
        ({"Range": "bytes=99999999-", "If-Range": '"old"'}, 200),
        ({"Range": "bytes=0-3", "If-None-Match": ETAG}, 304),
    ],
)
async def test_conditions_are_honoured(stored: Town, condition: dict[str, str], status: int):
    for method in ("GET", "HEAD"):
        answer = await ask(stored, condition, method)
        assert answer.status_code == status
        assert answer.headers["etag"] == ETAG


async def test_a_store_that_signs_gets_the_client_with_all_headers(
    stored: Town, monkeypatch: pytest.MonkeyPatch
):
    async def signed(_self: object, key: str, **options: object) -> str:
        return f"https://s3.example/{key}?{options['filename']}"

    monkeypatch.setattr(type(stored.app.blobs), "signed_get", signed)
    for method in ("GET", "HEAD"):
        away = await ask(stored, method=method, redirect=Redirect("w.bin"))
        assert (away.status_code, away.headers["x-repo-commit"]) == (302, "c" * 40)
        assert away.headers["location"] == f"https://s3.example/{KEY}?w.bin"
        assert away.headers["etag"] == ETAG
    assert (await ask(stored)).content == CONTENT


async def test_nginx_is_told_where_the_file_lies(stored: Town):
    config = msgspec.structs.replace(stored.app.config, accel_prefix="/_blobs/")
    object.__setattr__(stored.app, "config", config)
    answer = await ask(stored, {"Range": "bytes=0-5"})
    head = await ask(stored, method="HEAD")
    assert (answer.status_code, answer.headers["x-accel-redirect"]) == (200, f"/_blobs/{KEY}")
    assert answer.headers["etag"] == ETAG
    assert (head.headers["content-length"], "x-accel-redirect" in head.headers) == (
        str(len(CONTENT)),
        False,
    )


async def test_head_opens_nothing(stored: Town):
    await stored.app.blobs.delete(KEY)
    assert (await ask(stored, method="HEAD")).status_code == 200
    assert (await ask(stored)).status_code == 404


async def test_bytes_of_another_length_are_not_sent(stored: Town):
    assert (await ask(stored, size=len(CONTENT) + 1)).status_code == 404


async def exchange(town: Town, send: Send, receive: Receive, **scope: object) -> None:
    """Call the sender as a server does."""
    base = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await sender(town)({**base, **scope}, receive, send)


async def leave(town: Town, version: str) -> None:
    """Take the start of the answer and one piece, and go."""
    left = anyio.Event()
    taken: list[Message] = []

    async def send(message: Message) -> None:
        taken.append(message)
        if len(taken) == 2:
            left.set()
            if version == "2.4":
                raise OSError("the client has left")
            await anyio.sleep_forever()  # until the sender hears of it

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    with suppress(ClientDisconnect):
        await exchange(town, send, receive, asgi={"version": "3.0", "spec_version": version})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (None, (200, None)),
        ("bytes=0-", (206, f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}".encode())),
    ],
)
async def test_a_whole_local_file_is_left_to_the_server(stored: Town, asked, said):
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"range", asked.encode())] if asked else []
    await exchange(
        stored, send, receive, headers=headers, extensions={"http.response.pathsend": {}}
    )
    start, path = sent
    assert (start["status"], dict(start["headers"]).get(b"content-range")) == said
    assert path["type"] == "http.response.pathsend"
    assert path["path"] == str(stored.app.blobs.local_path(KEY))


@pytest.mark.parametrize("version", ["2.3", "2.4"])
async def test_a_client_that_leaves_ends_the_reading(
    stored: Town, monkeypatch: pytest.MonkeyPatch, version: str
):
    """Servers say it by a message up to ASGI 2.3, and since then by an error of `send` too."""
    asked, ended = [], []
    opened = type(stored.app.blobs).open

    async def watched(self, key: str, start: int = 0, end: int | None = None):
        try:
            async for piece in opened(self, key, start, end):
                asked.append(len(piece))
                yield piece
        finally:
            ended.append(True)

    monkeypatch.setattr(type(stored.app.blobs), "open", watched)
    await leave(stored, version)
    assert (asked, ended) == ([1 << 20], [True])

# SPDX-License-Identifier: Apache-2.0
"""The one way to send a stored file: whole or a range, by the hub, by nginx, or from S3.

What a client may ask (`Range`, `If-Range`, `If-None-Match`, `If-Modified-Since`) is decided here
against the `ETag` and `Last-Modified` that the caller gives, following RFC 9110, section 13.2.2.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hubkeep import errors
from hubkeep.blobs import BlobMissing, BlobStore
from hubkeep.errors import HubError
from hubkeep.kit.ranges import ByteRange, Unsatisfiable, parse_range

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")

MEDIA_TYPE = "application/octet-stream"
REDIRECT_SECONDS = 24 * 3600
"""How long an address on S3 holds: a client that resumes a long download does not ask us again."""
_READ_AT_ONCE = 1 << 20


class Source(Protocol):
    """Bytes in pieces, to be closed when nobody wants the rest: a generator, for one."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def aclose(self) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Redirect:
    """The client may be sent to S3; with a `filename` the file is an attachment there."""

    filename: str | None = None


async def blob_response(
    app: "App",
    request: Request,
    key: str,
    size: int,
    *,
    headers: Mapping[str, str],
    redirect: Redirect | None = None,
    by_proxy: bool = True,
) -> Response:
    """Return the answer that sends the blob `key` of `size` bytes; to GET and HEAD alike.

    `headers` are on every answer but 416: a redirect too, since clients read a file's metadata from
    the first answer that leads away from the hub. Who may read the blob is for the caller to check.

    With `redirect`, and where the store signs addresses, the answer is 302; with `accel_prefix` set
    nginx sends the file (`docs/deployment.md` says how it keeps these headers); else the hub does,
    in bounded pieces, the whole of a local file by the server itself. HEAD opens nothing. nginx
    keeps the headers that it was set up to keep: without `by_proxy` all of them are sure to arrive.

    Raises 416 for a range outside the file, and not_found if the bytes are not in the store.
    """
    given = MutableHeaders(headers=dict(headers))
    given.setdefault("Accept-Ranges", "bytes")
    if is_unchanged(request, given):
        return Response(status_code=304, headers=given)
    given.setdefault("Content-Type", MEDIA_TYPE)
    # S3 does not know our ETags, so whoever asks with `If-Range` is answered here.
    if redirect is not None and "if-range" not in request.headers:
        away = await app.blobs.signed_get(
            key,
            seconds=REDIRECT_SECONDS,
            filename=redirect.filename,
            content_type=given["Content-Type"],
        )
        if away is not None:
            return Response(status_code=302, headers={**given, "Location": away})
    part = wanted_range(request, given, size)
    if request.method == "HEAD":
        return HeadersOnly(given, size, part)
    if by_proxy and app.config.accel_prefix and app.blobs.local_path(key) is not None:
        prefix = app.config.accel_prefix.rstrip("/")
        return Response(headers={**given, "X-Accel-Redirect": f"{prefix}/{key}"})
    return await stored_response(app.blobs, request, key, size, part, given)


def bytes_response(request: Request, content: bytes, headers: Mapping[str, str]) -> Response:
    """Return the answer that sends bytes at hand, on the same conditions as `blob_response`."""
    given = MutableHeaders(headers=dict(headers))
    given.setdefault("Accept-Ranges", "bytes")
    if is_unchanged(request, given):
        return Response(status_code=304, headers=given)
    part = wanted_range(request, given, len(content))
    status = measure(given, len(content), part)
    return Response(content[part.start : part.end] if part else content, status, given)


async def stored_response(
    blobs: BlobStore,
    request: Request,
    key: str,
    size: int,
    part: ByteRange | None,
    headers: MutableHeaders,
) -> Response:
    """Return the answer by which the hub itself sends a blob of `size` bytes, or a part of it.

    Raises what `check_stored` raises.
    """
    path = blobs.local_path(key)
    span = part or ByteRange(0, size)
    is_whole = span == ByteRange(0, size)
    if not is_whole and span.end - span.start <= _READ_AT_ONCE:
        content = await _piece(blobs, key, span)
        return Response(content, measure(headers, size, part), headers)
    await check_stored(blobs, key, size)
    if is_whole and path is not None and "http.response.pathsend" in _extensions(request):
        return WholeFile(str(path), headers, size, part)
    status = measure(headers, size, part)
    return Pieces(blobs.open(key, span.start, span.end), status, headers)


async def _piece(blobs: BlobStore, key: str, span: ByteRange) -> bytes:
    """A part that is small enough to be read at once, which costs half of what a stream does."""
    length = span.end - span.start
    try:
        content = await blobs.read(key, span.start, length)
    except BlobMissing:
        content = b""
    if len(content) != length:
        raise _not_stored(key, span.end)
    return content


async def check_stored(blobs: BlobStore, key: str, size: int) -> None:
    """Look for a blob before the answer begins, since afterwards no error can be told.

    Raises not_found, with a line in the log, if the store has no such bytes.
    """
    if await blobs.size(key) != size:
        raise _not_stored(key, size)


def _not_stored(key: str, size: int) -> HubError:
    log.error("the store has no blob %s of %d bytes, which a repository refers to", key, size)
    return errors.not_found("The bytes of this file are not in the hub's store")


class Pieces(StreamingResponse):
    """Bytes that pass through this process a piece at a time, no faster than the client takes them.

    The base class stops when the client leaves; the source is closed then, and not whenever the
    garbage collector comes by.
    """

    def __init__(self, pieces: Source, status: int, headers: MutableHeaders) -> None:
        super().__init__(pieces, status, headers)
        self._pieces = pieces

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._pieces):
            await super().stream_response(send)


class HeadersOnly(Response):
    """The answer to HEAD: all that GET would say, and no body."""

    def __init__(self, headers: MutableHeaders, size: int, part: ByteRange | None) -> None:
        status = measure(headers, size, part)
        super().__init__(None, status, headers)


class WholeFile(Response):
    """A local file, sent whole by the server: nothing of it passes through Python.

    `part` is what was asked for, should that have been a range that is all of it. The extension is
    ASGI's: https://asgi.readthedocs.io/en/latest/extensions.html#path-send
    """

    def __init__(
        self, path: str, headers: MutableHeaders, size: int, part: ByteRange | None
    ) -> None:
        super().__init__(None, measure(headers, size, part), headers)
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        await send({"type": "http.response.pathsend", "path": self._path})


def measure(headers: MutableHeaders, size: int, part: ByteRange | None) -> int:
    """Say in the headers what is sent; return the status."""
    if part is None:
        headers["Content-Length"] = str(size)
        return 200
    headers["Content-Length"] = str(part.end - part.start)
    headers["Content-Range"] = part.content_range(size)
    return 206


def wanted_range(request: Request, headers: MutableHeaders, size: int) -> ByteRange | None:
    """The range to send; None for the whole file, also where `If-Range` names another version."""
    condition = request.headers.get("if-range")
    if condition is not None and not _is_this_version(condition, headers):
        return None
    try:
        return parse_range(request.headers.get("range"), size)
    except Unsatisfiable as bad:
        raise errors.unsatisfiable_range(size) from bad


def _is_this_version(condition: str, headers: MutableHeaders) -> bool:
    """Strong comparison, as `If-Range` wants it."""
    condition = condition.strip()
    if condition.startswith("W/"):
        return False
    return condition in (headers.get("etag"), headers.get("last-modified"))


def is_unchanged(request: Request, headers: MutableHeaders) -> bool:
    """Whether 304 is the answer. `If-None-Match`, weakly compared, outranks a date."""
    known = request.headers.getlist("if-none-match")
    if known:
        etag = headers.get("etag", "").removeprefix("W/")
        tags = [tag.strip().removeprefix("W/") for value in known for tag in value.split(",")]
        return "*" in tags or (etag != "" and etag in tags)
    since = _moment(request.headers.get("if-modified-since"))
    modified = _moment(headers.get("last-modified"))
    return since is not None and modified is not None and modified <= since


def _moment(text: str | None) -> datetime | None:
    """An HTTP date; None for what is none."""
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None


def _extensions(request: Request) -> Mapping[str, object]:
    return request.scope.get("extensions") or {}

# SPDX-License-Identifier: Apache-2.0
"""Large files on their way in: in one piece, in parts, and what the client asks about them then.

The bytes are durable and their hash is checked before any row refers to them. Whether the sender
may still write to the repository is checked before the first byte and again in the transaction
that links the file.
"""

from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.blobs import (
    MOST_PARTS,
    BadContent,
    BadParts,
    BlobMissing,
    HashMismatch,
    SizeMismatch,
    UploadMissing,
    whole_key,
)
from hubkeep.errors import HubError
from hubkeep.http import empty_answer, json_answer, read_json
from hubkeep.identity.rules import Action
from hubkeep.transfer.grants import Grant, Purpose, granted
from hubkeep.transfer.headers import stored_header
from hubkeep.transfer.queries import LinkedFile, add_file, is_damaged, linked_files
from hubkeep.transfer.queries_uploads import (
    OpenUpload,
    check_grant,
    forget_uploads,
    upload_by_id,
)
from hubkeep.transfer.speech import speaking_lfs
from hubkeep.transfer.wire import ArrivedParts, Completion, ObjectSpec, PartSpec

if TYPE_CHECKING:
    from hubkeep.app import App

# Ten thousand parts with long etags.
_COMPLETION_LIMIT = 4 << 20


@speaking_lfs
async def put_object(app: "App", request: Request) -> Response:
    """Take a whole file; 200 when it is durable, checked and linked."""
    grant = granted(app, request, Purpose.PUT)
    _check_length(request, grant.size)

    def work(conn: Connection) -> bool:
        check_grant(conn, grant, Action.WRITE)
        return is_damaged(conn, grant.sha256)

    replace = await app.db.read(work)
    key, body = whole_key(grant.oid), request.stream()
    try:
        await app.blobs.put(key, body, size=grant.size, sha256=grant.oid, replace=replace)
    except BadContent as bad:
        raise _bad_content(bad) from bad
    await _link(app, grant, is_mended=replace)
    return empty_answer()


@speaking_lfs
async def put_part(app: "App", request: Request) -> Response:
    """Take one part; 200 with its `ETag` when it is durable. It may be sent again."""
    grant = granted(app, request, Purpose.PARTS)
    number = _part_number(request)
    upload, _ = await app.db.read(lambda conn: _look(conn, grant))
    if upload is None:
        raise _over()
    size = min(upload.part_size, upload.size - (number - 1) * upload.part_size)
    _check_length(request, size)
    body = request.stream()
    try:
        etag = await app.blobs.put_part(upload.store_upload, number, body, size=size)
    except BadContent as bad:
        raise _bad_content(bad) from bad
    except UploadMissing:
        etag = await _came_before(app, upload, number)
        async for _ in body:  # a client that is still sending would not read the answer
            pass
    return Response(headers={"ETag": f'"{etag}"'})


@speaking_lfs
async def arrived_parts(app: "App", request: Request) -> Response:
    """Say which parts are there, so that whoever was broken off sends the others alone."""
    grant = granted(app, request, Purpose.PARTS)
    upload, _ = await app.db.read(lambda conn: _look(conn, grant))
    if upload is None:
        raise _over()
    try:
        there = await app.blobs.parts(upload.store_upload)
    except UploadMissing as missing:
        raise _over() from missing
    parts = [PartSpec(number, etag) for number, etag in sorted(there.items())]
    return json_answer(ArrivedParts(upload.part_size, parts))


@speaking_lfs
async def complete(app: "App", request: Request) -> Response:
    """Put the parts together; 200 when the file is checked and linked.

    May be repeated: while the parts are being hashed a repetition waits for the same work, and
    afterwards it succeeds at once.
    """
    grant = granted(app, request, Purpose.PARTS)
    sent = await read_json(request, Completion, _COMPLETION_LIMIT)
    etags = {part.part_number: part.etag for part in sent.parts}
    if sent.oid != grant.oid or len(etags) != len(sent.parts):
        raise errors.unprocessable("This is not the completion of the upload at this address")
    upload, held = await app.db.read(lambda conn: _look(conn, grant))
    if upload is None:
        return _done_if(held)
    try:
        await app.blobs.finish_upload(upload.store_upload, etags, sha256=grant.oid)
    except BadParts as bad:
        raise _bad_content(bad) from bad
    except (BadContent, UploadMissing, BlobMissing) as over:
        return await _failed(app, grant, upload, over)
    await _link(app, grant, upload)
    return empty_answer()


@speaking_lfs
async def verify(app: "App", request: Request) -> Response:
    """Say whether the file has arrived: 200, or 404."""
    grant = granted(app, request, Purpose.VERIFY)
    asked = await read_json(request, ObjectSpec)
    if (asked.oid, asked.size) != (grant.oid, grant.size):
        raise errors.unprocessable("This address is for another file")
    _, held = await app.db.read(lambda conn: _look(conn, grant))
    if held is None:
        raise errors.not_found("The file has not arrived")
    if held.size != asked.size:
        raise errors.unprocessable(f"The file has {held.size} bytes")
    return empty_answer()


async def _came_before(app: "App", upload: OpenUpload, number: int) -> str:
    """Return the etag of a part that is sent again after a completion that was broken off.

    The store takes no more bytes then, and needs none: all parts are there. An upload that is over
    is forgotten, so that it is not offered again.
    """
    try:
        etag = (await app.blobs.parts(upload.store_upload)).get(number)
    except UploadMissing:
        etag = None
    if etag is None:
        await app.db.write(lambda conn: forget_uploads(conn, [upload.id]))
        raise _over()
    return etag


async def _link(
    app: "App", grant: Grant, upload: OpenUpload | None = None, *, is_mended: bool = False
) -> None:
    """Link a file whose bytes are durable and checked, and forget how it came."""
    header = await stored_header(app, whole_key(grant.oid), grant.size)

    def work(conn: Connection) -> None:
        check_grant(conn, grant, Action.WRITE)
        add_file(conn, grant, header, app.clock(), is_mended=is_mended)
        if upload is not None:
            forget_uploads(conn, [upload.id])

    await app.db.write(work)


def _look(conn: Connection, grant: Grant) -> tuple[OpenUpload | None, LinkedFile | None]:
    """The upload if it is under way, and the file if the repository has it."""
    check_grant(conn, grant, Action.WRITE)
    upload = upload_by_id(conn, grant.upload) if grant.upload else None
    return upload, linked_files(conn, grant.repo_id, [grant.sha256]).get(grant.sha256)


async def _failed(
    app: "App", grant: Grant, upload: OpenUpload, error: BadContent | UploadMissing | BlobMissing
) -> Response:
    """The store has given the upload up, or another request has just finished it."""

    def work(conn: Connection) -> LinkedFile | None:
        forget_uploads(conn, [upload.id])
        return linked_files(conn, grant.repo_id, [grant.sha256]).get(grant.sha256)

    held = await app.db.write(work)
    if isinstance(error, BadContent):
        raise _bad_content(error) from error
    return _done_if(held)


def _done_if(held: LinkedFile | None) -> Response:
    if held is None:
        raise _over()
    return empty_answer()


def _over() -> HubError:
    return errors.not_found("This upload is over; ask for a new one and send the file again")


def _bad_content(bad: BadContent) -> HubError:
    if isinstance(bad, HashMismatch):
        return errors.unprocessable(f"The bytes are not those of this oid: {bad}")
    if isinstance(bad, SizeMismatch):
        return errors.bad_request(f"The size is wrong: {bad}")
    return errors.bad_request(f"The upload cannot be completed: {bad}")


def _check_length(request: Request, size: int) -> None:
    """Refuse a body whose declared length is wrong before it is read."""
    declared = request.headers.get("content-length")
    if declared is not None and declared.isdigit() and int(declared) != size:
        raise errors.bad_request(f"The size is wrong: expected {size} bytes, got {declared}")


def _part_number(request: Request) -> int:
    text = request.path_params["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= MOST_PARTS):
        raise errors.not_found(f"Parts are numbered from 1 to {MOST_PARTS}")
    return int(text)

# SPDX-License-Identifier: Apache-2.0
"""How files are put together from chunks: what clients ask before they fetch anything.

A file is told of only to who has a token for a repository that holds it. Any other is as if it did
not exist: hashes of files are no secret, everybody who ever had the file knows its hash.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.cards.query_files import is_query_file
from hubkeep.http import json_answer, read_json, read_query
from hubkeep.kit.cache import ByteCache
from hubkeep.kit.ranges import BadRange, ByteRange, Unsatisfiable, parse_ranges
from hubkeep.repos.counting import caller_of
from hubkeep.transfer.cas.access import CasToken, cas_token, check_token
from hubkeep.transfer.cas.addresses import Address, Wanted, own_addresses, s3_addresses
from hubkeep.transfer.cas.plans import read_parts
from hubkeep.transfer.cas.queries_files import HeldFile, held_file
from hubkeep.transfer.cas.wire_reading import (
    FetchInfo,
    FileKey,
    ManyFiles,
    ManyFilesQuery,
    Range,
    Reconstruction,
    ReconstructionV1,
    Term,
    XorbFetch,
    XorbRange,
)
from hubkeep.xet.hashes import BadHash, from_text, to_text
from hubkeep.xet.reconstruction import Fetch, Piece, fetches

if TYPE_CHECKING:
    from hubkeep.app import App

T = TypeVar("T")

MOST_TERMS = 65_536
"""Terms in one answer. Clients ask for up to 8 GB at once, and see to it when they upload that
these have no more than some 16,000.
"""
MOST_FILES = 1000
_TOGETHER = 100
"""Runs of chunks at one address of v2: a longer address would not get through every proxy."""
_AT_ONCE = 500
"""Terms whose answer is written in the loop; more are left to a thread."""


@dataclass
class _Read:
    """What has been looked up for one answer."""

    skip: int = 0
    pieces: list[Piece] = field(default_factory=list)
    sizes: dict[bytes, int] = field(default_factory=dict)

    def wanted(self) -> dict[bytes, Wanted]:
        """All that is to be fetched, by xorb."""
        runs = fetches(self.pieces)
        return {xorb: Wanted(self.sizes[xorb], runs[xorb]) for xorb in runs}


async def reconstruction(app: "App", request: Request) -> Response:
    """Say how a file or a range of it is put together, with several runs of chunks an address."""
    token, read = await _read_one(app, request)
    addresses = await _addresses(app, request, token, read, _TOGETHER)

    def answer() -> Response:
        xorbs = {to_text(xorb): _v2(found) for xorb, found in addresses.items()}
        return json_answer(Reconstruction(read.skip, _terms(read.pieces), xorbs))

    return await _written(app, read, answer)


async def reconstruction_v1(app: "App", request: Request) -> Response:
    """Say how a file or a range of it is put together, with an address for each run of chunks."""
    token, read = await _read_one(app, request)
    addresses = await _addresses(app, request, token, read, 1)
    return await _written(
        app,
        read,
        lambda: json_answer(ReconstructionV1(read.skip, _terms(read.pieces), _v1(addresses))),
    )


async def reconstructions(app: "App", request: Request) -> Response:
    """Say how the files that the query or the body names are put together, whole.

    Files that are not there are left out.
    """
    token = cas_token(app, request)
    if request.method == "POST":
        asked = [key.hash for key in await read_json(request, list[FileKey])]
    else:
        asked = list(read_query(request, ManyFilesQuery).file_id)
    if len(asked) > MOST_FILES:
        raise errors.too_large(f"At most {MOST_FILES} files can be asked for at once")
    hashes = {text: _hash(text) for text in asked}

    def work(conn: Connection) -> tuple[_Read, dict[str, tuple[int, int]]]:
        check_token(conn, token)
        read, places = _Read(), {}
        for text, xet_hash in hashes.items():
            file = held_file(conn, token.repo_id, xet_hash)
            if file is not None:
                first = len(read.pieces)
                _look_up(conn, app.cache, xet_hash, ByteRange(0, file.size), read)
                places[text] = first, len(read.pieces)
        return read, places

    read, places = await app.db.read(work)
    addresses = await _addresses(app, request, token, read, 1)

    def answer() -> Response:
        files = {text: _terms(read.pieces[start:end]) for text, (start, end) in places.items()}
        return json_answer(ManyFiles(files, _v1(addresses)))

    return await _written(app, read, answer)


async def file_size(app: "App", request: Request) -> Response:
    """Say in `Content-Length`, to HEAD, how many bytes a file has."""
    token = cas_token(app, request)
    xet_hash = _hash(request.path_params["hash"])

    def work(conn: Connection) -> int:
        check_token(conn, token)
        return _held(conn, token, xet_hash).size

    size = await app.db.read(work)
    return Response(headers={"Content-Length": str(size)})


async def _read_one(app: "App", request: Request) -> tuple[CasToken, _Read]:
    """Look up the file and the range that the request is about."""
    token = cas_token(app, request)
    xet_hash = _hash(request.path_params["hash"])

    def work(conn: Connection) -> tuple[HeldFile, ByteRange, _Read]:
        check_token(conn, token)
        file = _held(conn, token, xet_hash)
        span, read = _span(request, file.size), _Read()
        _look_up(conn, app.cache, xet_hash, span, read)
        return file, span, read

    file, span, read = await app.db.read(work)
    if span.start == 0:
        _count(app, request, token, file)
    return token, read


def _count(app: "App", request: Request, token: CasToken, file: HeldFile) -> None:
    """Count a download of a query file that starts at its first byte.

    Clients of Xet fetch such a file in no other way. It goes by the path that it was first
    committed under, all that is known of it here.
    """
    path = file.filename
    if path and is_query_file(file.repo_type, file.library_name, path):
        address = app.addresses.client_address(request)
        caller = caller_of(token.user_id, address, request.headers.get("user-agent", ""))
        app.downloads.note(token.repo_id, caller, path)


def _held(conn: Connection, token: CasToken, xet_hash: bytes) -> HeldFile:
    file = held_file(conn, token.repo_id, xet_hash)
    if file is None:
        raise errors.not_found(f"This repository has no file with the Xet hash {to_text(xet_hash)}")
    return file


def _span(request: Request, size: int) -> ByteRange:
    """The one range that is asked for, or the whole file."""
    asked = request.headers.getlist("range")
    if not asked:
        return ByteRange(0, size)
    try:
        return parse_ranges(",".join(asked), size, 1)[0]
    except BadRange as bad:
        raise errors.bad_request(f"This Range cannot be answered: {bad}") from bad
    except Unsatisfiable as bad:
        raise errors.unsatisfiable_range(size) from bad


def _look_up(
    conn: Connection, cache: ByteCache, xet_hash: bytes, span: ByteRange, read: _Read
) -> None:
    """Add to `read` what is to be read for a part of a file. 413 where that gets too much."""
    for part in read_parts(conn, cache, xet_hash, span):
        if not read.pieces:
            read.skip = part.plan.skip
        read.pieces += part.plan.pieces
        read.sizes |= {xorb: one.size for xorb, one in part.xorbs.items()}
        if len(read.pieces) > MOST_TERMS:
            raise errors.too_large(
                f"This answer would have more than {MOST_TERMS} terms; ask for a Range"
            )


async def _addresses(
    app: "App", request: Request, token: CasToken, read: _Read, together: int
) -> dict[bytes, list[Address]]:
    base = app.base_url(request)
    wanted = read.wanted()
    found = await s3_addresses(app, wanted)
    if found is not None:
        return found
    return await _written(app, read, lambda: own_addresses(app, base, token, wanted, together))


async def _written(app: "App", read: _Read, write: Callable[[], T]) -> T:
    """What `write` returns, which takes a while where there are many terms."""
    if len(read.pieces) <= _AT_ONCE:
        return write()
    return await asyncio.get_running_loop().run_in_executor(app.crunch, write)


def _hash(text: str) -> bytes:
    try:
        return from_text(text)
    except BadHash as bad:
        raise errors.bad_request(f"This is not the hash of a file: {bad}") from bad


def _terms(pieces: Iterable[Piece]) -> list[Term]:
    return [
        Term(to_text(piece.xorb), piece.raw_size, Range(piece.start, piece.end)) for piece in pieces
    ]


def _v2(addresses: Sequence[Address]) -> list[XorbFetch]:
    return [
        XorbFetch(url, [XorbRange(Range(run.start, run.end), _bytes(run)) for run in runs])
        for url, runs in addresses
    ]


def _v1(addresses: dict[bytes, list[Address]]) -> dict[str, list[FetchInfo]]:
    return {
        to_text(xorb): [
            FetchInfo(Range(run.start, run.end), url, _bytes(run))
            for url, runs in found
            for run in runs
        ]
        for xorb, found in addresses.items()
    }


def _bytes(run: Fetch) -> Range:
    return Range(run.stored_start, run.stored_end - 1)

# SPDX-License-Identifier: Apache-2.0
"""Global deduplication: whether the hub has a chunk, and what else is near it.

Clients ask about one chunk in about a thousand, and the first of each file. The answer tells of
many: a client whose file is an edited copy finds almost all of it in one answer, while told of the
one xorb with the chunk alone it would send most of the rest again.

Other chunks are asked about as the first of a file alone. That of a copy with something put before
it is new, and the next that is asked about may be 200 MB on; so the first such miss of an upload is
answered with the newest file of the repository that it goes to.

Chunks are told by hashes under a key of this hub's: who does not have a chunk cannot tell which one
it is. An answer holds for a day. What it tells of is kept for much longer after its last file is
gone (`queries_collecting`).
"""

import asyncio
import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.transfer.cas.access import CasToken, cas_token, check_token
from hubkeep.transfer.cas.queries_dedup import FileXorb, Hit, find_hit, newest_file, xorbs_from
from hubkeep.transfer.cas.queries_shards import indexes_of
from hubkeep.xet.hashes import BadHash, eligible, from_text
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.shard import dedup_shard

if TYPE_CHECKING:
    from hubkeep.app import App

MOST_XORBS = 128
"""Xorbs in one answer: what comes next in a file, 8 GB of it. Further on the client asks again.
Files may have ten thousands; an answer with all would be hundreds of megabytes.
"""
MOST_CHUNKS = 1 << 17
"""Chunks in one answer, as many as are in that many usual xorbs: 6.3 MB."""
BEFORE = 8
"""Xorbs before the one with the chunk: clients send several at once, so some overtake others."""
HOLDS_SECONDS = 24 * 3600

# The spec says the first; hf_xet and @huggingface/hub ask with the second.
_PREFIXES = ("default-merkledb", "default")
_MEDIA_TYPE = "application/octet-stream"
_PURPOSE = "cas-dedup"
_HOUR = 3600


async def find_chunk(app: "App", request: Request) -> Response:
    """Tell what is near a chunk, as a shard; 404 if the hub has none that the caller may use."""
    token = cas_token(app, request)
    chunk = _chunk_named(request)
    near = await app.db.read(partial(_look, app, token, chunk))
    if not near and token.may_write and not list(eligible(chunk)) and _is_new(app, request):
        near = await app.db.read(partial(_newest, token))
    if not near:
        raise errors.not_found("The hub has no such chunk that you may use")
    # The same for an hour, so that many clients are answered with what was written once.
    created = app.clock() // 1000 // _HOUR * _HOUR
    key = (_PURPOSE, created, tuple(xorb.hash for xorb in near))
    shard = app.cache.get(key)
    if shard is None:
        indexes = await app.db.read(lambda conn: indexes_of(conn, [xorb.id for xorb in near]))
        known = [(xorb.hash, indexes[xorb.id]) for xorb in near if xorb.id in indexes]
        loop = asyncio.get_running_loop()
        shard = await loop.run_in_executor(app.crunch, _write, app, known, created)
        app.cache.put(key, shard)
    return Response(shard, headers={"Cache-Control": "no-store"}, media_type=_MEDIA_TYPE)


def _is_new(app: "App", request: Request) -> bool:
    """Whether this is the first such miss with this token; from now on it was not.

    Remembered by this process, as long as its cache has room.
    """
    bearer = request.headers["authorization"].encode()
    key = (_PURPOSE, hashlib.blake2b(bearer, digest_size=16).digest())
    if app.cache.get(key) is not None:
        return False
    app.cache.put(key, b"offered")
    return True


def _look(app: "App", token: CasToken, chunk: bytes, conn: Connection) -> list[FileXorb]:
    """The xorbs to tell of; none for a chunk that is not there for the caller."""
    actor = check_token(conn, token)
    hub_wide = app.config.xet_dedup == "hub"
    hit = find_hit(conn, actor, token.repo_id, chunk, hub_wide=hub_wide)
    return _near(conn, hit)


def _newest(token: CasToken, conn: Connection) -> list[FileXorb]:
    """The xorbs of the newest file of the token's repository."""
    check_token(conn, token)
    return _near(conn, newest_file(conn, token.repo_id))


def _near(conn: Connection, hit: Hit | None) -> list[FileXorb]:
    if hit is None:
        return []
    return _bounded(xorbs_from(conn, hit, before=BEFORE, most=MOST_XORBS), hit.xorb_id)


def _bounded(near: Sequence[FileXorb], first: int) -> list[FileXorb]:
    """As many of the xorbs as make MOST_CHUNKS: from the first one on, then those before it."""
    chosen: list[FileXorb] = []
    left = MOST_CHUNKS
    for xorb in sorted(near, key=lambda xorb: (xorb.id < first, abs(xorb.id - first))):
        left -= xorb.chunks
        if left < 0:
            break
        chosen.append(xorb)
    return sorted(chosen)


def _write(app: "App", known: Sequence[tuple[bytes, XorbIndex]], created: int) -> bytes:
    key = app.signer.derive_key(_PURPOSE)
    return dedup_shard(known, key, created, created + HOLDS_SECONDS)


def _chunk_named(request: Request) -> bytes:
    """Return the chunk that the address names. 400 for what is no hash, 404 for another prefix."""
    if request.path_params["prefix"] not in _PREFIXES:
        raise errors.not_found(f"Chunks have the prefix {' or '.join(_PREFIXES)}")
    try:
        return from_text(request.path_params["hash"])
    except BadHash as bad:
        raise errors.bad_request(str(bad)) from bad

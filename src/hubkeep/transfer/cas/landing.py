# SPDX-License-Identifier: Apache-2.0
"""Registering the files of a shard that has been checked."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.jobs import enqueue
from hubkeep.kit.batches import batches
from hubkeep.transfer.cas.access import CasToken, check_token
from hubkeep.transfer.cas.checking import CheckFiles
from hubkeep.transfer.cas.queries_landing import NewFile, known_files, land_files
from hubkeep.transfer.cas.shard_headers import headers_of
from hubkeep.transfer.cas.shards import Checked
from hubkeep.xet.hashes import to_text
from hubkeep.xet.shard import Shard

if TYPE_CHECKING:
    from hubkeep.app import App

FILES_AT_ONCE = 2000
"""Files that one transaction registers: on SQLite all other writers wait for it."""
_CHECKED_AT_ONCE = 100


async def land_shard(app: "App", token: CasToken, shard: Shard, checked: Checked) -> bool:
    """Register the files and link them to the token's repository; whether anything was new.

    All in one transaction, unless there are more than FILES_AT_ONCE of them; a shard that comes
    again does no harm, and ends what one that was broken off has begun. What is wrong raises before
    anything is registered, but for what changes meanwhile. Raises bad_request where the hub knows
    that a file has another sha256 than is claimed, and what `land_files` raises.
    """
    new = await _unknown_files(app, shard)
    headers = await headers_of(app, shard, checked, new)
    is_new = False
    for places in batches(range(len(shard.files)), FILES_AT_ONCE):
        landing = [_described(shard, checked, place, headers.get(place)) for place in places]
        work = partial(_land, token=token, landing=landing, checked=checked, now=app.clock())
        is_new |= await app.db.write(work)
    return is_new


async def _unknown_files(app: "App", shard: Shard) -> list[int]:
    """The places of files that the hub does not have; the claims about the others are checked."""
    unknown: list[int] = []
    for places in batches(range(len(shard.files))):
        some = [shard.files[place] for place in places]
        look = partial(known_files, hashes=[file.hash for file in some])
        known = await app.db.read(look)
        for place, file in zip(places, some, strict=True):
            if file.hash not in known:
                unknown.append(place)
                continue
            sha256 = known[file.hash].sha256
            if file.sha256 is not None and sha256 is not None and file.sha256 != sha256:
                raise errors.wrong_sha256(to_text(file.hash), file.sha256.hex())
    return unknown


def _described(shard: Shard, checked: Checked, place: int, header: str | None) -> NewFile:
    file, first = shard.files[place], checked.first_chunk(place)
    return NewFile(
        hash=file.hash,
        size=checked.sizes[place],
        terms=file.terms,
        sha256=file.sha256,
        header=header,
        first_chunk=first.hash if first else None,
    )


def _land(
    conn: Connection,
    token: CasToken,
    landing: Sequence[NewFile],
    checked: Checked,
    now: int,
) -> bool:
    check_token(conn, token)
    landed = land_files(
        conn, token.repo_id, token.user_id, landing, checked.named, checked.eligible, now
    )
    for some in batches(landed.unchecked, _CHECKED_AT_ONCE):
        enqueue(conn, CheckFiles(tuple(some)), now)
    return landed.is_new

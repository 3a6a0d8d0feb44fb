# SPDX-License-Identifier: Apache-2.0
"""What to read for a part of a file that is stored in chunks, a bounded number of xorbs at a time.

A file may have 700,000 terms, and the ends of a xorb's chunks are up to 64 KiB; so neither is ever
held for a file as a whole. The ends are cached: clients ask for a file block after block.
"""

import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.kit.cache import ByteCache
from hubkeep.kit.ranges import ByteRange
from hubkeep.transfer.cas.queries_files import (
    StoredXorb,
    TermsRow,
    ends_of_xorbs,
    readable_xorbs,
    terms_at,
)
from hubkeep.xet.hashes import to_text
from hubkeep.xet.index import Offsets
from hubkeep.xet.reconstruction import Plan, plan
from hubkeep.xet.shard import Term, unpack_terms

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")

MOST_XORBS = 64
"""Xorbs that are looked at at once."""


class Part(NamedTuple):
    """A part of what is wanted of a file, `span`, and what to read for it, of which xorbs."""

    span: ByteRange
    plan: Plan
    xorbs: dict[bytes, StoredXorb]
    offsets: dict[bytes, Offsets]

    @property
    def length(self) -> int:
        """Bytes of the file that this part gives: what `Plan.portions` is to be asked for."""
        return self.span.end - self.span.start


async def parts_of(app: "App", xet_hash: bytes, span: ByteRange) -> AsyncGenerator[Part]:
    """The parts that make up `span`, which lies within the file, in order.

    Each is looked up when it is asked for, and is of at most MOST_XORBS xorbs and 1024 terms.
    Raises damaged, with a line in the log, where terms or xorbs are missing or known to be damaged.
    """
    at = span.start
    while at < span.end:
        part = await app.db.read(partial(_first_part, app.cache, xet_hash, ByteRange(at, span.end)))
        yield part
        at = part.span.end


def read_parts(
    conn: Connection, cache: ByteCache, xet_hash: bytes, span: ByteRange
) -> Iterator[Part]:
    """Like `parts_of`, within one transaction."""
    at = span.start
    while at < span.end:
        row = terms_at(conn, xet_hash, at)
        runs = _runs(row, ByteRange(at, span.end)) if row else ()
        asked = at
        for first, terms in runs:
            part = _part(conn, cache, first, terms, ByteRange(at, span.end))
            if part is None:
                break
            yield part
            at = part.span.end
        if at == asked:
            log.error("nothing is known of byte %d of the file %s", at, to_text(xet_hash))
            raise errors.damaged()


def _first_part(cache: ByteCache, xet_hash: bytes, span: ByteRange, conn: Connection) -> Part:
    return next(read_parts(conn, cache, xet_hash, span))


def _runs(row: TermsRow, wanted: ByteRange) -> Iterator[tuple[int, list[Term]]]:
    """The terms of a row that are wanted, as many at once as name MOST_XORBS xorbs.

    With each run, where in the file it begins.
    """
    first = at = row.raw_start
    run: list[Term] = []
    named: set[bytes] = set()
    for term in unpack_terms(row.terms):
        if at >= wanted.end:
            break
        if at + term.raw_size > wanted.start:
            if term.xorb not in named and len(named) == MOST_XORBS:
                yield first, run
                run, named = [], set()
            if not run:
                first = at
            run.append(term)
            named.add(term.xorb)
        at += term.raw_size
    if run:
        yield first, run


def _part(
    conn: Connection, cache: ByteCache, first: int, terms: Sequence[Term], wanted: ByteRange
) -> Part | None:
    """What to read for that which these terms hold of what is wanted; None if they hold less."""
    end = min(wanted.end, first + sum(term.raw_size for term in terms))
    span = ByteRange(wanted.start, end)
    stored = _stored(conn, {term.xorb for term in terms})
    offsets = _offsets(conn, cache, stored)
    try:
        found = plan(terms, offsets, first, span)
    except LookupError:
        return None
    given = sum(piece.raw_size for piece in found.pieces) - found.skip
    return Part(span, found, stored, offsets) if given >= end - wanted.start > 0 else None


def _stored(conn: Connection, hashes: set[bytes]) -> dict[bytes, StoredXorb]:
    stored = readable_xorbs(conn, hashes)
    if len(stored) < len(hashes):
        missing = ", ".join(sorted(to_text(one) for one in hashes - stored.keys()))
        log.error("files need xorbs that are missing or damaged: %s", missing)
        raise errors.damaged()
    return stored


def _offsets(
    conn: Connection, cache: ByteCache, stored: Mapping[bytes, StoredXorb]
) -> dict[bytes, Offsets]:
    """Where the chunks of these xorbs lie, from the cache where it is there."""
    found: dict[bytes, Offsets] = {}
    unknown: dict[int, StoredXorb] = {}
    for xorb in stored.values():
        ends = cache.get(_cache_key(xorb))
        if ends is None:
            unknown[xorb.id] = xorb
        else:
            found[xorb.hash] = Offsets(ends)
    for xorb_id, ends in (ends_of_xorbs(conn, list(unknown)) if unknown else {}).items():
        xorb = unknown[xorb_id]
        cache.put(_cache_key(xorb), ends)
        found[xorb.hash] = Offsets(ends)
    return found


def _cache_key(xorb: StoredXorb) -> tuple[object, ...]:
    # By all that is known of it: the same chunks may be stored in another way once they are healed.
    return ("xorb-ends", *xorb)

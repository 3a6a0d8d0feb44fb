# SPDX-License-Identifier: Apache-2.0
"""How a file, or a part of it, is put together from chunks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from hubkeep.kit.ranges import ByteRange
from hubkeep.xet.chunks import BadXorb, Buffer, decode_chunks
from hubkeep.xet.index import Offsets, XorbIndex
from hubkeep.xet.shard import Term

Placed = Offsets | XorbIndex


class Piece(NamedTuple):
    """Chunks from `start` up to, not including, `end` of a xorb, and where they are stored."""

    xorb: bytes
    start: int
    end: int
    stored_start: int
    stored_end: int
    raw_size: int


class Fetch(NamedTuple):
    """A run of chunks of one xorb that is read at once."""

    start: int
    end: int
    stored_start: int
    stored_end: int


class Portion(NamedTuple):
    """A piece, and which of its raw bytes are wanted: `take` of them after the first `skip`."""

    piece: Piece
    skip: int
    take: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to read for a part of a file: the pieces in order, less `skip` bytes of the first."""

    skip: int
    pieces: list[Piece]

    def portions(self, length: int) -> Iterator[Portion]:
        """The pieces, each with the raw bytes to take of it, `length` in all."""
        skip = self.skip
        for piece in self.pieces:
            take = min(piece.raw_size - skip, length)
            yield Portion(piece, skip, take)
            skip, length = 0, length - take


def plan(
    terms: Iterable[Term],
    offsets: Callable[[bytes], Placed] | Mapping[bytes, Placed],
    first: int,
    wanted: ByteRange,
) -> Plan:
    """What to read for the bytes `wanted` of a file, of which `terms` begin at byte `first`.

    Terms outside are left out, and the first and the last are trimmed to the chunks that are
    needed. `offsets` gives those of a xorb; it is asked only for xorbs that are needed. Where the
    terms hold only a part of what is wanted, the plan is for that part.
    """
    look_up = offsets.__getitem__ if isinstance(offsets, Mapping) else offsets
    skip = 0
    pieces: list[Piece] = []
    at = first
    for term in terms:
        until = at + term.raw_size
        if at >= wanted.end:
            break
        if until > wanted.start:
            placed = look_up(term.xorb)
            start, end = term.start, term.end
            # Where the file's byte 0 would be among the xorb's raw bytes.
            shift = placed.raw_offset(start) - at
            if at < wanted.start:
                start = placed.chunk_at(wanted.start + shift)
                skip = wanted.start + shift - placed.raw_offset(start)
            if wanted.end < until:
                end = placed.chunk_at(wanted.end - 1 + shift) + 1
            pieces.append(_piece(term.xorb, start, end, placed))
        at = until
    return Plan(skip, pieces)


def fetches(pieces: Iterable[Piece]) -> dict[bytes, list[Fetch]]:
    """What is to be read of each xorb: runs that touch or overlap are one, in ascending order."""
    by_xorb: dict[bytes, list[Fetch]] = {}
    for piece in pieces:
        by_xorb.setdefault(piece.xorb, []).append(Fetch(*piece[1:5]))
    return {xorb: _merged(runs) for xorb, runs in by_xorb.items()}


def decode(
    stored: Buffer, piece: Piece, skip: int = 0, take: int | None = None
) -> Iterator[Buffer]:
    """The raw bytes of a piece from its stored ones: `take` of them (None: all) after `skip`.

    Raises BadXorb where the stored bytes are damaged, or are not as many as the piece has.
    """
    left = piece.raw_size - skip if take is None else take
    if len(stored) != piece.stored_end - piece.stored_start or skip + left > piece.raw_size:
        raise BadXorb("these are not the bytes of the chunks that were asked for")
    for chunk in decode_chunks(stored):
        if skip >= len(chunk):
            skip -= len(chunk)
            continue
        if skip or left < len(chunk):
            chunk = memoryview(chunk)[skip : skip + left]  # noqa: PLW2901 -- the wanted part
            skip = 0
        left -= len(chunk)
        yield chunk
        if not left:
            return
    if left:
        raise BadXorb("chunks have fewer bytes than is known of them")


def _piece(xorb: bytes, start: int, end: int, placed: Placed) -> Piece:
    raw_size = placed.raw_offset(end) - placed.raw_offset(start)
    return Piece(xorb, start, end, placed.stored_offset(start), placed.stored_offset(end), raw_size)


def _merged(runs: list[Fetch]) -> list[Fetch]:
    runs.sort()
    merged = runs[:1]
    for run in runs[1:]:
        last = merged[-1]
        if run.start > last.end:
            merged.append(run)
        elif run.end > last.end:
            merged[-1] = last._replace(end=run.end, stored_end=run.stored_end)
    return merged

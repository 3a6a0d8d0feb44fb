# SPDX-License-Identifier: Apache-2.0
"""What nobody needs any more: until when it is kept and why, and clearing away what is due."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection

from hubkeep.kit.time import DAY, Millis
from hubkeep.transfer.cas.collecting import collect_xorbs
from hubkeep.transfer.cas.queries_storage import (
    SPARE_COPIES,
    STALE_UPLOADS,
    UNLINKED_FILES,
    UNLINKED_XORBS,
    Spare,
    SpareTotals,
    count_spare,
)
from hubkeep.transfer.jobs import (
    GRACE,
    LEAST_GRACE,
    STALE,
    collect_files,
    drop_spare_copies,
    sweep_uploads,
)
from hubkeep.xet.hashes import to_text

if TYPE_CHECKING:
    from hubkeep.app import App

LARGEST = 10


class Kind(NamedTuple):
    """A kind of thing that is cleared away, and the rule for it."""

    name: str
    why: str
    grace: Millis
    spare: Spare

    def label(self, name: bytes | None) -> str:
        """Return what such a thing is called; "" for nothing yet."""
        if name is None:
            return ""
        return to_text(name) if self.spare is UNLINKED_XORBS else name.hex()


class Counted(NamedTuple):
    """What there is of a kind at this moment."""

    kind: Kind
    totals: SpareTotals


def kinds(xet_grace_days: int) -> Sequence[Kind]:
    """Return what is cleared away, in the order in which it is: files let go of xorbs."""
    uploads = "nobody has gone on with them for {}"
    files = "no repository has referred to them for {}"
    copies = "they are stored as chunks too, and nobody has needed the whole for {}"
    xorbs = "no file has needed them for {}"
    graces = (
        ("uploads", uploads, STALE, STALE_UPLOADS),
        ("files", files, GRACE, UNLINKED_FILES),
        ("copies", copies, LEAST_GRACE, SPARE_COPIES),
        ("xorbs", xorbs, xet_grace_days * DAY, UNLINKED_XORBS),
    )
    return [
        Kind(name, why.format(f"{grace // DAY} days"), grace, spare)
        for name, why, grace, spare in graces
    ]


def count_kinds(conn: Connection, xet_grace_days: int, now: Millis) -> list[Counted]:
    """Count what nobody needs, due and waiting."""
    return [
        Counted(kind, count_spare(conn, kind.spare, now - kind.grace, LARGEST))
        for kind in kinds(xet_grace_days)
    ]


async def clear_away(app: "App") -> Mapping[str, tuple[int, int | None]]:
    """Delete all that is due, as the jobs do hour by hour; return how many and how many bytes.

    Of uploads it is not known how many bytes there were.
    """
    return {
        "uploads": (await sweep_uploads(app), None),
        "files": await collect_files(app),
        "copies": await drop_spare_copies(app),
        "xorbs": await collect_xorbs(app),
    }

# SPDX-License-Identifier: Apache-2.0
"""What pushed objects refer to beyond their pack. It must be in the repository.

What is there is whole: its own references were checked when it came in, and nothing is removed
before what refers to it.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from hubkeep.git.objects import OID_BYTES, Kind
from hubkeep.git.push.spool import SpoolFile
from hubkeep.git.push.types import Refused
from hubkeep.git.queries import commits
from hubkeep.git.queries_objects import object_infos
from hubkeep.kit.batches import batches

MISSING = "missing necessary objects"
_AT_ONCE = 5_000
_COMMITS_AT_ONCE = 500
_RECORD = OID_BYTES + 1


class Outside:
    """References, looked up in batches, and kept in a file to be looked up once more."""

    def __init__(self, file: SpoolFile) -> None:
        self._file = file
        self._wanted: dict[bytes, tuple[Kind, bytes]] = {}
        self._kept: list[tuple[int, int]] = []

    def want(self, conn: Connection, repo_id: int, oid: bytes, kind: Kind, where: bytes) -> None:
        """Note that something refers to an object; `where` tells the user of it. Refused."""
        known = self._wanted.setdefault(oid, (kind, where))
        if known[0] != kind:
            raise missing(oid, kind, where)
        if len(self._wanted) >= _AT_ONCE:
            self.settle(conn, repo_id)

    def settle(self, conn: Connection, repo_id: int) -> None:
        """Look up what is noted. Refused where something is missing."""
        wanted = [(oid, kind) for oid, (kind, _) in self._wanted.items()]
        for oid in _lacking(conn, repo_id, wanted):
            raise missing(oid, *self._wanted[oid])
        record = b"".join(bytes([kind]) + oid for oid, kind in wanted)
        if record:
            self._kept.append((self._file.add(record), len(record)))
        self._wanted.clear()

    def still_there(self, conn: Connection, repo_id: int) -> None:
        """Look everything up again. Refused where something has gone."""
        for start, length in self._kept:
            record = self._file.read(start, length)
            wanted = [
                (record[at + 1 : at + _RECORD], Kind(record[at]))
                for at in range(0, length, _RECORD)
            ]
            for oid in _lacking(conn, repo_id, wanted):
                raise Refused(MISSING, f"{oid.hex()} was deleted meanwhile; fetch, then push again")


def missing(oid: bytes, kind: Kind, where: bytes) -> Refused:
    """Return what to say of an object that is nowhere, or is of another kind."""
    place = where.decode("utf-8", "replace")
    return Refused(
        MISSING,
        f"{place} needs the {kind.name.lower()} {oid.hex()}, which is neither in the push"
        " nor in the repository",
        "if your clone is shallow: git fetch --unshallow, then push again",
    )


def _lacking(
    conn: Connection, repo_id: int, wanted: Sequence[tuple[bytes, Kind]]
) -> Iterable[bytes]:
    # A commit counts by its row: it goes before the commit's objects.
    for some in batches((oid for oid, kind in wanted if kind == Kind.COMMIT), _COMMITS_AT_ONCE):
        there = commits(conn, repo_id, some)
        yield from (oid for oid in some if oid not in there)
    others = {oid: kind for oid, kind in wanted if kind != Kind.COMMIT}
    infos = object_infos(conn, repo_id, list(others))
    for oid, kind in others.items():
        if oid not in infos or infos[oid][0] != kind:
            yield oid

# SPDX-License-Identifier: Apache-2.0
"""All that is looked at before a push is written down, in an order that refuses early."""

from collections.abc import Sequence

from sqlalchemy import Connection

from hubkeep.git.commits import parse_tag
from hubkeep.git.errors import BadObject
from hubkeep.git.objects import Kind, inflate
from hubkeep.git.push.contents import Contents
from hubkeep.git.push.entries import Folders
from hubkeep.git.push.history import History
from hubkeep.git.push.outside import MISSING, Outside, missing
from hubkeep.git.push.pack import Pack
from hubkeep.git.push.spool import Spooled, SpoolFile
from hubkeep.git.push.types import Bounds, Checked, Pointer, Refused
from hubkeep.git.push.walk import Records, Walk
from hubkeep.git.queries_objects import bounded_data, object_infos
from hubkeep.git.types import CommitRow
from hubkeep.kit.batches import batches

_AT_ONCE = 10_000
_MAX_TAGS = 8
_TAG_BYTES = 1 << 20
_LEADING = {b"commit": Kind.COMMIT, b"tag": Kind.TAG}


def check(
    conn: Connection,
    repo_id: int,
    pack: Pack,
    file: SpoolFile,
    tips: Sequence[bytes],
    bounds: Bounds,
) -> Checked:
    """Look through all that the tips lead to. Refused. Memory: some 300 bytes an object."""
    pack.check_sizes()
    there = _there(conn, repo_id, pack)
    outside = Outside(file)
    pointers = Spooled(file, Pointer)
    folders = Folders(conn, repo_id, pack)
    contents = Contents(folders, pack, outside, pointers, bounds, bytearray(len(pack)))
    peeled = {tip: _peel(conn, repo_id, contents, tip) for tip in tips}
    rows, records = Spooled(file, CommitRow), Spooled(file, bytes)
    walk = Walk(folders, Records(conn, repo_id, records), contents)
    history = History(conn, repo_id, pack, contents, walk, rows, records)
    history.take(list(dict.fromkeys(peeled.values())))
    contents.finish([rows[tip].tree for tip in set(peeled.values()) if tip in rows])
    return Checked(
        commits=rows,
        peeled=peeled,
        pointers=pointers,
        gained=_gained(pack, contents, there),
        records=records,
        reached=bytes(contents.reached),
        has_empty_tree=contents.has_empty_tree,
        outside=outside,
    )


def _there(conn: Connection, repo_id: int, pack: Pack) -> bytearray:
    """For each object of the pack 1 where the repository has it. Refused where that is another."""
    there = bytearray(len(pack))
    for some in batches(range(len(pack)), _AT_ONCE):
        for oid, (kind, size, _) in object_infos(conn, repo_id, [*map(pack.oid, some)]).items():
            position = pack.find(oid)
            assert position is not None
            if (kind, size) != (pack.kinds[position], pack.sizes[position]):
                raise Refused(f"{oid.hex()} is the id of another object in this repository")
            there[position] = 1
    return there


def _peel(conn: Connection, repo_id: int, contents: Contents, tip: bytes) -> bytes:
    """Follow annotated tags to the commit that a tip leads to."""
    oid, said = tip, None
    for _ in range(_MAX_TAGS):
        kind, payload = _look_up(conn, repo_id, contents.pack, oid)
        if said not in (None, kind):
            raise missing(oid, said, b"A tag")
        if kind == Kind.COMMIT:
            return oid
        if kind != Kind.TAG:
            break
        contents.reach(oid, Kind.TAG, b"The push")
        try:
            target, word = parse_tag(payload)
        except BadObject as bad:
            raise Refused(f"{oid.hex()}: {bad}") from bad
        if word not in _LEADING:
            break
        oid, said = target, _LEADING[word]
    raise Refused(f"{tip.hex()} does not lead to a commit; refs of the hub do")


def _look_up(conn: Connection, repo_id: int, pack: Pack, oid: bytes) -> tuple[int, bytes]:
    """The kind of an object and, for tags, its bytes."""
    position = pack.find(oid)
    if position is not None:
        kind = pack.kinds[position]
        return kind, pack.payload(position) if kind == Kind.TAG else b""
    info = object_infos(conn, repo_id, [oid]).get(oid)
    if info is None:
        raise Refused(MISSING, f"{oid.hex()} is neither in the push nor in the repository")
    if info[0] != Kind.TAG:
        return info[0], b""
    for _, kind, size, data in bounded_data(conn, repo_id, [oid], _TAG_BYTES):
        return kind, inflate(data, size)
    raise Refused(MISSING, f"{oid.hex()} is neither in the push nor in the repository")


def _gained(pack: Pack, contents: Contents, there: bytearray) -> int:
    gained = 0
    for position, kind in enumerate(pack.kinds):
        if kind == Kind.BLOB and contents.reached[position] and not there[position]:
            oid = pack.oid(position)
            pointer = contents.pointers.get(oid)
            gained += pointer.lfs.size if pointer else pack.sizes[position]
    return gained

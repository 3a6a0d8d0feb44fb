# SPDX-License-Identifier: Apache-2.0
"""Pushing without a wire: packs of the real git, and made by hand, into a repository of the hub."""

import asyncio
import hashlib
import itertools
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from hubkeep.git.objects import Kind, object_id
from hubkeep.git.push.incoming import Bounds, Checked, Incoming, receive
from hubkeep.git.queries import insert_ref, list_refs, move_ref
from hubkeep.git.queries_objects import lock_repo
from hubkeep.git.types import Ref
from tests.git.native import git
from tests.git.workshop import START, Workshop

BOUNDS = Bounds(pack_bytes=64 << 20, objects=250_000, blob_bytes=10 << 20)
folders = itertools.count()


async def pieces(data: bytes, size: int = 1 << 16) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def taken(tmp_path: Path, data: bytes, bounds: Bounds = BOUNDS) -> Incoming:
    """Take a pack in."""
    return asyncio.run(receive(tmp_path / f"in{next(folders)}", pieces(data), bounds))


def push(
    repo: Workshop,
    tmp_path: Path,
    data: bytes,
    refs: Mapping[str, bytes],
    bounds: Bounds = BOUNDS,
) -> Checked:
    """Take a pack in, check it and move refs, made where they are not there."""
    with closing(taken(tmp_path, data, bounds)) as incoming:
        checked = repo.read(incoming.check, list(refs.values()))

        def land(conn: Connection, repo_id: int) -> None:
            lock_repo(conn, repo_id)
            incoming.write(conn, repo_id, checked)
            there = {ref.name: ref.oid for ref in list_refs(conn, repo_id)}
            for name, oid in refs.items():
                if name in there:
                    assert move_ref(conn, repo_id, name, there[name], oid, START)
                else:
                    insert_ref(conn, repo_id, Ref(name, oid, checked.peeled[oid]), START)

        repo.write(land)
        return Checked(
            dict(checked.commits), checked.peeled, dict(checked.pointers), checked.gained
        )


@dataclass
class Clone:
    """A repository of the real git, from which is pushed; `pushed` are the tips that are there."""

    folder: Path
    pushed: list[str] = field(default_factory=list)
    clock: Iterable[int] = field(default_factory=lambda: itertools.count(1_790_000_000))

    @classmethod
    def new(cls, folder: Path) -> "Clone":
        git("init", "-q", "-b", "main", str(folder))
        return cls(folder)

    def git(self, *args: str, stdin: bytes = b"") -> str:
        at = f"{next(self.clock)} +0000"
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        given = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
        return git(*who, *args, cwd=self.folder, stdin=stdin, env=given).decode().strip()

    def write(self, files: Mapping[str, bytes]) -> None:
        for path, content in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def commit(self, files: Mapping[str, bytes], message: str = "a change") -> bytes:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.oid("HEAD")

    def oid(self, revision: str) -> bytes:
        return bytes.fromhex(self.git("rev-parse", revision))

    def pack(self, *tips: str) -> bytes:
        """What `git push` sends for these tips where the hub has what was pushed before."""
        wanted = "\n".join([*tips, *(f"^{each}" for each in self.pushed), ""])
        pack = git(
            "pack-objects", "--revs", "--stdout", "-q", "--delta-base-offset",
            cwd=self.folder, stdin=wanted.encode(),
        )  # fmt: skip
        self.pushed += [self.oid(tip).hex() for tip in tips]
        return pack


def entry_head(kind: int, size: int) -> bytes:
    byte, size = kind << 4 | size & 15, size >> 4
    head = bytearray()
    while size:
        head.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    head.append(byte)
    return bytes(head)


def closed(entries: Iterable[bytes], count: int | None = None) -> bytes:
    """A pack of finished entries."""
    entries = list(entries)
    count = len(entries) if count is None else count
    body = b"PACK" + (2).to_bytes(4, "big") + count.to_bytes(4, "big") + b"".join(entries)
    return body + hashlib.sha1(body).digest()


def whole(kind: Kind, payload: bytes) -> bytes:
    """The entry of an object."""
    return entry_head(kind, len(payload)) + zlib.compress(payload)


@dataclass
class HandMade:
    """A pack made by hand, in which anything may stand."""

    entries: dict[bytes, bytes] = field(default_factory=dict)

    def add(self, kind: Kind, payload: bytes) -> bytes:
        oid = object_id(kind, payload)
        self.entries[oid] = whole(kind, payload)
        return oid

    def blob(self, content: bytes) -> bytes:
        return self.add(Kind.BLOB, content)

    def tree(self, *entries: tuple[bytes, bytes, bytes]) -> bytes:
        return self.add(Kind.TREE, b"".join(b"%b %b\0%b" % entry for entry in entries))

    def commit(self, tree: bytes, *parents: bytes, at: str = "1790000000", text: bytes = b"a\n"):
        lines = [b"tree " + tree.hex().encode()]
        lines += [b"parent " + parent.hex().encode() for parent in parents]
        lines += [b"%b Ann <ann@example.org> %b +0000" % (w, at.encode()) for w in WHO]
        return self.add(Kind.COMMIT, b"\n".join(lines) + b"\n\n" + text)

    def tag(self, target: bytes, word: bytes = b"commit", name: bytes = b"v1") -> bytes:
        who = b"Ann <ann@example.org> 1790000000 +0000"
        lines = (target.hex().encode(), word, name, who)
        return self.add(Kind.TAG, b"object %b\ntype %b\ntag %b\ntagger %b\n\nx\n" % lines)

    @property
    def pack(self) -> bytes:
        return closed(self.entries.values())


WHO = (b"author", b"committer")

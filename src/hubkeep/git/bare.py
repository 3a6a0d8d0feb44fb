# SPDX-License-Identifier: Apache-2.0
"""A repository written out as a bare one that native git serves and checks."""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from hubkeep.git.program import GitFailed, environment, find_git
from hubkeep.git.queries import list_refs
from hubkeep.git.queries_objects import count_objects, stream_objects
from hubkeep.git.reachable import find_garbage
from hubkeep.git.types import Ref

_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
_PACKED_REFS = "# pack-refs with: peeled fully-peeled sorted \n"
_TIMEOUT = 3600


def write_bare_repository(
    conn: Connection, repo_id: int, folder: Path, *, default_branch: str = "main"
) -> None:
    """Write the objects that refs lead to as one pack, and the refs, into a folder that is new.

    The folder appears whole or not at all. Needs a snapshot, as `Database.read` gives; holds 20
    bytes an object. GitMissing, GitFailed, FileExistsError.
    """
    git = find_git()
    if folder.exists():
        raise FileExistsError(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
        draft = Path(name) / "bare"
        packs = draft / "objects" / "pack"
        for part in (packs, draft / "objects" / "info", draft / "refs/heads", draft / "refs/tags"):
            part.mkdir(parents=True)
        (draft / "config").write_text(_CONFIG)
        (draft / "HEAD").write_text(f"ref: refs/heads/{default_branch}\n", encoding="utf-8")
        refs = list_refs(conn, repo_id)
        (draft / "packed-refs").write_bytes(_packed_refs(refs))
        if refs:
            _write_pack(conn, repo_id, packs, git)
        draft.rename(folder)


def _packed_refs(refs: list[Ref]) -> bytes:
    lines = [_PACKED_REFS]
    for ref in sorted(refs, key=lambda each: each.name.encode()):
        lines.append(f"{ref.oid.hex()} {ref.name}\n")
        if ref.oid != ref.commit:
            lines.append(f"^{ref.commit.hex()}\n")
    return "".join(lines).encode()


def _write_pack(conn: Connection, repo_id: int, packs: Path, git: str) -> None:
    draft = packs / "draft.pack"
    with draft.open("xb") as out:
        digest = _pack_into(conn, repo_id, out)
        out.flush()
        os.fsync(out.fileno())
    done = subprocess.run(
        [git, "index-pack", "--strict", str(draft)],
        env=environment(),
        cwd=packs,
        capture_output=True,
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise GitFailed(done.stderr.decode("utf-8", "replace")[:2000])
    for suffix in (".pack", ".idx"):
        draft.with_suffix(suffix).rename(packs / f"pack-{digest.hex()}{suffix}")


def _pack_into(conn: Connection, repo_id: int, out: BinaryIO) -> bytes:
    """Write a pack and return its checksum. Rows hold what a pack holds, so nothing is unpacked."""
    unused = set(find_garbage(conn, repo_id).objects)
    count = count_objects(conn, repo_id) - len(unused)
    digest = hashlib.sha1(usedforsecurity=False)

    def pieces() -> Iterator[bytes]:
        yield b"PACK" + (2).to_bytes(4, "big") + count.to_bytes(4, "big")
        for oid, kind, size, data in stream_objects(conn, repo_id):
            if oid not in unused:
                yield _entry_head(kind, size)
                yield data

    for piece in pieces():
        digest.update(piece)
        out.write(piece)
    out.write(digest.digest())
    return digest.digest()


def _entry_head(kind: int, size: int) -> bytes:
    """Kind and size as packs have them: four bits of the size first, then seven a byte."""
    head = bytearray()
    byte = (kind << 4) | (size & 15)
    size >>= 4
    while size:
        head.append(byte | 0x80)
        byte = size & 0x7F
        size >>= 7
    head.append(byte)
    return bytes(head)

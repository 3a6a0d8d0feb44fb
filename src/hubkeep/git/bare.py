# SPDX-License-Identifier: Apache-2.0
"""A repository written out as a bare one that native git serves and checks."""

import tempfile
from pathlib import Path

from sqlalchemy import Connection

from hubkeep.git.fetch.packs import PackWriter
from hubkeep.git.fetch.queries import stream_all
from hubkeep.git.fetch.refs import PACKED_REFS, encode_refs
from hubkeep.git.program import Limits, find_git, run
from hubkeep.git.queries import list_refs
from hubkeep.git.queries_objects import count_objects
from hubkeep.git.reachable import find_garbage

_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
_LIMITS = Limits(cpu_seconds=3600, memory=1 << 40, file_bytes=1 << 50)


def write_bare_repository(
    conn: Connection, repo_id: int, folder: Path, *, default_branch: str = "main"
) -> None:
    """Write the objects that refs lead to as one pack, and the refs, into a folder that is new.

    The folder appears whole or not at all. Needs a snapshot, as `Database.read` gives; holds some
    100 bytes an object. GitMissing, GitFailed, FileExistsError.
    """
    find_git()
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
        (draft / PACKED_REFS).write_bytes(encode_refs(refs))
        if refs:
            pack = _write_pack(conn, repo_id, packs)
            run(("index-pack", "--strict", pack.name), packs, _LIMITS)
        draft.rename(folder)


def _write_pack(conn: Connection, repo_id: int, packs: Path) -> Path:
    unused = set(find_garbage(conn, repo_id).objects)
    with PackWriter(packs, count_objects(conn, repo_id) - len(unused)) as pack:
        for oid, kind, size, data in stream_all(conn, repo_id):
            if oid not in unused:
                pack.add(oid, kind, size, data)
        return pack.finish()

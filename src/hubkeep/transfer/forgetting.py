# SPDX-License-Identifier: Apache-2.0
"""Taking large files from a repository for good, whoever asks for it."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.content.jobs import collect_later
from hubkeep.content.landing import save_revision, show_head
from hubkeep.git.errors import TooLarge
from hubkeep.git.rewrite import remove_lfs_files
from hubkeep.git.store import BRANCHES, set_revision_facts
from hubkeep.kit.time import Millis
from hubkeep.repos.queries_head import add_storage
from hubkeep.repos.types import Repo
from hubkeep.transfer.queries_files import unlink


def forget_files(
    conn: Connection, repo: Repo, public_ids: Collection[str], rewrite_history: bool, now: Millis
) -> int:
    """Take files, named by the public ids of their links, from a repository: all, or none.

    With `rewrite_history` the commits that point at them are written anew without them; else the
    pointers stay and lead nowhere. Returns how many files went; 404 where one is not there, 400
    where the history is too large to be written anew.
    """
    gone = unlink(conn, repo.id, public_ids, now)
    add_storage(conn, repo.id, -sum(file.size for file in gone if file.was_committed))
    if rewrite_history:
        _rewrite(conn, repo, [file.sha256 for file in gone], now)
        collect_later(conn, repo.id, now)
    return len(gone)


def _rewrite(conn: Connection, repo: Repo, oids: Sequence[bytes], now: Millis) -> None:
    """Take the files out of the history, and say anew what each moved ref holds."""
    try:
        moved = remove_lfs_files(conn, repo.id, oids, now)
    except TooLarge as large:
        raise errors.bad_request(f"{large}: delete without rewriting it") from large
    for ref in moved:
        facts_id = save_revision(conn, repo, ref.new.tree)
        size = ref.new.size or 0
        set_revision_facts(conn, repo.id, ref.new.oid, facts_id, size)
        if ref.name == BRANCHES + repo.default_branch:
            show_head(conn, repo, ref.new.oid, facts_id, size, now, changed=True)

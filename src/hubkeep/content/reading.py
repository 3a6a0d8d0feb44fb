# SPDX-License-Identifier: Apache-2.0
"""What all reading of content begins with: the revision that an address names."""

from collections.abc import Iterable

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.content.wire import RULES_LIMIT
from hubkeep.git import store
from hubkeep.git.store import CommitRow, Entry, Memo, Revision
from hubkeep.repos.types import Repo


def revision_of(conn: Connection, repo: Repo, name: str) -> Revision:
    """Return the revision; a branch wins over a tag of the same name. revision_not_found."""
    found = store.resolve(conn, repo.id, name, default_branch=repo.default_branch)
    if found is None:
        raise errors.revision_not_found(name)
    return found


def file_at(conn: Connection, repo: Repo, revision: Revision, path: str) -> Entry:
    """Return a file (not a folder) of a revision. entry_not_found, with the commit's id."""
    found = store.entry(conn, repo.id, revision.tree, path)
    if found is None or found.kind == "directory":
        raise errors.entry_not_found(path, revision.commit.hex())
    return found


def rules_text(conn: Connection, repo_id: int, entry: Entry | None) -> str:
    """Return the text of `.gitignore` or `.gitattributes`; "" where it is too large to be followed
    or not there.
    """
    if entry is None or entry.kind != "file" or entry.size > RULES_LIMIT:
        return ""
    return store.blob(conn, repo_id, entry.oid, RULES_LIMIT).decode("utf-8", "replace")


def last_changes(
    conn: Connection, repo: Repo, revision: Revision, entries: Iterable[Entry], memo: Memo
) -> dict[str, CommitRow]:
    """Return the commit that last changed each of some files and folders, by their paths."""
    by_folder: dict[str, list[str]] = {}
    for entry in entries:
        folder, _, name = entry.path.rpartition("/")
        by_folder.setdefault(folder, []).append(name)
    changes = store.LastCommits(conn, repo.id, revision.commit, memo)
    found: dict[str, CommitRow] = {}
    for folder, names in sorted(by_folder.items()):
        prefix = f"{folder}/" if folder else ""
        found |= {prefix + name: row for name, row in changes.of(folder, names).items()}
    return found

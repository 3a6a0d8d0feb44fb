# SPDX-License-Identifier: Apache-2.0
"""What all reading of content begins with: the revision that an address names."""

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.git import store
from hubkeep.git.store import Entry, Revision
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

# SPDX-License-Identifier: Apache-2.0
"""Names for commits: finding the one that a revision means, branches and tags."""

import re

from sqlalchemy import Connection

from hubkeep.git.commits import Signature, encode_tag
from hubkeep.git.errors import ObjectMissing, RefExists
from hubkeep.git.names import check_ref_name
from hubkeep.git.objects import Kind, deflate, object_id
from hubkeep.git.queries import (
    commits,
    commits_at,
    commits_between,
    delete_ref,
    insert_ref,
    list_refs,
    ref_in_the_way,
)
from hubkeep.git.queries_objects import insert_objects, lock_repo
from hubkeep.git.types import Ref, Revision
from hubkeep.kit.time import Millis

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
_HEX = re.compile(r"[0-9a-fA-F]{4,40}")


def branch_ref(branch: str) -> str:
    """Return the full name of a branch; a full name stays as it is."""
    return branch if branch.startswith("refs/") else BRANCHES + branch


def resolve(
    conn: Connection, repo_id: int, revision: str, *, default_branch: str = "main"
) -> Revision | None:
    """Return what a revision means, None if nothing.

    In this order: `HEAD`, a full ref name, a branch, a tag, a commit's id or at least four digits
    of it that no other commit begins with. A commit that no ref leads to any more is found until it
    is purged.
    """
    is_hex = _HEX.fullmatch(revision) is not None
    if len(revision) == 40 and is_hex:  # no branch or tag can have such a name
        return _by_digits(conn, repo_id, revision)
    name = default_branch if revision == "HEAD" else revision
    names = [BRANCHES + name, TAGS + name]
    if name.startswith("refs/"):
        names.insert(0, name)
    found = commits_at(conn, repo_id, names)
    for ref in names:
        if ref in found:
            return Revision(ref, found[ref])
    return _by_digits(conn, repo_id, revision) if is_hex else None


def _by_digits(conn: Connection, repo_id: int, digits: str) -> Revision | None:
    first = bytes.fromhex(digits.ljust(40, "0"))
    last = bytes.fromhex(digits.ljust(40, "f"))
    found = commits_between(conn, repo_id, first, last)
    return Revision(None, found[0]) if len(found) == 1 else None


def refs(conn: Connection, repo_id: int) -> list[Ref]:
    """Return all refs of a repository by their full names, sorted."""
    return list_refs(conn, repo_id)


def branch_exists(conn: Connection, repo_id: int, branch: str) -> bool:
    """Say whether there is a branch of this name."""
    name = branch_ref(branch)
    return name in commits_at(conn, repo_id, [name])


def create_branch(conn: Connection, repo_id: int, name: str, commit: bytes, at: Millis) -> None:
    """Make a branch at a commit. BadRef, RefExists, ObjectMissing."""
    _create(conn, repo_id, Ref(BRANCHES + name, commit, commit), at)


def delete_branch(conn: Connection, repo_id: int, name: str) -> bool:
    """Delete a branch; False if there is none. Its commits stay until they are purged."""
    lock_repo(conn, repo_id)
    return delete_ref(conn, repo_id, BRANCHES + name)


def create_tag(
    conn: Connection,
    repo_id: int,
    name: str,
    commit: bytes,
    *,
    tagger: Signature,
    at: Millis,
    message: str | None = None,
) -> None:
    """Tag a commit, by an annotated tag if there is a message. BadRef, RefExists, ObjectMissing."""
    oid = commit
    if message:
        check_ref_name(TAGS + name)
        payload = encode_tag(commit, name, tagger, at, message)
        oid = object_id(Kind.TAG, payload)
    _create(conn, repo_id, Ref(TAGS + name, oid, commit), at)
    if message:
        row = (oid, Kind.TAG, len(payload), deflate(payload), None)
        insert_objects(conn, repo_id, [row])


def delete_tag(conn: Connection, repo_id: int, name: str) -> bool:
    """Delete a tag; False if there is none."""
    lock_repo(conn, repo_id)
    return delete_ref(conn, repo_id, TAGS + name)


def _create(conn: Connection, repo_id: int, ref: Ref, at: Millis) -> None:
    check_ref_name(ref.name)
    lock_repo(conn, repo_id)
    other = ref_in_the_way(conn, repo_id, ref.name)
    if other is not None:
        raise RefExists(f"{other} exists" if other == ref.name else f"{other} is in the way")
    if ref.commit not in commits(conn, repo_id, [ref.commit]):
        raise ObjectMissing(f"There is no commit {ref.commit.hex()}")
    insert_ref(conn, repo_id, ref, at)

# SPDX-License-Identifier: Apache-2.0
"""Commits of the hub's own making: from the API, and the first one of a repository."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.content import attributes
from hubkeep.content.commit_body import CommitPlan, NewFile, Operation
from hubkeep.content.landing import land
from hubkeep.content.reading import revision_of
from hubkeep.content.wire import CopiedFile, DeletedPath, LfsFile
from hubkeep.git import store
from hubkeep.git.changes import (
    Change,
    CopyPath,
    DeletePath,
    NewCommit,
    PutFile,
    commit_changes,
)
from hubkeep.git.commits import Signature
from hubkeep.git.errors import (
    BadPath,
    BadRef,
    BranchMissing,
    BranchMoved,
    PathConflict,
    PathMissing,
)
from hubkeep.git.names import check_path
from hubkeep.git.objects import StagedBlob, pointer_bytes, stage_blob
from hubkeep.git.queries import has_refs
from hubkeep.git.store import BRANCHES
from hubkeep.identity.actor import Account, Actor
from hubkeep.kit.time import Millis
from hubkeep.repos.access import Visit
from hubkeep.repos.types import Repo
from hubkeep.transfer.queries import LinkedFile, WantedFile, link_for_commit

MAX_SOURCES = 100
_SHOWN = 5


def signature_of(user: Account | None) -> Signature:
    """Return the git identity of an account; addresses of people are not written into history."""
    name = user.name if user else "hubkeep"
    return Signature(name, f"{name}@users.noreply.hubkeep")


def commit_plan(
    conn: Connection, visitor: Visit, revision: str, plan: CommitPlan, now: Millis
) -> bytes:
    """Write the commit and all that follows from it; return the head's oid after it."""
    repo = visitor.repo
    header = plan.header
    if header is None:
        raise errors.bad_request("The commit has no header")
    branch = branch_named(conn, repo, revision)
    pointers: list[StagedBlob] = []
    with as_answers():
        linked = _linked(conn, repo, visitor.actor, branch, plan.operations, now)
        result = commit_changes(
            conn,
            repo.id,
            NewCommit(
                branch=branch,
                title=header.summary,
                body=header.description,
                author=signature_of(visitor.actor.user),
                author_id=visitor.actor.user_id,
                at=now,
                expected_parent=header.parent_commit,
            ),
            list(_changes(conn, repo, plan, linked, pointers)),
            chain(plan.spool, pointers),
        )
    if not result.is_noop:
        land(conn, repo, branch, result, now)
    return result.oid


def write_first_commit(
    conn: Connection, repo: Repo, actor: Actor, files: Mapping[str, bytes], now: Millis
) -> bytes:
    """Start a repository: `.gitattributes`, and `files` (small ones), on its default branch."""
    contents = {attributes.FILE: attributes.initial(repo.type), **files}
    return write_files(conn, repo, actor, "initial commit", contents, now)


def write_files(
    conn: Connection,
    repo: Repo,
    actor: Actor,
    title: str,
    files: Mapping[str, bytes],
    now: Millis,
) -> bytes:
    """Write small files by their paths in one commit to the default branch; return its oid."""
    blobs = {path: stage_blob(content) for path, content in files.items()}
    new = [NewFile(path, blob.without_data()) for path, blob in blobs.items()]
    _linked(conn, repo, actor, repo.default_branch, new, now)
    result = commit_changes(
        conn,
        repo.id,
        NewCommit(
            branch=repo.default_branch,
            title=title,
            body="",
            author=signature_of(actor.user),
            author_id=actor.user_id,
            at=now,
        ),
        [PutFile(file.path, file.blob) for file in new],
        blobs.values(),
    )
    land(conn, repo, repo.default_branch, result, now)
    return result.oid


def branch_named(conn: Connection, repo: Repo, revision: str) -> str:
    """Return the short name of the branch that a commit's address names.

    revision_not_found for what does not exist, 400 for what exists and is no branch. The default
    branch of a repository without any commit is one: its first commit makes it.
    """
    name = revision.removeprefix(BRANCHES)
    # The engine takes full names too; by one of those a commit would move a tag.
    if not name.startswith("refs/") and store.branch_exists(conn, repo.id, name):
        return name
    if name == repo.default_branch and not has_refs(conn, repo.id):
        return name
    if store.resolve(conn, repo.id, revision, default_branch=repo.default_branch) is None:
        raise errors.revision_not_found(revision)
    raise errors.bad_request(f"{revision!r} is not a branch: commits go to branches only")


def _linked(
    conn: Connection,
    repo: Repo,
    actor: Actor,
    branch: str,
    operations: Iterable[Operation],
    now: Millis,
) -> dict[bytes, LinkedFile]:
    """Link the large files that the commit names, be it by lines of their own or by pointers.

    A pointer that came as a regular file is held to the same rule: whoever knows the hash of a file
    has no right to it.
    """
    wanted: dict[bytes, WantedFile] = {}
    for oid, path, size in _named(operations):
        check_path(path)
        said = wanted.setdefault(oid, WantedFile(path, size, BRANCHES + branch))
        if said.size is None:
            wanted[oid] = replace(said, size=size)
        elif size not in (None, said.size):
            raise errors.bad_request(f"The commit gives the LFS file {oid.hex()} two sizes")
    return link_all(conn, repo, actor, wanted, now)


def link_all(
    conn: Connection, repo: Repo, actor: Actor, wanted: Mapping[bytes, WantedFile], now: Millis
) -> dict[bytes, LinkedFile]:
    """Link the large files of a commit by their sha256; 400 where one is missing or another."""
    result = link_for_commit(conn, repo, actor, wanted, now)
    if result.missing:
        named = ", ".join(f"{wanted[oid].path} ({oid.hex()})" for oid in result.missing[:_SHOWN])
        raise errors.bad_request(
            f"{len(result.missing)} LFS file(s) must be uploaded before the commit: {named}"
        )
    if result.wrong_size:
        oid = result.wrong_size[0]
        raise errors.bad_request(
            f"{wanted[oid].path!r} is said to have {wanted[oid].size} bytes, which is not the size "
            f"of the LFS file {oid.hex()}"
        )
    return result.found


def _named(operations: Iterable[Operation]) -> Iterator[tuple[bytes, str, int | None]]:
    """The large files that operations name: hash, path, and size where it is said."""
    for operation in operations:
        if isinstance(operation, LfsFile):
            yield bytes.fromhex(operation.oid), operation.path, operation.size
        elif isinstance(operation, NewFile) and (pointer := operation.blob.lfs) is not None:
            yield pointer.sha256, operation.path, pointer.size


def _changes(
    conn: Connection,
    repo: Repo,
    plan: CommitPlan,
    linked: Mapping[bytes, LinkedFile],
    pointers: list[StagedBlob],
) -> Iterator[Change]:
    sources = _Sources(conn, repo)
    for operation in plan.operations:
        match operation:
            case NewFile():
                yield PutFile(operation.path, operation.blob, operation.mode)
            case LfsFile():
                oid = bytes.fromhex(operation.oid)
                pointer = stage_blob(pointer_bytes(oid, linked[oid].size))
                pointers.append(pointer)
                yield PutFile(operation.path, pointer.without_data())
            case DeletedPath():
                yield DeletePath(operation.path)
            case CopiedFile():
                tree = sources.tree(operation.src_revision or repo.default_branch)
                yield CopyPath(operation.src_path, tree, operation.path)


class _Sources:
    """The revisions that a commit copies from, each looked up once: it may copy many files."""

    def __init__(self, conn: Connection, repo: Repo) -> None:
        self._conn = conn
        self._repo = repo
        self._trees: dict[str, bytes] = {}

    def tree(self, name: str) -> bytes:
        """Return the tree of a revision. revision_not_found, 400 for more than a commit may use."""
        known = self._trees.get(name)
        if known is not None:
            return known
        if len(self._trees) >= MAX_SOURCES:
            raise errors.bad_request(f"A commit copies from at most {MAX_SOURCES} revisions")
        tree = revision_of(self._conn, self._repo, name).tree
        self._trees[name] = tree
        return tree


@contextmanager
def as_answers() -> Generator[None]:
    """Turn what the git engine refuses into what clients expect."""
    try:
        yield
    except (BadPath, BadRef) as bad:
        raise errors.unprocessable(str(bad)) from bad
    except PathMissing as missing:
        raise errors.file_missing(missing.path) from missing
    except PathConflict as clash:
        raise errors.bad_request(str(clash)) from clash
    except BranchMissing as missing:
        raise errors.revision_not_found(str(missing)) from missing
    except BranchMoved as moved:
        raise errors.branch_moved() from moved

# SPDX-License-Identifier: Apache-2.0
"""Commits of the hub's own making: from the API, and the first one of a repository."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.content import attributes
from hubkeep.content.commit_body import CommitPlan, NewFile
from hubkeep.content.landing import land
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
from hubkeep.git.objects import StagedBlob, pointer_bytes, stage_blob
from hubkeep.git.refs import branch_exists
from hubkeep.git.store import BRANCHES
from hubkeep.identity.actor import Account, Actor
from hubkeep.kit.time import Millis
from hubkeep.repos.access import Visit
from hubkeep.repos.types import Repo
from hubkeep.transfer.queries import LinkedFile, WantedFile, link_for_commit

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
    linked = _linked(conn, visitor, branch, plan, now)
    pointers: list[StagedBlob] = []
    with as_answers():
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
            _chained(plan, pointers),
        )
    if not result.is_noop:
        land(conn, repo, branch, result, now)
    return result.oid


def write_first_commit(
    conn: Connection, repo: Repo, actor: Actor, files: Mapping[str, bytes], now: Millis
) -> bytes:
    """Start a repository: `.gitattributes`, and `files` (small ones), on its default branch."""
    contents = {attributes.FILE: attributes.initial(repo.type), **files}
    blobs = {path: stage_blob(content) for path, content in contents.items()}
    result = commit_changes(
        conn,
        repo.id,
        NewCommit(
            branch=repo.default_branch,
            title="initial commit",
            body="",
            author=signature_of(actor.user),
            author_id=actor.user_id,
            at=now,
        ),
        [PutFile(path, blob.without_data()) for path, blob in blobs.items()],
        blobs.values(),
    )
    land(conn, repo, repo.default_branch, result, now)
    return result.oid


def branch_named(conn: Connection, repo: Repo, revision: str) -> str:
    """Return the short name of the branch that a commit's address names.

    revision_not_found for what does not exist, 400 for what exists and is no branch.
    """
    name = revision.removeprefix(BRANCHES)
    if branch_exists(conn, repo.id, name):
        return name
    if store.resolve(conn, repo.id, revision, default_branch=repo.default_branch) is None:
        raise errors.revision_not_found(revision)
    raise errors.bad_request(f"{revision!r} is not a branch: commits go to branches only")


def _linked(
    conn: Connection, visitor: Visit, branch: str, plan: CommitPlan, now: Millis
) -> dict[bytes, LinkedFile]:
    """Link the large files that the commit names, be it by lines of their own or by pointers.

    A pointer that came as a regular file is held to the same rule: whoever knows the hash of a file
    has no right to it.
    """
    wanted: dict[bytes, WantedFile] = {}
    for operation in plan.operations:
        if isinstance(operation, LfsFile):
            oid = bytes.fromhex(operation.oid)
            wanted.setdefault(oid, WantedFile(operation.path, operation.size, BRANCHES + branch))
        elif isinstance(operation, NewFile) and (pointer := operation.blob.lfs) is not None:
            named = WantedFile(operation.path, pointer.size, BRANCHES + branch)
            wanted.setdefault(pointer.sha256, named)
    result = link_for_commit(conn, visitor.repo, visitor.actor, wanted, now)
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


def _changes(
    conn: Connection,
    repo: Repo,
    plan: CommitPlan,
    linked: Mapping[bytes, LinkedFile],
    pointers: list[StagedBlob],
) -> Iterator[Change]:
    for operation in plan.operations:
        match operation:
            case NewFile():
                yield PutFile(operation.path, operation.blob)
            case LfsFile():
                oid = bytes.fromhex(operation.oid)
                pointer = stage_blob(pointer_bytes(oid, linked[oid].size))
                pointers.append(pointer)
                yield PutFile(operation.path, pointer.without_data())
            case DeletedPath():
                yield DeletePath(operation.path)
            case CopiedFile():
                source = operation.src_revision or repo.default_branch
                found = store.resolve(conn, repo.id, source, default_branch=repo.default_branch)
                if found is None:
                    raise errors.revision_not_found(source)
                yield CopyPath(operation.src_path, found.tree, operation.path)


def _chained(plan: CommitPlan, pointers: Iterable[StagedBlob]) -> Iterator[StagedBlob]:
    yield from plan.spool
    yield from pointers


@contextmanager
def as_answers() -> Generator[None]:
    """Turn what the git engine refuses into what clients expect."""
    try:
        yield
    except (BadPath, BadRef) as bad:
        raise errors.unprocessable(str(bad)) from bad
    except PathMissing as missing:
        raise errors.HubError(
            404,
            f"A file with this name doesn't exist: {missing.path}",
            code="EntryNotFound",
        ) from missing
    except PathConflict as clash:
        raise errors.bad_request(str(clash)) from clash
    except BranchMissing as missing:
        raise errors.revision_not_found(str(missing)) from missing
    except BranchMoved as moved:
        raise errors.branch_moved() from moved

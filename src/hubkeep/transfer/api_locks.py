# SPDX-License-Identifier: Apache-2.0
"""Locks of git-lfs: who is at work on a file that cannot be merged, for the others to see.

The hub keeps them; it is git-lfs that holds a push back. A lock is of a path, on all branches.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.errors import HubError
from hubkeep.git.errors import BadPath
from hubkeep.git.names import MAX_PATH, MAX_REF, check_path
from hubkeep.http import read_cursor, read_json, read_query
from hubkeep.identity.rules import Action, can
from hubkeep.kit.cursors import encode_cursor
from hubkeep.kit.text import storable
from hubkeep.kit.time import wire
from hubkeep.repos.access import resource, visit
from hubkeep.transfer.queries_locks import (
    Lock,
    drop_lock,
    lock_by_id,
    lock_of_path,
    locks_after,
    take_lock,
)
from hubkeep.transfer.speech import lfs_answer, speaking_lfs
from hubkeep.transfer.wire import RefSpec
from hubkeep.transfer.wire_locks import (
    PAGE,
    LockLine,
    LockOwner,
    LockPage,
    LockRequest,
    LocksQuery,
    OneLock,
    UnlockRequest,
    VerifiedLocks,
    VerifyRequest,
)

if TYPE_CHECKING:
    from hubkeep.app import App


class _After(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A position in a list of locks, which goes by path."""

    path: Annotated[str, msgspec.Meta(max_length=MAX_PATH)]


@speaking_lfs
async def list_locks(app: "App", request: Request) -> Response:
    """List the locks of a repository, paged, or the one with a certain path or id."""
    query = read_query(request, LocksQuery)
    if query.path is not None:
        _check_path(query.path)
    after, limit = _after(query.cursor), _limit(query.limit)

    def work(conn: Connection) -> Sequence[Lock]:
        repo_id = visit(conn, request, Action.READ, app.clock()).repo.id
        if query.id is None and query.path is None:
            return locks_after(conn, repo_id, after, limit + 1)
        if query.id is not None:
            found = lock_by_id(conn, repo_id, query.id)
        else:
            found = lock_of_path(conn, repo_id, query.path or "")
        wanted = (None, found.path if found else None)
        return [found] if found is not None and query.path in wanted else []

    found = await app.db.read(work)
    shown = [_line(lock) for lock in found[:limit]]
    return lfs_answer(LockPage(shown, _next_cursor(found, limit)))


@speaking_lfs
async def create_lock(app: "App", request: Request) -> Response:
    """Lock a path, whether a file is there or not: 201, or 409 with the lock that it has."""
    wanted = await read_json(request, LockRequest)
    _check_path(wanted.path)
    ref = _ref_name(wanted.ref)

    def work(conn: Connection) -> tuple[Lock, bool]:
        now = app.clock()
        visitor = visit(conn, request, Action.WRITE, now)
        owner_id = visitor.actor.user_id
        assert owner_id is not None, "who may write is signed in"
        return take_lock(conn, visitor.repo.id, wanted.path, ref, owner_id, now)

    lock, is_new = await app.db.write(work)
    if not is_new:
        raise errors.already_locked(lock.path, lock.owner, _line(lock))
    return lfs_answer(OneLock(_line(lock)), 201)


@speaking_lfs
async def verify_locks(app: "App", request: Request) -> Response:
    """List the locks, paged, parted into those of who asks and those of others."""
    wanted = await read_json(request, VerifyRequest)
    after, limit = _after(wanted.cursor), _limit(wanted.limit)

    def work(conn: Connection) -> tuple[int | None, Sequence[Lock]]:
        visitor = visit(conn, request, Action.WRITE, app.clock())
        return visitor.actor.user_id, locks_after(conn, visitor.repo.id, after, limit + 1)

    user_id, found = await app.db.read(work)
    ours = [_line(lock) for lock in found[:limit] if lock.owner_id == user_id]
    theirs = [_line(lock) for lock in found[:limit] if lock.owner_id != user_id]
    return lfs_answer(VerifiedLocks(ours, theirs, _next_cursor(found, limit)))


@speaking_lfs
async def unlock(app: "App", request: Request) -> Response:
    """Take a lock away: one's own, or with `force`, for who administers the repository, any."""
    wanted = await read_json(request, UnlockRequest)

    def work(conn: Connection) -> Lock:
        visitor = visit(conn, request, Action.WRITE, app.clock())
        lock = lock_by_id(conn, visitor.repo.id, request.path_params["lock"])
        if lock is None:
            raise _no_lock()
        if lock.owner_id != visitor.actor.user_id:
            if not can(visitor.actor, Action.ADMINISTER, resource(visitor.repo)):
                raise errors.forbidden(
                    f"{lock.path} is locked by {lock.owner}; who administers the repository"
                    " may unlock it with --force"
                )
            if not wanted.force:
                raise errors.forbidden(
                    f"{lock.path} is locked by {lock.owner}; unlock it with --force"
                )
        if not drop_lock(conn, visitor.repo.id, lock.id):
            raise _no_lock()
        return lock

    return lfs_answer(OneLock(_line(await app.db.write(work))))


def _line(lock: Lock) -> LockLine:
    return LockLine(lock.id, lock.path, wire(lock.locked_at), LockOwner(lock.owner))


def _no_lock() -> HubError:
    return errors.not_found("There is no such lock; 'git lfs locks' lists those that there are")


def _after(cursor: str | None) -> str:
    position = read_cursor(cursor, _After)
    if position is not None and not storable(position.path):
        raise errors.bad_request("The cursor is not one that this list gave")
    return position.path if position else ""


def _limit(asked: int) -> int:
    return min(asked or PAGE, PAGE)


def _next_cursor(found: Sequence[Lock], limit: int) -> str:
    return encode_cursor(_After(found[limit - 1].path)) if len(found) > limit else ""


def _check_path(path: str) -> None:
    try:
        check_path(path)
    except BadPath as bad:
        raise errors.unprocessable(str(bad)) from bad


def _ref_name(ref: RefSpec | None) -> str | None:
    """Return the name of the ref that somebody is on; git-lfs says HEAD where it is on none."""
    if ref is None:
        return None
    if not storable(ref.name) or len(ref.name.encode()) > MAX_REF:
        raise errors.unprocessable("This cannot be the name of a ref")
    return ref.name

# SPDX-License-Identifier: Apache-2.0
"""Large files that one repository gets from another, without their bytes being sent.

The client asks here first and then commits, in the other repository, lines that name the files.
"""

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import json_answer, read_json
from hubkeep.identity.rules import Action
from hubkeep.repos.access import Visit, reach_named, visit
from hubkeep.repos.types import Repo, RepoType
from hubkeep.transfer.cas.checking import check_files
from hubkeep.transfer.queries import LinkedFile, link_from, linked_files
from hubkeep.transfer.rules import is_sha256
from hubkeep.transfer.wire import CopyFailed, CopyFiles, FilesCopied

if TYPE_CHECKING:
    from hubkeep.app import App

CHECKED_HERE = 256 << 20
"""Bytes of files that are checked while the client waits: a second. Larger ones have a job."""


async def copy_files(app: "App", request: Request) -> Response:
    """Link files of this repository to the one that the body names; say which could not be.

    A file that came by Xet is not given on before the hub has computed its sha256.
    """
    wanted = await read_json(request, CopyFiles)
    oids = [bytes.fromhex(one.sha256) for one in wanted.files if is_sha256(one.sha256)]
    await _check_small(app, await app.db.read(partial(_look, app, request, wanted, oids)))

    def work(conn: Connection) -> dict[bytes, LinkedFile]:
        visitor, target = _reached(app, request, wanted, conn)
        user_id, now = visitor.actor.user_id, app.clock()
        return link_from(conn, visitor.repo.id, target.id, user_id, oids, now)

    found = await app.db.write(work)
    failed = [
        CopyFailed(one.sha256, why)
        for one in wanted.files
        if (why := _why_not(one.sha256, found)) is not None
    ]
    return json_answer(FilesCopied(failed))


def _reached(
    app: "App", request: Request, wanted: CopyFiles, conn: Connection
) -> tuple[Visit, Repo]:
    """The repository that files are taken from, and the one that gets them."""
    visitor = visit(conn, request, Action.READ, app.clock())
    kind, name = RepoType(wanted.target.type), wanted.target.name
    return visitor, reach_named(conn, visitor.actor, kind, name, Action.WRITE)


def _look(
    app: "App", request: Request, wanted: CopyFiles, oids: list[bytes], conn: Connection
) -> list[LinkedFile]:
    """The files that have to be checked first; raises what forbids the whole."""
    visitor, _ = _reached(app, request, wanted, conn)
    held = linked_files(conn, visitor.repo.id, oids).values()
    return [file for file in held if not file.is_checked]


async def _check_small(app: "App", files: list[LinkedFile]) -> None:
    """Check what was sent just now, and takes no longer than a client waits."""
    left = CHECKED_HERE
    small: list[int] = []
    for file in sorted(files, key=lambda file: file.size):
        left -= file.size
        if left < 0:
            break
        small.append(file.file_id)
    if small:
        await check_files(app, small)


def _why_not(oid: str, found: dict[bytes, LinkedFile]) -> str | None:
    file = found.get(bytes.fromhex(oid)) if is_sha256(oid) else None
    if file is None:
        return "This repository has no such file"
    if not file.is_checked:
        return "This file is still being checked; try again in a while"
    return None

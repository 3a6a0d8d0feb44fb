# SPDX-License-Identifier: Apache-2.0
"""Clone and fetch: native `git upload-pack` on a cached repository, in all versions of git's
protocol.
"""

import asyncio
import os
import re
from collections.abc import Mapping
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from sqlalchemy import Connection
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.errors import HubError
from hubkeep.git.pktline import FLUSH, packet
from hubkeep.git.program import find_git
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit
from hubkeep.repos.types import Repo
from hubkeep.transfer.smart.push_body import PushBody
from hubkeep.transfer.smart.serving import Task, served
from hubkeep.transfer.smart.speech import NOT_CACHED, speaking_git

if TYPE_CHECKING:
    from hubkeep.app import App

REQUEST_LIMIT = 32 << 20
"""Bytes of what a client wants and has; some 600,000 refs."""
_ASKED = "application/x-git-upload-pack-request"
_NEWEST = {"GIT_PROTOCOL": "version=2"}
_VERSION = re.compile(r"version=([012])")


async def advertise_for_fetch(app: "App", request: Request) -> Response:
    """Tell a client what there is: refs in the old protocols, abilities in version 2."""
    repo = await _repo(app, request)
    env = _environment(request)
    headers = _headers("advertisement")
    if env == _NEWEST:
        return Response(await _abilities(app), headers=headers)
    before = packet(b"# service=git-upload-pack\n") + FLUSH
    task = Task(("upload-pack", "--stateless-rpc", "--advertise-refs", "."), env)
    return await served(app, request, repo, task, headers, before)


@speaking_git
async def upload_pack(app: "App", request: Request) -> Response:
    """Answer one request of a clone or a fetch.

    The whole request comes before it is git's turn, so that who sends it slowly keeps nobody
    waiting: it holds names of what is wanted and had, packed to a few kilobytes.
    """
    find_git()
    if request.headers.get("content-type", "").strip().lower() != _ASKED:
        raise HubError(415, f"A fetch is asked for with the content type {_ASKED}")
    await _repo(app, request)
    with TemporaryFile() as given:
        await _receive(request, given)
        # Whose right it was when the request began may have lost it since.
        repo = await _repo(app, request)
        task = Task(("upload-pack", "--stateless-rpc", "."), _environment(request), given)
        return await served(app, request, repo, task, _headers("result"))


async def _repo(app: "App", request: Request) -> Repo:
    def work(conn: Connection) -> Repo:
        return visit(conn, request, Action.READ, app.clock()).repo

    return await app.db.read(work)


async def _receive(request: Request, given: IO[bytes]) -> None:
    size = 0
    async for piece in PushBody(request):
        size += len(piece)
        if size > REQUEST_LIMIT:
            raise errors.too_large(f"A fetch may ask with at most {REQUEST_LIMIT} bytes")
        given.write(piece)


def _environment(request: Request) -> Mapping[str, str]:
    """Return the protocol that a client speaks, as git looks for it: nothing else of the header."""
    for part in request.headers.get("git-protocol", "").split(":"):
        found = _VERSION.fullmatch(part)
        if found is not None:
            return {"GIT_PROTOCOL": f"version={found[1]}"}
    return {}


async def _abilities(app: "App") -> bytes:
    """Return what git answers at first in version 2, asked once for each git that is installed: it
    is the same for all repositories, and each clone begins with it.
    """
    git = find_git()
    key = ("git-abilities", git, os.stat(git).st_mtime_ns)
    known = app.cache.get(key)
    if known is None:
        loop = asyncio.get_running_loop()
        known = await loop.run_in_executor(app.git_threads, app.git_cache.abilities)
        app.cache.put(key, known)
    return known


def _headers(what: str) -> MutableHeaders:
    media_type = f"application/x-git-upload-pack-{what}"
    return MutableHeaders({**NOT_CACHED, "Content-Type": media_type})

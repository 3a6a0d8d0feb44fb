# SPDX-License-Identifier: Apache-2.0
"""Push: the refs that are there, then what a client makes of them.

The refs come from the database, so that telling them takes no git. Protocol 0, the one that pushes
speak: https://git-scm.com/docs/gitprotocol-pack#_pushing_data_to_a_server
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.git.pktline import FLUSH, PacketReader, packet
from hubkeep.git.program import find_git
from hubkeep.git.queries import list_refs
from hubkeep.git.types import Ref
from hubkeep.identity.rules import Action
from hubkeep.identity.sessions import ask_for_proof
from hubkeep.repos.access import visit
from hubkeep.transfer.smart.push_answer import MEDIA_TYPE, PushAnswer, Told
from hubkeep.transfer.smart.push_body import PushBody
from hubkeep.transfer.smart.push_request import CAPABILITIES, BadPush, read_request
from hubkeep.transfer.smart.push_work import PushWork
from hubkeep.transfer.smart.speech import NOT_CACHED, speaking_git

if TYPE_CHECKING:
    from hubkeep.app import App

_SENT_TYPE = "application/x-git-receive-pack-request"
_REFS_TYPE = "application/x-git-receive-pack-advertisement"
_NO_OBJECT = bytes(20)


async def advertise_for_push(app: "App", request: Request) -> Response:
    """Tell who may push which refs there are; strangers are asked to sign in, 401."""
    ask_for_proof(request)

    def work(conn: Connection) -> list[Ref]:
        repo = visit(conn, request, Action.WRITE, app.clock()).repo
        return list_refs(conn, repo.id)

    refs = await app.db.read(work)
    find_git()
    return Response(_advertised(refs), headers=NOT_CACHED, media_type=_REFS_TYPE)


@speaking_git
async def receive_pack(app: "App", request: Request) -> Response:
    """Take a push in; the answer says of each ref what became of it, and why.

    The right to write is checked before the body is read, and again when the refs move.
    """

    def work(conn: Connection) -> int:
        return visit(conn, request, Action.WRITE, app.clock()).repo.id

    repo_id = await app.db.read(work)
    if request.headers.get("content-type", "") != _SENT_TYPE:
        raise errors.HubError(415, f"A push has the Content-Type {_SENT_TYPE}")
    body = PushBody(request)
    packets = PacketReader(aiter(body))
    try:
        push = await read_request(packets)
    except BadPush as bad:
        raise errors.bad_request(str(bad)) from bad
    if not push.commands:
        return Response(b"", headers=NOT_CACHED, media_type=MEDIA_TYPE)
    told = Told()
    pushing = PushWork(app, request, push, repo_id, body, told)
    outcome = asyncio.create_task(pushing.run(packets.rest()))
    over = asyncio.create_task(body.over.wait())
    await asyncio.wait({outcome, over}, return_when=asyncio.FIRST_COMPLETED)
    over.cancel()
    if outcome.done():
        outcome.result()  # what is raised is an answer of its own
    return PushAnswer(push, body, outcome, told)


def _advertised(refs: Sequence[Ref]) -> bytes:
    there = [(ref.oid, ref.name) for ref in refs] or [(_NO_OBJECT, "capabilities^{}")]
    lines = [f"{oid.hex()} {name}" for oid, name in there]
    lines[0] = f"{lines[0]}\0{CAPABILITIES}"
    parts = [packet(b"# service=git-receive-pack\n"), FLUSH]
    parts += (packet(f"{line}\n".encode()) for line in lines)
    return b"".join([*parts, FLUSH])

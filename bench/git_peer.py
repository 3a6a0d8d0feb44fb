# SPDX-License-Identifier: Apache-2.0
"""What git over HTTP is measured against: `git http-backend` as CGI, run under granian.

Bodies stream both ways; there are no tokens, no rights and no limits. The repositories lie in
the folder that BENCH_REPOSITORIES names.
"""

import asyncio
import os
from asyncio.subprocess import PIPE, Process

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

_PIECE = 1 << 18
_GIVEN = {
    "content-type": "CONTENT_TYPE",
    "content-length": "CONTENT_LENGTH",
    "content-encoding": "HTTP_CONTENT_ENCODING",
    "git-protocol": "GIT_PROTOCOL",
}


async def backend(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what `git http-backend` says."""
    if scope["type"] != "http":
        return
    request = Request(scope, receive)
    process = await asyncio.create_subprocess_exec(
        "git", "http-backend", stdin=PIPE, stdout=PIPE, env=_environment(request)
    )
    feeding = asyncio.create_task(_feed(process, request))
    try:
        # By hand: a StreamingResponse reads what the client sends, to see whether it goes away.
        await send(await _start(process))
        while piece := await _more(process):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await feeding
        await process.wait()


def _environment(request: Request) -> dict[str, str]:
    known = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PROJECT_ROOT": os.environ["BENCH_REPOSITORIES"],
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": request.url.path,
        "QUERY_STRING": request.url.query,
        "REQUEST_METHOD": request.method,
    }
    given = {_GIVEN[name]: text for name, text in request.headers.items() if name in _GIVEN}
    return known | given


async def _feed(process: Process, request: Request) -> None:
    assert process.stdin is not None
    try:
        async for piece in request.stream():
            process.stdin.write(piece)
            await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError, ClientDisconnect):
        pass  # git has all that it wants, or the client is gone
    process.stdin.close()


async def _start(process: Process) -> Message:
    assert process.stdout is not None
    status, headers = 200, []
    while line := (await process.stdout.readline()).strip():
        name, _, text = line.partition(b": ")
        if name == b"Status":
            status = int(text[:3])
        else:
            headers.append((name.lower(), text))
    return {"type": "http.response.start", "status": status, "headers": headers}


async def _more(process: Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.read(_PIECE)

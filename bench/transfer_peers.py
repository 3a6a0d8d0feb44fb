# SPDX-License-Identifier: Apache-2.0
"""The bare applications that transfers are measured against, run under granian.

`sender` is FileResponse, which leaves a whole file to granian (pathsend). `taker` writes
a body to a file, hashes it and syncs it: what no hub can do without.
"""

import hashlib
import os

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send


async def sender(scope: Scope, receive: Receive, send: Send) -> None:
    """Send the file that BENCH_FILE names, whatever is asked for."""
    if scope["type"] == "http":
        await FileResponse(os.environ["BENCH_FILE"])(scope, receive, send)


async def taker(scope: Scope, receive: Receive, send: Send) -> None:
    """Keep the body beside the file that BENCH_FILE names; the answer is its sha256."""
    if scope["type"] != "http":
        return
    hashed = hashlib.sha256()
    with open(os.environ["BENCH_FILE"] + ".taken", "wb") as file:  # noqa: ASYNC230 - the bare way
        async for piece in Request(scope, receive).stream():
            hashed.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    await Response(hashed.hexdigest())(scope, receive, send)

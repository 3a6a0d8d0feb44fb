# SPDX-License-Identifier: Apache-2.0
"""What a push is answered: signs of life while the hub works, what its user should read, and a
report on each ref.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hubkeep.git.pktline import FLUSH, packet, sideband
from hubkeep.transfer.smart.push_body import PushBody
from hubkeep.transfer.smart.push_request import PushRequest
from hubkeep.transfer.smart.push_rules import Verdicts
from hubkeep.transfer.smart.speech import NOT_CACHED

MEDIA_TYPE = "application/x-git-receive-pack-result"
KEEP_ALIVE_SECONDS = 5.0
_DATA = 1
_TOLD = 2
_STILL_HERE = packet(bytes([_DATA]))
_MAX_SAID = 200
_MAX_LINE = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a push: "ok" or why nothing of it could be read, the refs that were refused,
    and what its user is told besides.
    """

    unpack: str = "ok"
    verdicts: Verdicts = field(default_factory=dict)
    said: tuple[str, ...] = ()


class Told(asyncio.Queue[str | None]):
    """What the user is told while the work goes on, line by line; None when it is done."""

    def say(self, line: str) -> None:
        self.put_nowait(line)


class PushAnswer(Response):
    """Waits for the work and reports on it.

    The work is done to its end whatever becomes of the client: what it has begun to write down is
    either all there or not at all, and its folder is deleted.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self, push: PushRequest, body: PushBody, work: "asyncio.Task[Outcome]", told: Told
    ) -> None:
        self.status_code = 200
        self.background = None
        self.body = b""
        self.init_headers(NOT_CACHED)
        del self.headers["content-length"]
        self._push = push
        self._sent = body
        self._work = work
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the answer, as ASGI asks."""
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            if self._push.in_bands:
                await self._tell(send)
            answer = b"".join(written(self._push, await self._work))
            await send({"type": "http.response.body", "body": answer, "more_body": True})
            await self._sent.drain()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await asyncio.wait({self._work})

    async def _tell(self, send: Send) -> None:
        self._work.add_done_callback(lambda _: self._told.put_nowait(None))
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    line = await self._told.get()
            except TimeoutError:
                piece = _STILL_HERE
            else:
                if line is None:
                    return
                if self._push.is_quiet:
                    continue
                piece = b"".join(sideband(_TOLD, _line(line)))
            await send({"type": "http.response.body", "body": piece, "more_body": True})


def written(push: PushRequest, outcome: Outcome) -> Iterator[bytes]:
    """Yield the end of the answer, in the channels that the client chose."""
    report = b"".join(_report(push, outcome)) if push.wants_report else b""
    if not push.in_bands:
        yield report
        return
    for line in outcome.said[:_MAX_SAID]:
        yield from sideband(_TOLD, _line(line))
    yield from sideband(_DATA, report)
    yield FLUSH


def _report(push: PushRequest, outcome: Outcome) -> Iterator[bytes]:
    yield packet(f"unpack {_plain(outcome.unpack)}\n".encode())
    for command in push.commands:
        name = command.name.encode("utf-8", "surrogateescape")
        verdict = outcome.verdicts.get(command.name)
        if verdict is None:
            yield packet(b"ok %b\n" % name)
        else:
            yield packet(b"ng %b %b\n" % (name, _plain(verdict.reason).encode()))
    yield FLUSH


def _line(text: str) -> bytes:
    return f"{_plain(text)}\n".encode()


def _plain(text: str) -> str:
    """Text of one line, without what terminals would obey: parts of it come from who pushes."""
    shown = "".join(char if char.isprintable() else "?" for char in text[:_MAX_LINE])
    return shown.encode("utf-8", "replace").decode()

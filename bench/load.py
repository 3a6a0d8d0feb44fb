# SPDX-License-Identifier: Apache-2.0
"""HTTP load without a library: kept connections, whole requests sent as bytes, whole answers read.

A client that costs next to nothing, so that what is measured is the server.
"""

import re
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

import msgspec

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LINK = re.compile(rb'\r\nlink: *<([^>]+)>; rel="next"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `next_page` is the address that its Link header leads to."""

    status: int
    body: bytes
    next_page: str | None


class Caller:
    """One kept connection to a server. ConnectionError where it ends in the middle."""

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self.url = url
        self._host = parts.netloc
        self._token = token
        self.socket = socket.create_connection((parts.hostname, parts.port or 80))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def head(self, method: str, path: str, length: int = 0, kind: str = "json") -> bytes:
        """Return the head of a request."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", "Accept: */*"]
        if self._token:
            lines.append(f"Authorization: Bearer {self._token}")
        if method != "GET":
            lines += [f"Content-Length: {length}", f"Content-Type: application/{kind}"]
        return "\r\n".join([*lines, "", ""]).encode()

    def get(self, path: str) -> Answer:
        """Send a GET and read its answer."""
        self.socket.sendall(self.head("GET", path))
        return self.answer()

    def post(self, path: str, body: bytes, kind: str = "json") -> Answer:
        """Send a POST and read its answer."""
        self.socket.sendall(self.head("POST", path, len(body), kind) + body)
        return self.answer()

    def post_json(self, path: str, body: Mapping[str, object]) -> Answer:
        """Send JSON; RuntimeError for an answer that is no success."""
        answer = self.post(path, msgspec.json.encode(body))
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")
        return answer

    def answer(self) -> Answer:
        """Read one answer to its end."""
        while (end := self._read.find(b"\r\n\r\n")) < 0:
            self._more()
        head = self._read[: end + 2]
        length = _LENGTH.search(head)
        if length is None:
            raise ConnectionError("an answer without a length")
        total = end + 4 + int(length[1])
        parts, held = [self._read], len(self._read)
        while held < total:
            parts.append(self._received())
            held += len(parts[-1])
        whole = b"".join(parts)
        self._read = whole[total:]
        link = _LINK.search(head)
        return Answer(int(head[9:12]), whole[end + 4 : total], link[1].decode() if link else None)

    def _more(self) -> None:
        self._read += self._received()

    def _received(self) -> bytes:
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise ConnectionError("the server closed the connection")
        return piece

    def __enter__(self) -> "Caller":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()


def pump(streams: Sequence[tuple[Caller, Iterator[bytes]]]) -> list[Answer]:
    """Send each connection its requests, one at a time, over all of them at once.

    RuntimeError for an answer that is not 200.
    """
    answers: list[Answer] = []
    with selectors.DefaultSelector() as waiting:
        for caller, requests in streams:
            waiting.register(caller.socket, selectors.EVENT_READ, (caller, requests))
            caller.socket.sendall(next(requests))
        while waiting.get_map():
            for key, _ in waiting.select():
                caller, requests = key.data
                answer = caller.answer()
                if answer.status != 200:
                    raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")
                answers.append(answer)
                following = next(requests, None)
                if following is None:
                    waiting.unregister(caller.socket)
                else:
                    caller.socket.sendall(following)
    return answers


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started

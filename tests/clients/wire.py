# SPDX-License-Identifier: Apache-2.0
"""Requests as bytes on a socket, and connections that break where a test wants them to."""

import json
import select
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_PIECE = 64 << 10


def ndjson(*operations: tuple[str, Mapping[str, object]], summary: str = "test") -> bytes:
    """A commit's body: the header, then `(key, value)` a line."""
    lines = [("header", {"summary": summary}), *operations]
    return b"".join(json.dumps({"key": k, "value": v}).encode() + b"\n" for k, v in lines)


def request_bytes(
    method: str, path: str, body: bytes, headers: Mapping[str, str], *, chunks: int = 0
) -> bytes:
    """A whole HTTP/1.1 request; with `chunks`, its body in so many pieces and without a length."""
    head = {"Host": "127.0.0.1", "Connection": "close", **headers}
    if chunks:
        head["Transfer-Encoding"] = "chunked"
        step = max(1, -(-len(body) // chunks))
        pieces = [body[at : at + step] for at in range(0, len(body), step)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    else:
        head["Content-Length"] = str(len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def send_raw(url: str, data: bytes, *, seconds: float = 10) -> bytes:
    """Send bytes, and return all that comes back until the hub closes or has nothing to say."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=seconds) as sock:
        with suppress(OSError):  # refused before all was read: the answer may still be there
            sock.sendall(data)
        received = bytearray()
        with suppress(OSError):
            while piece := sock.recv(_PIECE):
                received += piece
        return bytes(received)


def send_cut(url: str, data: bytes) -> None:
    """Send bytes and break the connection at once, with a reset rather than a goodbye."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as sock:
        sock.sendall(data)
        # Closing with this option discards what was not sent and resets the connection.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


class CuttingProxy:
    """Passes connections on to a hub and breaks each of the first ones after so many bytes.

    `cuts` says for each connection in turn how many bytes of the watched direction may pass; those
    after the last are left alone. `seen` holds what clients sent, without most of large bodies.
    """

    def __init__(self, url: str, cuts: Sequence[int | None], *, upward: bool) -> None:
        self._target = (urlsplit(url).hostname, urlsplit(url).port)
        self._cuts = list(cuts)
        self._upward = upward
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.seen: list[bytes] = []
        self.broken = 0

    def serve(self) -> None:
        """Take connections until the proxy is closed."""
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as hub:
            passed = 0
            while True:
                ready, _, _ = select.select([client, hub], [], [], 30)
                for source in ready:
                    data = _received(source)
                    if source is client:
                        self.seen.append(data[:2000])
                    if (source is client) == self._upward:
                        passed += len(data)
                        if self._cuts and self._cuts[0] is not None and passed > self._cuts[0]:
                            del self._cuts[0]
                            self.broken += 1
                            return
                    if not data or not _sent(hub if source is client else client, data):
                        return
                if not ready:
                    return


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(_PIECE)
    except OSError:
        return b""


def _sent(target: socket.socket, data: bytes) -> bool:
    try:
        target.sendall(data)
    except OSError:
        return False
    return True


@contextmanager
def cutting_proxy(
    url: str, cuts: Sequence[int | None], *, upward: bool = False
) -> Iterator[CuttingProxy]:
    """Run a CuttingProxy before a hub; by default it counts what the hub sends."""
    proxy = CuttingProxy(url, cuts, upward=upward)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(10)

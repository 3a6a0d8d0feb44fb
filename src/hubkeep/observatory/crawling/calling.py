# SPDX-License-Identifier: Apache-2.0
"""Asking a hub: one address at a time, again where that may help, and nobody else but the hub."""

import http.client
import random
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from hubkeep.observatory.crawling.decoding import NotJson, decoded
from hubkeep.observatory.crawling.endpoint import Endpoint
from hubkeep.observatory.crawling.failure import CrawlFailed, Stopped, TooMuch
from hubkeep.observatory.crawling.pace import Pace, retry_after, window

MAX_BODY: Final = 32 << 20
"""Most bytes of an answer, unpacked. A page of a thousand models has two to four million."""

ATTEMPTS: Final = 8
LONGEST_WAIT: Final = 900.0
"""Seconds that a hub may ask to wait. One that asks for more is to be asked another time."""

_BEFORE_FIRST: Final = 3
_TIMEOUT: Final = 60.0
_SLOWEST: Final = 300.0
_PIECE: Final = 1 << 16
_REDIRECTS: Final = 5
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_AGAIN: Final = frozenset({408, 425, 429})
_LONGEST_TEXT: Final = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hub said for good: `value` is its JSON where the status is 200, else `text` its words.

    Names of headers are in lower case.
    """

    status: int
    headers: Mapping[str, str]
    value: object = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a request is to be sent again, and how many seconds later, if the hub says it."""

    why: str
    wait: float | None = None
    is_of_work: bool = False


class Caller:
    """Sends requests to one hub; several threads may share it.

    The token goes to this hub alone: addresses elsewhere, be it by redirection, are refused.
    Certificates are verified.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        pace: Pace,
        token: str | None = None,
        max_body: int = MAX_BODY,
        timeout: float = _TIMEOUT,
    ) -> None:
        self.endpoint = endpoint
        self._pace = pace
        self._max_body = max_body
        self._timeout = timeout
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"hubkeep/{version('hubkeep')} (+snapshot crawl)",
        }
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._tls = ssl.create_default_context() if endpoint.scheme == "https" else None
        self._idle: list[http.client.HTTPConnection] = []
        self._open: set[http.client.HTTPConnection] = set()
        self._lock = threading.Lock()
        self._has_answered = False

    def get(self, target: str) -> Answer:
        """Ask for a target until the hub answers it or refuses it for good.

        CrawlFailed where it does neither after some attempts, or asks to wait for too long; TooMuch
        where the answer is too large, or times out again and again.
        """
        trouble = _Trouble("")
        for attempt in range(ATTEMPTS):
            self._pace.turn()
            said = self._try(target)
            if isinstance(said, Answer):
                return said
            trouble = said
            if not self._has_answered and attempt + 1 == _BEFORE_FIRST:
                break
            if attempt + 1 < ATTEMPTS:
                self._wait(trouble, attempt)
        kind = TooMuch if trouble.is_of_work else CrawlFailed
        raise kind(f"{self.endpoint.url} does not answer {_plain(target)}: {trouble.why}")

    def interrupt(self) -> None:
        """Cut all connections: who waits for an answer on one gets an error."""
        with self._lock:
            for connection in self._open:
                sock = connection.sock
                if sock is not None:
                    # The other side may have hung up already.
                    with suppress(OSError):
                        sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close all connections; nobody may be waiting on one."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
            self._idle.clear()

    def _wait(self, trouble: _Trouble, attempt: int) -> None:
        if trouble.wait is None:
            self._pace.sleep(min(2.0**attempt, 60.0) * random.uniform(0.5, 1.0))
            return
        if trouble.wait > LONGEST_WAIT:
            raise CrawlFailed(
                f"{self.endpoint.url} asks to wait {trouble.wait / 60:.0f} minutes ({trouble.why})"
            )
        self._pace.hold(trouble.wait + random.uniform(0.0, 1.0))

    def _try(self, target: str) -> Answer | _Trouble:
        """Send one request, and further ones where it is redirected."""
        try:
            for _ in range(_REDIRECTS + 1):
                status, headers, body = self._exchange(target)
                if status not in _MOVED or "location" not in headers:
                    return self._understood(status, headers, body)
                target = self.endpoint.follow(target, headers["location"])
        except ssl.SSLCertVerificationError as error:
            raise CrawlFailed(
                f"the certificate of {self.endpoint.url} cannot be trusted: "
                f"{error.verify_message}; for an authority of your own set SSL_CERT_FILE"
            ) from error
        except (OSError, http.client.HTTPException, zlib.error) as error:
            if self._pace.stopped:
                raise Stopped from error
            is_slow = isinstance(error, TimeoutError)
            return _Trouble(_why(error), is_of_work=is_slow)
        raise CrawlFailed(f"{self.endpoint.url} redirects {_plain(target)} again and again")

    def _understood(
        self, status: int, headers: Mapping[str, str], body: bytes
    ) -> Answer | _Trouble:
        if status in _AGAIN or (status >= 500 and status != 501):
            self._has_answered = True
            why = f"{status} {_text(body)[:_LONGEST_TEXT]}".strip()
            return _Trouble(why, retry_after(headers), status == 504)
        if (seconds := window(headers)) is not None:
            self._pace.hold(min(seconds, LONGEST_WAIT))
        if status != 200:
            return Answer(status, headers, text=_text(body))
        try:
            value = decoded(body)
        except NotJson as error:
            return _Trouble(f"its answer is no JSON: {error}")
        self._has_answered = True
        return Answer(status, headers, value)

    def _exchange(self, target: str) -> tuple[int, Mapping[str, str], bytes]:
        connection = self._connection()
        is_whole = False
        try:
            connection.request("GET", target, headers=self._headers)
            response = connection.getresponse()
            body = self._body(response)
            is_whole = not response.will_close
            names = {name.lower() for name in response.headers}
            headers = {
                name: ", ".join(response.headers.get_all(name) or ()) for name in sorted(names)
            }
            return response.status, headers, body
        finally:
            with self._lock:
                if is_whole:
                    self._idle.append(connection)
                else:
                    self._open.discard(connection)
            if not is_whole:
                connection.close()

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        """Read an answer to its end, unpacked; an error where it is cut off, or TooMuch."""
        packed = response.headers.get("Content-Encoding", "identity").strip().lower()
        if packed not in ("identity", "gzip"):
            raise http.client.HTTPException(f"it is packed as {packed[:40]}")
        unpack = zlib.decompressobj(wbits=31) if packed == "gzip" else None
        parts, size, late = [], 0, time.monotonic() + _SLOWEST
        while piece := response.read1(_PIECE):
            if time.monotonic() > late:
                raise TimeoutError(f"it was not there after {_SLOWEST:.0f} seconds")
            if unpack is not None:
                piece = unpack.decompress(piece, self._max_body + 1)
            size += len(piece)
            if size > self._max_body:
                raise TooMuch(f"{self.endpoint.url} answers with more than {self._max_body} bytes")
            parts.append(piece)
        if response.length or (unpack is not None and size and not unpack.eof):
            raise http.client.HTTPException("it was cut off")
        # Which leaves the connection for the next one: read1 does not.
        response.close()
        return b"".join(parts)

    def _connection(self) -> http.client.HTTPConnection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        where = (self.endpoint.host, self.endpoint.port)
        made = (
            http.client.HTTPSConnection(*where, timeout=self._timeout, context=self._tls)
            if self._tls
            else http.client.HTTPConnection(*where, timeout=self._timeout)
        )
        with self._lock:
            self._open.add(made)
        return made


def _text(body: bytes) -> str:
    """What a refusal says, as one line."""
    try:
        said = decoded(body)
    except NotJson:
        said = None
    if isinstance(said, dict) and isinstance(said.get("error"), str):
        text = said["error"]
    else:
        text = body[: 1 << 14].decode("utf-8", "replace")
        if text.lstrip().startswith("<"):
            return ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _why(error: Exception) -> str:
    text = " ".join(str(error).split())[:_LONGEST_TEXT]
    return text or type(error).__name__


def _plain(target: str) -> str:
    return target.partition("?")[0][:_LONGEST_TEXT]

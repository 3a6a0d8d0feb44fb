# SPDX-License-Identifier: Apache-2.0
"""A hub on the loopback that speaks the API as a crawl needs it, and breaks as it is told."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request: where to, and its number, from one."""

    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    number: int

    @property
    def cursor(self) -> int:
        return int(self.query.get("cursor", ["0"])[0])


@dataclass(frozen=True)
class Said:
    """An answer: JSON, or bytes as they are; of `cut` it sends so many bytes and hangs up."""

    status: int = 200
    value: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut: int | None = None


Fault = Callable[[Asked], Said | None]


class FakeHub:
    """Lists in pages of `page` rows, overviews of accounts, and a `fault` that comes first."""

    def __init__(
        self,
        page: int = 3,
        accounts: Mapping[str, Row] | None = None,
        fault: Fault = lambda _: None,
        **lists: Sequence[Row],
    ) -> None:
        self.page = page
        self.lists: dict[str, list[Row]] = {name: list(rows) for name, rows in lists.items()}
        self.accounts = dict(accounts or {})
        self.fault = fault
        self.asked: list[Asked] = []
        self.url = ""
        self.server: Any = None
        self._lock = threading.Lock()

    def paths(self, of: str = "") -> list[str]:
        """The paths that were asked for, those with `of` in them."""
        return [one.path for one in self.asked if of in one.path]

    def cursors(self, of: str = "models") -> list[int]:
        """Where the pages began that were asked for."""
        return [one.cursor for one in self.asked if one.path == f"/api/{of}"]

    def answer(self, target: str, headers: Mapping[str, str]) -> Said:
        parts = urlsplit(target)
        with self._lock:
            asked = Asked(parts.path, parse_qs(parts.query), headers, len(self.asked) + 1)
            self.asked.append(asked)
        return self.fault(asked) or self.plain(asked)

    def plain(self, asked: Asked) -> Said:
        """What it says where nothing is wrong."""
        kind, _, rest = asked.path.removeprefix("/api/").partition("/")
        if kind in self.lists and not rest:
            return self.rows(asked, self.lists[kind])
        name = rest.removesuffix("/overview")
        found = self.accounts.get(name)
        if found is None or (kind == "organizations") != (found.get("type") == "org"):
            return Said(404, {"error": "Not found"})
        return Said(value=found)

    def rows(self, asked: Asked, rows: Sequence[Row]) -> Said:
        """A page of a list, with the address of the next one."""
        start = asked.cursor
        size = min(self.page, int(asked.query.get("limit", ["1000"])[0]))
        following = start + size
        link = {}
        if following < len(rows):
            query = {**asked.query, "cursor": following}
            href = f"{self.url}{asked.path}?{urlencode(query, doseq=True)}"
            link = {"Link": f'<{href}>; rel="next"'}
        return Said(value=rows[start:following], headers=link)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def do_GET(self) -> None:
        said = self.hub.answer(self.path, {k.lower(): v for k, v in self.headers.items()})
        body = said.body if said.body is not None else json.dumps(said.value).encode()
        self.send_response(said.status)
        headers = {"Content-Type": "application/json", "Content-Length": len(body)}
        for name, value in {**headers, **said.headers}.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body if said.cut is None else body[: said.cut])
        self.wfile.flush()
        if said.cut is not None:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        """Nothing: tests look at what was asked."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: who hangs up in the middle is part of many tests."""


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[_Server]:
    """Serve on a port of the loopback until the context ends."""
    with _Server(("127.0.0.1", 0), handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def served(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve a hub until the context ends."""
    with serving(type("Handler", (_Handler,), {"hub": hub})) as server:
        hub.server = server
        hub.url = f"http://127.0.0.1:{server.server_port}"
        yield hub


def models(count: int, **more: Any) -> list[Row]:
    """So many models, newest first, of three owners."""
    return [
        {
            "id": f"owner{n % 3}/model-{n:03}",
            "createdAt": f"2024-01-{28 - n % 28:02}T00:00:00.000Z",
            "downloads": n * 10,
            "likes": n,
            "private": False,
            "tags": ["license:mit", f"base_model:finetune:base/b{n % 2}", "en"],
            **more,
        }
        for n in range(count)
    ]

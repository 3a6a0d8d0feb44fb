# SPDX-License-Identifier: Apache-2.0
"""The hub as an ASGI application: match, handle, answer; the only place that catches everything.

What came to the content origin is looked up in a table of its own, so that neither origin has any
address of the other.

Written as one plain ASGI callable, since middleware classes that wrap responses break streaming and
cost more than the routing does.
"""

import asyncio
import logging
import re
import time
import uuid
from contextlib import AsyncExitStack, suppress
from itertools import count
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from hubkeep import errors
from hubkeep.app import App, open_app
from hubkeep.blobs import NoSpace, StoreUnavailable
from hubkeep.config import Config
from hubkeep.db import DatabaseFull, DatabaseUnavailable
from hubkeep.errors import HubError, Moved
from hubkeep.http import raw_path
from hubkeep.identity.actor import ANONYMOUS, Actor
from hubkeep.identity.queries_sessions import touch_session
from hubkeep.identity.sessions import FORM_HEADER, session_in_use
from hubkeep.kit.routing import Router, WrongMethod
from hubkeep.kit.text import header_safe
from hubkeep.kit.time import Clock, now
from hubkeep.route import Route
from hubkeep.routes import build_router
from hubkeep.routes_content import content_routes
from hubkeep.web.lost import error_page, who_is_lost
from hubkeep.web.origin.answers import content_error

HEAD_LIMIT = 64 << 10
"""Bytes of header fields; the server itself would take some 400 KiB."""

log = logging.getLogger("hubkeep.http")

LINGER_BYTES = 64 << 20
LINGER_SECONDS = 15.0
_EXPOSED = (
    "X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,"
    "Content-Range,Content-Disposition,X-Linked-Size,X-Linked-ETag,X-Xet-Hash"
)
# Nothing that scripts of other pages would need: what loopback callers alone are told, such as the
# metrics, must not be read by whatever page a browser on this machine has open.
_OWN_PAGES_ONLY = frozenset({"pages", "operations"})
# JavaScript's client does not encode the slashes of `refs/pr/1` in some calls.
_BARE_REF = re.compile(
    r"^(/(?:api/)?(?:(?:models|datasets|spaces|kernels)/)?[^/]+/[^/]+/"
    r"(?:tree|resolve|raw|blob|revision|commits|commit|preupload|paths-info|compare|tag)/)"
    r"refs/(pr|convert|heads|tags)/([^/]+)"
)


class Hub:
    """The application; opens its App at lifespan startup and closes it at shutdown."""

    def __init__(self, config: Config, clock: Clock = now) -> None:
        self._config = config
        self._clock = clock
        self._stack = AsyncExitStack()
        self._app: App | None = None
        self._router: Router[Route] = build_router()
        self._content_router: Router[Route] = build_router(content_routes())
        # Ids of requests are unique, not secret: asking the system for chance each time lets
        # another thread have the interpreter, which costs more than the rest of `_Exchange`.
        self._ids = uuid.uuid4().hex[:16]
        self._numbers = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def start(self) -> App:
        """Open the App, as lifespan startup does; for embedding and tests."""
        opened = open_app(self._config, self._clock)
        self._app = await self._stack.enter_async_context(opened)
        return self._app

    async def stop(self) -> None:
        """Flush and close everything."""
        await self._stack.aclose()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None, "lifespan startup comes first"
        body = _Body(receive)
        request = Request(scope, body)
        exchange = _Exchange(request, send, f"{self._ids}{next(self._numbers):016x}")
        started = time.perf_counter()
        try:
            response = await self._answer(request, exchange)
            await response(scope, receive, exchange.send)
            if exchange.status >= 400 and _has_body(request):
                await body.drain()
            await self._note_session(request)
        except ClientDisconnect:
            log.debug("client left %s", scope["path"])
        except Exception:
            if exchange.started:
                raise  # the answer is under way: the server closes the connection
            log.exception("request %s to %s failed", exchange.id, exchange.route)
            failed = self._refusal(request, errors.internal(exchange.id))
            await failed(scope, receive, exchange.send)
        finally:
            metrics = self._app.metrics
            metrics.requests.labels(exchange.route, exchange.status).inc()
            metrics.seconds.labels(exchange.route).observe(time.perf_counter() - started)

    async def _answer(self, request: Request, exchange: "_Exchange") -> Response:
        assert self._app is not None
        path = _path(request)
        is_content = self._app.addresses.is_content(request)
        try:
            if request.method == "OPTIONS":
                return _preflight(request)
            if sum(len(name) + len(value) for name, value in request.scope["headers"]) > HEAD_LIMIT:
                raise errors.head_too_large(HEAD_LIMIT)
            router = self._content_router if is_content else self._router
            found = router.match(request.method, path)
            if found is None:
                raise errors.nothing_at(path)
            if isinstance(found, WrongMethod):
                raise errors.method_not_allowed(found.allowed)
            exchange.found(found.target)
            request.scope["hubkeep.scheme"] = self._app.addresses.scheme(request)
            request.scope["path_params"] = found.params
            return await found.target.handler(self._app, request)
        except Moved as moved:
            return _redirect(path, request.url.query, moved)
        except HubError as error:
            actor = ANONYMOUS if is_content else await who_is_lost(self._app, request)
            return self._refusal(request, error, actor)
        except (DatabaseFull, NoSpace):
            return self._refusal(request, errors.no_space())
        except (DatabaseUnavailable, StoreUnavailable) as error:
            log.warning("storage unavailable: %s", error)
            return self._refusal(request, errors.unavailable())

    async def _note_session(self, request: Request) -> None:
        """Write down that a session is in use, if that is due, once nobody waits for it."""
        assert self._app is not None
        session = session_in_use(request)
        if session is None:
            return
        try:
            await self._app.db.write(lambda conn: touch_session(conn, session, self._clock()))
        except (DatabaseFull, DatabaseUnavailable) as error:
            log.warning("cannot note that a session is in use: %s", error)

    def _refusal(self, request: Request, error: HubError, actor: Actor = ANONYMOUS) -> Response:
        assert self._app is not None
        if self._app.addresses.is_content(request):
            return content_error(self._app, request, error)
        if FORM_HEADER in request.headers:
            # A page's own script: a session is what is missing, and the browser would ask its user
            # for a password, which does not bring one.
            error.headers.pop("WWW-Authenticate", None)
        is_of_api = request.url.path.startswith("/api/")
        page = None if is_of_api else error_page(self._app, request, error, actor)
        return page or errors.render(error)


class _Body:
    """A request's body on its way in; remembers whether all of it came."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_over = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self._is_over = not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Read on for a while after a refusal that did not wait for the end.

        A connection that is closed on unread bytes is reset, and a client that is still sending
        never gets to read why.
        """
        left = LINGER_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._is_over and left > 0:
                    left -= len((await self()).get("body", b""))


def _has_body(request: Request) -> bool:
    headers = request.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


class _Exchange:
    """One answer on its way out: request id, CORS, no body on HEAD, and what the metrics want."""

    def __init__(self, request: Request, send: Send, own_id: str) -> None:
        headers = request.headers
        given = headers.get("x-request-id") or headers.get("x-amzn-trace-id") or ""
        self.id = header_safe(given)[:128] or own_id
        self.route = "none"
        self.status = 0
        self.started = False
        self._send = send
        self._head = request.method == "HEAD"
        self._cross_origin = "origin" in headers

    def found(self, route: Route) -> None:
        """Take note of whose answer this is."""
        self.route = route.pattern
        self._cross_origin = self._cross_origin and route.area not in _OWN_PAGES_ONLY

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self._extra_headers()]
        elif self._head and message["type"].startswith("http.response.pathsend"):
            message = {"type": "http.response.body", "body": b""}
        elif self._head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    def _extra_headers(self) -> list[tuple[bytes, bytes]]:
        extra = [(b"x-request-id", self.id.encode()), (b"x-content-type-options", b"nosniff")]
        if self._cross_origin:
            # Tokens travel in headers, never in cookies, on these routes: any origin may ask.
            extra.append((b"access-control-allow-origin", b"*"))
            extra.append((b"access-control-expose-headers", _EXPOSED.encode()))
        return extra


def _path(request: Request) -> str:
    return _BARE_REF.sub(lambda m: f"{m[1]}refs%2F{m[2]}%2F{m[3]}", raw_path(request))


def _preflight(request: Request) -> Response:
    wanted = request.headers.get("access-control-request-headers", "authorization, content-type")
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": header_safe(wanted),
            "Access-Control-Max-Age": "86400",
        },
    )


def _redirect(path: str, query: str, moved: Moved) -> Response:
    """Relative, for old clients; the rest of the path and the query are kept as they were sent.

    It begins with one slash: after two a browser would take the namespace for a host.
    """
    steps = path.lstrip("/").split("/")
    old = moved.old.lower().split("/")
    for at in range(len(steps) - len(old) + 1):
        *above, name = (unquote(step).lower() for step in steps[at : at + len(old)])
        if [*above, name.removesuffix(".git")] == old:
            suffix = ".git" if name.endswith(".git") else ""
            steps[at : at + len(old)] = [moved.new + suffix]
            break
    target = "/" + "/".join(steps)
    return RedirectResponse(f"{target}?{query}" if query else target, 307)

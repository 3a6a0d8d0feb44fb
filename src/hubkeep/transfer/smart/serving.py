# SPDX-License-Identifier: Apache-2.0
"""What git says of a cached repository, passed on to a client as it comes.

What git says in its first second is held back, if it is not much, until it has ended: so long a
cache that was deleted or damaged under its hands can be made again, and the client notices nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final, TypeVar

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request

from hubkeep import errors
from hubkeep.git.fetch.cache import CachedRepository
from hubkeep.git.program import GitFailed, Limits, end, said, start
from hubkeep.repos.types import Repo
from hubkeep.transfer.sending import Pieces
from hubkeep.transfer.smart.turns import take_turn

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.git")

T = TypeVar("T")

TURN_SECONDS: Final = 30.0
SLOW_SECONDS: Final = 1.0
"""For how long in all git may wait for its client to take what it says, and keep its turn."""
SILENCE_SECONDS: Final = 120.0
"""How long a client may take nothing before git is ended."""
PATIENT_SECONDS: Final = 60.0
"""How long git waits in all for a client that takes less than LEAST_RATE."""
LEAST_RATE: Final = 16 << 10
"""Bytes that a client takes in each second that git waits for it, or git is ended."""
REFUSED: Final = "git cannot answer this request; the hub's log says why"
LIMITS: Final = Limits(cpu_seconds=900, memory=2 << 30, file_bytes=1 << 30)
_PIECE = 256 << 10
_COMPLAINT = 4000
_TRIES = 2
_HELD_SECONDS = 1.0
_HELD_BYTES = 64 << 10
# git mentions what it cannot find among refs and objects, and goes on as if it were not there.
_WRONG = (b"error:", b"fatal:")


@dataclass(frozen=True, slots=True)
class Task:
    """A run of git in a bare repository: what it is told, and what it is given to read."""

    arguments: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    given: IO[bytes] | None = None


async def served(
    app: "App",
    request: Request,
    repo: Repo,
    task: Task,
    headers: MutableHeaders,
    before: bytes = b"",
) -> Pieces:
    """Return the answer that sends what git prints, behind `before`.

    503 where its turn does not come for long, 400 where git refuses what it was given and says
    nothing that its client would understand: what it says to us may name folders of this machine,
    so that is for the log alone. GitMissing, ClientDisconnect. The request's body must have been
    read.
    """
    for left in reversed(range(_TRIES)):
        serving = _Serving(app, repo, task, before)
        try:
            await _unless_gone(request, serving.begin())
            if serving.failure is None or (serving.is_told and await serving.is_sound()):
                return Pieces(serving, 200, headers)
            if not left or await serving.is_sound():
                log.warning("git refused a request for %d: %s", repo.id, serving.failure)
                raise errors.bad_request(REFUSED)
        except BaseException:
            serving.close()
            raise
        serving.close()
        log.warning("the cache of repository %d is damaged: %s", repo.id, serving.failure)
        await _in_thread(app, lambda: app.git_cache.forget(repo.id))
    raise AssertionError("unreachable")


class _Serving:
    """One run of git, from its turn to its last byte; `close` gives back all that it has."""

    def __init__(self, app: "App", repo: Repo, task: Task, before: bytes) -> None:
        self._app = app
        self._repo = repo
        self._task = task
        self._before = before
        self._has_turn = False
        self._is_slow = False
        self._waited = 0.0
        """Seconds for which the client kept us waiting, and the bytes that it took by then."""
        self._taken = 0
        self._cut_for: str | None = None
        self._current: AbstractContextManager[CachedRepository] | None = None
        self._cached: CachedRepository | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._ahead: list[bytes] = []
        self._complaint = b""
        self.failure: str | None = None
        """Why git ended without an answer; None if it did not, or not yet."""
        self.is_told = False
        """Whether git has told its client so, in a packet line of its own."""
        self._is_over = False

    async def begin(self) -> None:
        """Start git and wait until it has said all, or much, or something for a while."""
        await self._take_turn()
        self._cached = await self._brought_up()
        try:
            self._process = await self._started(self._cached)
        except FileNotFoundError:
            self._is_over = True
            self.failure = "its folder is gone"
            return
        self._listening = asyncio.create_task(self._listen())
        with suppress(TimeoutError):
            await self._read_ahead()
            async with asyncio.timeout(_HELD_SECONDS):
                while not self._is_over and sum(map(len, self._ahead)) < _HELD_BYTES:
                    await self._read_ahead()

    async def _take_turn(self) -> None:
        """Wait for a turn at a moment when nobody else brings the repository up to date: that may
        take minutes, and whoever waited for it with a turn would keep others from theirs.
        """
        builds, repo_id = self._app.git_builds, self._repo.id
        while not self._has_turn:
            while repo_id in builds:
                await asyncio.wait({builds[repo_id]})
            await take_turn(self._app, TURN_SECONDS)
            self._has_turn = True
            if repo_id in builds:
                self._give_turn_back()

    async def _brought_up(self) -> CachedRepository:
        app, repo = self._app, self._repo
        current = app.git_cache.current(app.db, repo.id, repo.default_branch)
        # A thread cannot be stopped: the work goes on without a client that leaves meanwhile.
        build = asyncio.ensure_future(_in_thread(app, current.__enter__))
        app.git_builds[repo.id] = build
        build.add_done_callback(lambda _: app.git_builds.pop(repo.id))
        cached = await asyncio.shield(build)
        self._current = current
        return cached

    async def _started(self, cached: CachedRepository) -> asyncio.subprocess.Process:
        given = self._task.given
        if given is not None:
            given.seek(0)
        env = {"GIT_DIR": ".", **self._task.env}
        locks = (cached.lock,)
        return await start(
            self._task.arguments, cached.path, LIMITS, env=env, pass_fds=locks, given=given
        )

    async def is_sound(self) -> bool:
        """Whether the repository has all that its refs lead to: then it was the client's fault."""
        cached = self._cached
        return cached is not None and await _in_thread(self._app, cached.is_sound)

    def close(self) -> None:
        """End git with all that it started, and give turn and repository back. Waits for
        nothing, since it is called where a task is cancelled.
        """
        if self._listening is not None:
            self._listening.cancel()
        if self._process is not None and self._process.returncode is None:
            end(self._process.pid)
        self._cached = None
        if self._current is not None:
            self._current.__exit__(None, None, None)
            self._current = None
        self._give_turn_back()
        if self._is_slow:
            self._is_slow = False
            self._app.git_slow.release()

    def _give_turn_back(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._app.git_turns.release()

    def _step_aside(self) -> None:
        """Give the turn back while git waits for its client, unless too many do so already."""
        if not self._has_turn:
            return
        if not self._app.git_slow.acquire(blocking=False):
            self._cut("too many clients are as slow as this one")
            return
        self._is_slow = True
        self._give_turn_back()

    def _cut(self, why: str) -> None:
        """End git before it has said all, so that its client sees the answer break off."""
        self._cut_for = self._cut_for or why
        self.close()

    async def aclose(self) -> None:
        """See `close`."""
        self.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield all that git says, the last of it when all has gone well; else raise GitFailed, so
        that the client sees the answer break off.
        """
        while not self._is_over:
            if len(self._ahead) > 1:
                early = b"".join(self._ahead[:-1])
                del self._ahead[:-1]
                with self._sending(len(early)):
                    yield early
            await self._read_ahead()
        if self.failure is not None and not self.is_told:
            log.warning("git broke off for repository %d: %s", self._repo.id, self.failure)
            if self._cut_for is None and not await self.is_sound():
                await _in_thread(self._app, lambda: self._app.git_cache.forget(self._repo.id))
            raise GitFailed(self.failure)
        self.close()  # git has ended: whoever is slow to take the rest has nobody wait for it
        yield b"".join(self._ahead)

    async def _read_ahead(self) -> None:
        """Have one more piece, or know how it ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        if self._is_over:
            return
        with self._patience(LIMITS.seconds):
            piece = await self._process.stdout.read(_PIECE)
        if not piece:
            self.failure = await self._judged()
            self._is_over = True
            return
        if self._before:
            piece, self._before = self._before + piece, b""
        elif not self._ahead:
            self.is_told = piece[4:8] == b"ERR "
        self._ahead.append(piece)

    @contextmanager
    def _patience(self, seconds: float) -> Generator[None]:
        """End git if what is in the `with` takes longer."""
        handle = asyncio.get_running_loop().call_later(seconds, self._cut, "git took too long")
        try:
            yield
        finally:
            handle.cancel()

    @contextmanager
    def _sending(self, size: int) -> Generator[None]:
        """Give the turn back, and in the end the rest, if the client is slow to take `size` bytes.

        Only the time counts for which git waits for its client, and all of it: who takes each piece
        a little late would keep a turn for hours.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        left = max(PATIENT_SECONDS, self._taken / LEAST_RATE) - self._waited
        slow = loop.call_later(SLOW_SECONDS - self._waited, self._step_aside)
        last = loop.call_later(min(left, SILENCE_SECONDS), self._cut, "its client is too slow")
        try:
            yield
        finally:
            slow.cancel()
            last.cancel()
            self._waited += loop.time() - began
            self._taken += size

    async def _listen(self) -> None:
        """Keep the first of what git complains of, and read all of it: a full pipe would stop
        it.
        """
        assert self._process is not None
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(_COMPLAINT):
            self._complaint = (self._complaint + piece)[:_COMPLAINT]

    async def _judged(self) -> str | None:
        """Return why git failed, once it has ended."""
        assert self._process is not None
        assert self._listening is not None
        code = await self._process.wait()
        await asyncio.wait({self._listening}, timeout=1)
        if self._cut_for is not None:
            return self._cut_for
        lines = self._complaint.splitlines()
        if code == 0 and not any(line.startswith(_WRONG) for line in lines):
            return None
        return said(self._complaint) or f"git ended with code {code}"


async def _unless_gone(request: Request, work: Awaitable[None]) -> None:
    """Wait for work, and cancel it as soon as the client leaves. ClientDisconnect."""
    task = asyncio.ensure_future(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        await task
    finally:
        gone.cancel()
        task.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _in_thread(app: "App", fn: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(app.git_threads, fn)

# SPDX-License-Identifier: Apache-2.0
"""A folder of bare repositories, one for each that was asked for, that may vanish at any moment."""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from hubkeep.db import Database
from hubkeep.git.fetch.bare import MANY_PACKS, Bare
from hubkeep.git.fetch.places import (
    alone_in,
    drafting,
    hold,
    homes,
    last_use,
    numbers,
    remove_home,
    size_of,
    sweep,
)
from hubkeep.git.fetch.tidying import Tidier
from hubkeep.git.program import find_git
from hubkeep.git.queries import list_refs

REST_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class CachedRepository:
    """A bare repository that is as the database was a moment ago.

    It holds what its refs lead to and nothing else: git gives whoever asks any object by its id.
    It stays where it is while `lock` is open, in this process or in one that inherited it.
    """

    path: Path
    lock: int

    def is_sound(self) -> bool:
        """Whether all is there that its refs lead to, as far as that can be said without reading
        the files' content. Walks all history; blocking. GitMissing.
        """
        return Bare(self.path).is_connected()


class GitCache:
    """The repositories of this machine; several processes may share the folder.

    What was not used for longest goes once they take more than `max_bytes`. That is looked at when
    something came, and not each time: each process lets a part of what is free be taken first.

    One that is used again `rest` seconds after it was made is packed better in the background: not
    at once, since then it is being cloned.
    """

    def __init__(self, folder: Path, max_bytes: int, *, rest: float = REST_SECONDS) -> None:
        self._rest = rest
        self._folder = folder
        self._max_bytes = max_bytes
        self._tidier = Tidier()
        self._room = 0
        self._looking = threading.Lock()

    @contextmanager
    def current(
        self, db: Database, repo_id: int, default_branch: str
    ) -> Generator[CachedRepository]:
        """Bring a repository up to date and keep it in place; blocking, for a thread of its own.

        What was read is one snapshot. GitMissing, OSError; ObjectMissing, BadObject where the
        database lacks what it should have.
        """
        find_git()
        home = self._folder / str(repo_id)
        cached = self._as_it_is(db, repo_id, default_branch)
        if cached is None:
            cached, size = self._brought_up(db, repo_id, default_branch)
            self._make_room(size)
        try:
            if Bare(cached.path).lacks_deltas(self._rest):
                self._tidier.ask(home)
            yield cached
        finally:
            os.close(cached.lock)

    def abilities(self) -> bytes:
        """Return what git offers in version 2 of its protocol, for whatever repository. Blocking;
        GitMissing, GitFailed.
        """
        with TemporaryDirectory() as folder:
            bare = Bare(Path(folder))
            bare.lay_out("main")
            return bare.abilities()

    def forget(self, repo_id: int) -> None:
        """Have a repository made anew by its next use: something is wrong with it. Blocking."""
        home = self._folder / str(repo_id)
        with alone_in(home):
            for number in numbers(home)[-1:]:
                Bare(home / str(number)).doubt()

    def close(self) -> None:
        """End what runs in the background."""
        self._tidier.close()

    def _as_it_is(self, db: Database, repo_id: int, branch: str) -> CachedRepository | None:
        cached = _newest(self._folder / str(repo_id))
        if cached is None:
            return None
        fits = False
        try:
            refs = db.read_now(lambda conn: list_refs(conn, repo_id))
            fits = Bare(cached.path).is_of(refs, branch)
        finally:
            if not fits:
                os.close(cached.lock)
        return cached if fits else None

    def _brought_up(self, db: Database, repo_id: int, branch: str) -> tuple[CachedRepository, int]:
        """Return it with the bytes that it took."""
        home = self._folder / str(repo_id)
        try:
            made = self._alone(db, home, repo_id, branch)
        except FileNotFoundError:  # somebody deletes the folder meanwhile
            made = self._alone(db, home, repo_id, branch)
        if Bare(made[0].path).count_packs() >= MANY_PACKS:
            self._tidier.ask(home)
        return made

    def _alone(
        self, db: Database, home: Path, repo_id: int, branch: str
    ) -> tuple[CachedRepository, int]:
        with alone_in(home):
            made = db.read_now(lambda conn: self._bring_up(conn, home, repo_id, branch))
            sweep(home, keep=made[0].path)
        return made

    def _bring_up(
        self, conn: Connection, home: Path, repo_id: int, branch: str
    ) -> tuple[CachedRepository, int]:
        refs = list_refs(conn, repo_id)
        cached = _newest(home)
        if cached is not None:
            size = None
            try:
                bare = Bare(cached.path)
                size = 0 if bare.is_of(refs, branch) else bare.grow(conn, repo_id, refs, branch)
            finally:
                if size is None:
                    os.close(cached.lock)
            if size is not None:
                return cached, size
        with drafting(home) as (draft, fd):
            Bare(draft).write(conn, repo_id, refs, branch)
            place = home / str(1 + max(numbers(home), default=0))
            draft.rename(place)
            return CachedRepository(place, os.dup(fd)), size_of(place)

    def _make_room(self, came: int) -> None:
        """Remove what was not used for longest, if there may be too much by now."""
        self._room -= came
        if self._room >= 0 or not self._looking.acquire(blocking=False):
            return
        try:
            sizes = {home: size_of(home) for home in homes(self._folder)}
            total = sum(sizes.values())
            if total > self._max_bytes:
                for home in sorted(sizes, key=_last_use):
                    if total <= self._max_bytes * 0.9:
                        break
                    if remove_home(home):
                        total -= sizes[home]
            self._room = max(self._max_bytes - total, 0) // 8
        finally:
            self._looking.release()


def _newest(home: Path) -> CachedRepository | None:
    """Hold the place of a home that counts."""
    while True:
        there = numbers(home)
        if not there:
            return None
        place = home / str(there[-1])
        lock = hold(place)
        if lock is not None:
            return CachedRepository(place, lock)
        if there == numbers(home):  # what is there is broken: no place to read from
            return None


def _last_use(home: Path) -> float:
    return max((last_use(home / str(number)) for number in numbers(home)), default=0.0)

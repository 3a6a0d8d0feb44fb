# SPDX-License-Identifier: Apache-2.0
"""What a crawl has read so far, on disk: each page whole, with where the next one is.

A page is a file, written under another name, synced and then renamed: whatever kills the crawl,
it goes on after the last page that is there.
"""

import fcntl
import gzip
import hashlib
import os
import shutil
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from hubkeep.kit.time import DAY, Clock, unwire, wire
from hubkeep.observatory.crawling.endpoint import Endpoint
from hubkeep.observatory.crawling.failure import CrawlFailed, Damaged, Nothing

MOST_DAYS: Final = 3
"""Days after which a crawl is begun anew: a snapshot is about one moment, more or less."""

_VERSION: Final = 1
_ABOUT: Final = "crawl.json"
_PRIVATE: Final = 0o700


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line of a page that is kept; its rows are the lines after that, as JSON."""

    at: str
    """When it was read."""
    next: str | None = None
    """What is asked for next; None at the end of the list."""
    ids: tuple[str, ...] = ()
    """Of the rows, or the names that were looked up."""
    downloads: tuple[int, ...] = ()
    told: tuple[str, ...] = ()
    """The fields that any of the rows has."""
    left_out: Mapping[str, int] = {}
    """Rows that are not kept, by reason."""
    is_absent: bool = False
    """Whether the hub has no such list."""


class _About(msgspec.Struct, frozen=True):
    version: int
    endpoint: str
    lists: tuple[str, ...]
    begun: str


class Kept:
    """The pages of one crawl, by the name of their list; each list has one writer."""

    def __init__(self, folder: Path, begun: str) -> None:
        self._folder = folder
        self._counts: dict[str, int] = {}
        self.begun = begun

    @property
    def is_empty(self) -> bool:
        """Whether there is no page of any list."""
        return next(self._folder.glob("*/*.gz"), None) is None

    @property
    def scratch(self) -> Path:
        """A folder for whatever is in the way afterwards: empty now, gone with the crawl."""
        folder = self._folder / "scratch"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def heads(self, name: str) -> Iterator[Head]:
        """Return the heads of the pages of a list, in order."""
        for path in self._pages(name):
            with _readable(path), gzip.open(path, "rb") as file:
                yield msgspec.json.decode(file.readline(), type=Head)

    def pages(self, name: str) -> Iterator[tuple[Head, Sequence[bytes]]]:
        """Return the pages of a list, in order."""
        for path in self._pages(name):
            with _readable(path), gzip.open(path, "rb") as file:
                head = msgspec.json.decode(file.readline(), type=Head)
                yield head, file.read().splitlines()

    def add(self, name: str, head: Head, lines: Sequence[bytes]) -> None:
        """Keep one more page of a list; it is on disk when this returns."""
        place = self._folder / name
        if not place.is_dir():
            place.mkdir()
            _sync(self._folder)
        number = self._count(name) + 1
        # Fast rather than small.
        packed = gzip.compress(b"\n".join([msgspec.json.encode(head), *lines]), 1)
        _write(place / f"{number:08}.gz", packed)
        self._counts[name] = number

    def _count(self, name: str) -> int:
        if name not in self._counts:
            self._counts[name] = len(self._pages(name))
        return self._counts[name]

    def _pages(self, name: str) -> list[Path]:
        found = sorted((self._folder / name).glob("*.gz"))
        if found and found[-1].stem != f"{len(found):08}":
            raise Damaged(_damage(found[-1]))
        return found


@contextmanager
def open_kept(
    root: Path, endpoint: Endpoint, lists: Sequence[str], clock: Clock, *, fresh: bool = False
) -> Generator[Kept]:
    """Open the crawl of these lists of a hub, or begin it; nobody else works on it meanwhile.

    One that was begun more than MOST_DAYS ago, or all with `fresh`, are begun anew; what else there
    is of that age is thrown away. When the context ends well, or with Nothing, this one is as
    well.
    """
    about = _About(_VERSION, endpoint.url, tuple(lists), wire(clock()))
    name = hashlib.sha256(repr((about.endpoint, about.lists)).encode()).hexdigest()[:16]
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(_PRIVATE)
    with _locked(root / name) as is_ours:
        if not is_ours:
            raise CrawlFailed(f"another process is crawling {endpoint.url}: wait for it to end")
        folder = root / name
        known = None if fresh else _alive(folder, clock)
        if known is None or msgspec.structs.replace(known, begun=about.begun) != about:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _write(folder / _ABOUT, msgspec.json.encode(about))
            known = about
        _tidy(root, clock)
        try:
            yield Kept(folder, known.begun)
        except Nothing:
            # It may be another hub the next time.
            shutil.rmtree(folder)
            raise
        shutil.rmtree(folder)


def _tidy(root: Path, clock: Clock) -> None:
    """Throw away crawls that are too old to go on with, and that nobody works on."""
    for folder in root.iterdir():
        if folder.is_dir() and _alive(folder, clock) is None:
            with _locked(folder) as is_ours:
                if is_ours:
                    shutil.rmtree(folder, ignore_errors=True)


def _alive(folder: Path, clock: Clock) -> _About | None:
    """What a crawl is about; None for one that is too old, or cannot be read."""
    try:
        about = msgspec.json.decode((folder / _ABOUT).read_bytes(), type=_About)
    except (OSError, msgspec.DecodeError):
        return None
    return about if clock() - unwire(about.begun) <= MOST_DAYS * DAY else None


@contextmanager
def _locked(folder: Path) -> Generator[bool]:
    """Lock the crawl of a folder, if nobody has; that ends with the process at the latest."""
    descriptor = os.open(folder.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


@contextmanager
def _readable(path: Path) -> Generator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, msgspec.DecodeError) as error:
        raise Damaged(_damage(path)) from error


def _damage(path: Path) -> str:
    return f"{path} is damaged, or a page before it is gone: begin anew with --fresh"


def _write(path: Path, data: bytes) -> None:
    """Make a file: whole and on disk, or not there."""
    scratch = path.with_suffix(".part")
    with scratch.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    scratch.rename(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

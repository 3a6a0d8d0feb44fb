# SPDX-License-Identifier: Apache-2.0
"""Folders that several processes make, read and remove, and that a person may delete at any moment.

The home of a repository holds numbered places, each a bare repository that is there whole or not at
all, since it is made elsewhere and renamed. The largest number counts. Who makes or reads a place
keeps a lock on a file in it, shared with others; it is removed only by who can have that lock for
himself. The system gives locks back when a process ends, however it ends.
"""

import fcntl
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_USE = "in-use"
_LOCK = "lock"
_DRAFT = ".draft-"
_GONE = ".gone-"


@contextmanager
def alone_in(home: Path) -> Generator[None]:
    """Wait until no other process or thread changes what is in a home; makes it if it is not
    there.
    """
    while True:
        home.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            fd = _locked(home / _LOCK, fcntl.LOCK_EX)
            if fd is not None:
                break
    try:
        yield
    finally:
        os.close(fd)


def numbers(home: Path) -> list[int]:
    """Return the numbers of the places in a home, the one that counts last."""
    with suppress(FileNotFoundError):
        return sorted(int(name) for name in os.listdir(home) if name.isdecimal())
    return []


def hold(place: Path) -> int | None:
    """Keep a place where it is until the returned descriptor is closed, also where a process has
    inherited it; None if it is not there any more.
    """
    with suppress(FileNotFoundError):
        fd = _locked(place / _USE, fcntl.LOCK_SH)
        if fd is not None:
            os.utime(fd)
        return fd
    return None


def last_use(place: Path) -> float:
    """Return when a place was last held; 0 for what is none."""
    with suppress(OSError):
        return (place / _USE).stat().st_mtime
    return 0.0


@contextmanager
def drafting(home: Path) -> Generator[tuple[Path, int]]:
    """Make a folder that is held, and removed at the end unless it was renamed. To be entered
    alone.
    """
    draft = home / f"{_DRAFT}{uuid4().hex}"
    draft.mkdir()
    fd = os.open(draft / _USE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield draft, fd
    finally:
        os.close(fd)
        shutil.rmtree(draft, ignore_errors=True)


def remove(place: Path) -> bool:
    """Remove a place, a draft or what is left of one, unless somebody holds it."""
    fd = None
    with suppress(FileNotFoundError):
        try:
            fd = _locked(place / _USE, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    try:
        gone = place.with_name(f"{_GONE}{uuid4().hex}")
        with suppress(FileNotFoundError):
            place.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
    finally:
        if fd is not None:
            os.close(fd)
    return True


def sweep(home: Path, keep: Path | None = None) -> None:
    """Remove from a home what nobody holds, but for one place. To be called alone."""
    for name in os.listdir(home):
        if name != _LOCK and home / name != keep:
            remove(home / name)


def remove_home(home: Path) -> bool:
    """Remove a home with all that nobody holds; whether nothing is left of it."""
    with suppress(FileNotFoundError):
        try:
            fd = _locked(home / _LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if fd is None:
            return False
        try:
            sweep(home)
            if os.listdir(home) != [_LOCK]:
                return False
            # Who waits for this lock will find that the file is another one, or none.
            (home / _LOCK).unlink()
            with suppress(OSError):
                home.rmdir()
        finally:
            os.close(fd)
    return True


def homes(folder: Path) -> Iterator[Path]:
    """Yield the homes in a folder."""
    with suppress(FileNotFoundError):
        yield from (folder / name for name in os.listdir(folder) if name.isdecimal())


def size_of(folder: Path) -> int:
    """Return how many bytes of disk a folder takes; what vanishes meanwhile takes none."""
    total = 0
    for above, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(above, name)).st_blocks * 512
    return total


def _locked(path: Path, how: int) -> int | None:
    """Open and lock a file; None if another one lies at the path by then, or none."""
    fd = os.open(path, os.O_RDWR | (os.O_CREAT if path.name == _LOCK else 0), 0o600)
    try:
        fcntl.flock(fd, how)
        if os.path.samestat(os.fstat(fd), os.stat(path)):
            return fd
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return None

# SPDX-License-Identifier: Apache-2.0
"""Files that survive a power cut, and files on their way in and out. Everything here blocks."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from hubkeep.blobs.errors import BadKey, BlobMissing, NoSpace, StoreUnavailable
from hubkeep.blobs.store import PIECE, Batch, Check

# EFBIG: the file system or the process may not hold a file of this size.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_errors() -> Generator[None]:
    """OSError of the block as NoSpace or StoreUnavailable."""
    try:
        yield
    except OSError as error:
        kind = NoSpace if error.errno in _FULL else StoreUnavailable
        raise kind(str(error)) from error


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_durably(path: Path, content: bytes) -> None:
    """A small file that is there whole or not at all, also after a power cut."""
    temporary = path.with_name(f"{path.name}.{token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def write_all(fd: int, batch: Batch, offset: int) -> int:
    """Write a batch at `offset`, all of it; gives the offset behind it."""
    size = sum(map(len, batch))
    written = os.pwritev(fd, batch, offset)
    if written < size:  # a disk about to be full, or a signal: the next write says which
        rest = memoryview(b"".join(batch))[written:]
        while rest:
            rest = rest[os.pwrite(fd, rest, offset + size - len(rest)) :]
    return offset + size


class Folders:
    """Makes the folders of keys durable once: a new name needs its folder's folder synced too.

    Another process may have made a folder and not have synced it yet, so what counts is that this
    process did. Blob folders are never removed.
    """

    _MOST = 4096

    def __init__(self, root: Path) -> None:
        self._root = root
        self._durable: set[Path] = set()

    def ensure(self, folder: Path) -> None:
        """The folder and all above it, up to the root, exist durably."""
        if folder == self._root or folder in self._durable:
            return
        folder.mkdir(parents=True, exist_ok=True)
        for above in folder.parents:
            fsync_folder(above)
            if above == self._root:
                break
        if len(self._durable) >= self._MOST:
            self._durable.clear()
        self._durable.add(folder)

    def place(self, source: Path, target: Path, key: str, *, replace: bool = False) -> bool:
        """Give the synced file `source` the name `target` too, durably, unless that is taken.

        With `replace` it takes the name from who has it, and gives up its own. Either way `target`
        is as if modified now. Gives whether the name is that of `source` now. Raises BadKey if the
        name is a folder or goes through a file, and FileNotFoundError if `source` is gone.
        """
        is_placed = True
        try:
            self.ensure(target.parent)
        except (FileExistsError, NotADirectoryError) as error:
            raise BadKey(key) from error
        os.utime(source)
        try:
            if replace:
                source.replace(target)
            else:
                os.link(source, target)
        except IsADirectoryError:
            raise BadKey(key) from None
        except FileExistsError:
            if target.is_dir():
                raise BadKey(key) from None
            is_placed = False
            with suppress(FileNotFoundError):  # deleted this moment, as if right after us
                os.utime(target)
        fsync_folder(target.parent)
        return is_placed


class Incoming:
    """A file that is written and checked, and given its name, or discarded.

    Nothing is opened before the first write, so that whoever made one may always discard it. The
    lock lets a discard, sent by a cancelled caller, wait for the write that is still running:
    a descriptor closed too early would be somebody else's at the next write.
    """

    def __init__(self, folder: Path, check: Check) -> None:
        self._path = folder / token_hex(16)
        self._lock = threading.Lock()
        self._check = check
        self._fd: int | None = None
        self._offset = 0
        self._over = False

    def write(self, batch: Batch) -> None:
        """Check a batch, and append what is to be stored of it."""
        with self._lock, disk_errors():
            if self._over:
                return
            fd = self._open()
            stored = self._check.take(batch)
            self._offset = write_all(fd, stored, self._offset)

    def publish(self, folders: Folders, target: Path, key: str, replace: bool) -> bool:
        """End the check, sync, and give the file its name, if it gets it. BadKey."""
        with self._lock, disk_errors():
            if self._over:
                return False
            self._check.finish()
            os.fsync(self._open())
            is_stored = folders.place(self._path, target, key, replace=replace)
        self.discard()
        return is_stored

    def discard(self) -> None:
        """Close the file and remove its temporary name."""
        with self._lock:
            self._over = True
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None
                self._path.unlink(missing_ok=True)

    def _open(self) -> int:
        if self._fd is None:
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        return self._fd


class Outgoing:
    """A blob that is being read."""

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key
        self._lock = threading.Lock()
        self._fd: int | None = None
        self._over = False

    def begin(self, start: int, end: int | None) -> tuple[int, bytes]:
        """Open; where to stop, at most the size, and the first piece. BlobMissing."""
        with self._lock, disk_errors():
            if self._over:
                return start, b""
            self._fd = open_blob(self._path, self._key)
            size = os.fstat(self._fd).st_size
            stop = size if end is None else min(end, size)
        return stop, self.piece(start, stop)

    def piece(self, start: int, stop: int) -> bytes:
        """The next bytes from `start`, at most 1 MiB, none at `stop`."""
        with self._lock, disk_errors():
            if self._over or self._fd is None or start >= stop:
                return b""
            content = os.pread(self._fd, min(PIECE, stop - start), start)
        if not content:
            raise StoreUnavailable(f"{self._key} ends at {start}, before {stop}")
        return content

    def close(self) -> None:
        """Close the file, after a read that is still running."""
        with self._lock:
            self._over = True
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None


def open_blob(path: Path, key: str) -> int:
    """A descriptor for reading. BlobMissing."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        raise BlobMissing(key) from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise BlobMissing(key)
    return fd

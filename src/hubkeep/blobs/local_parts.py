# SPDX-License-Identifier: Apache-2.0
"""The files of an upload in parts. Everything here blocks.

    uploads/<id>/record.json    what is being uploaded; there from first to last
    uploads/<id>/journal        which parts are whole
    uploads/<id>/data           the bytes, each part at its place
    uploads/<id>/sealed         the same file once all parts are there: nobody writes to it any more
    uploads/<id>/finished.json  instead of all these: done, and with which hash

The file that was hashed is the file that becomes the blob, so nobody may write to it from the
moment that its parts are found complete, not even a slow request for an old part in another
process. Hence: bytes are written only under a shared lock, and only while the name `data` is
there; the name goes away under the exclusive lock (sealing), and never comes back.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Protocol, Self

import msgspec

from hubkeep.blobs.body import Batch
from hubkeep.blobs.errors import UploadMissing
from hubkeep.blobs.local_files import Folders, disk_errors, fsync_folder, write_all, write_durably
from hubkeep.blobs.local_journal import Journal, new_token, note_begin, note_done, read_journal
from hubkeep.blobs.parted import Finished, Parted
from hubkeep.blobs.store import PIECE


class Hash(Protocol):
    """What hashlib gives, which has no public name."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take bytes in."""
        ...

    def copy(self) -> Self:
        """The same state, to go on from independently."""
        ...

    def hexdigest(self) -> str:
        """The hash so far."""
        ...


class UploadFiles:
    """The files of one upload; any call may find that it is over: UploadMissing."""

    def __init__(self, folder: Path) -> None:
        self.id = folder.name
        self.folder = folder
        self.record_file = folder / "record.json"
        self.journal_file = folder / "journal"
        self.data = folder / "data"
        self.sealed = folder / "sealed"
        self.finished_file = folder / "finished.json"

    def create(self, record: Parted) -> None:
        """Make the folder; the upload exists once its record does."""
        with disk_errors():
            self.folder.mkdir()
            self.data.touch()
            self.journal_file.touch()
            write_durably(self.record_file, msgspec.json.encode(record))
            fsync_folder(self.folder.parent)

    def record(self) -> Parted:
        """What is being uploaded."""
        with disk_errors(), self.missing():
            return msgspec.json.decode(self.record_file.read_bytes(), type=Parted)

    def finished(self) -> Finished | None:
        """What is known of its success, if it succeeded."""
        with disk_errors():
            try:
                return msgspec.json.decode(self.finished_file.read_bytes(), type=Finished)
            except FileNotFoundError:
                return None

    def etags(self) -> dict[int, str]:
        """The parts that are there."""
        with disk_errors(), self.missing():
            return {n: self.etag(n) for n in read_journal(self.journal_file).whole()}

    def etag(self, number: int) -> str:
        """Says which part, not what is in it: the whole is hashed, and that decides."""
        return f"{self.id[:16]}-{number}"

    def seal(self, record: Parted, etags: dict[int, str]) -> Journal | None:
        """Check that all parts are there and let nobody write any more. BadParts.

        None: somebody else is just writing or sealing; try again.
        """
        with disk_errors(), self.missing():
            try:
                fd = os.open(self.data, os.O_RDONLY)
            except FileNotFoundError:
                self.sealed.stat()
                return read_journal(self.journal_file)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                journal = read_journal(self.journal_file)
                record.check_etags(etags, {n: self.etag(n) for n in journal.whole()})
                return journal if self._close_door() else None
            except BlockingIOError:
                return None
            finally:
                os.close(fd)

    def _close_door(self) -> bool:
        try:
            self.data.rename(self.sealed)
        except FileNotFoundError:  # sealed by another between our opening and our locking
            return False
        fsync_folder(self.folder)
        return True

    def hash_sealed(self, hashed: Hash, start: int, stop: int) -> None:
        """Take [start, stop) of the sealed file into a hash."""
        with disk_errors(), self.missing():
            fd = os.open(self.sealed, os.O_RDONLY)
        try:
            with disk_errors():
                for at in range(start, stop, PIECE):
                    hashed.update(os.pread(fd, min(PIECE, stop - at), at))
        finally:
            os.close(fd)

    def publish(self, record: Parted, folders: Folders, target: Path, sha256: str) -> None:
        """The sealed and checked file becomes the blob."""
        with disk_errors(), self.missing():
            folders.place(self.sealed, target, record.key)
            finished = Finished(record.key, sha256)
            write_durably(self.finished_file, msgspec.json.encode(finished))
            for file in (self.record_file, self.sealed, self.journal_file):
                file.unlink(missing_ok=True)

    def remove(self) -> None:
        """Forget everything; the record first, so that no half of it looks like an upload."""
        with disk_errors():
            self.record_file.unlink(missing_ok=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def missing(self) -> Generator[None]:
        """A file that is not there means that the upload is over."""
        try:
            yield
        except FileNotFoundError:
            raise UploadMissing(self.id) from None

    def sweep(self, older_than: timedelta) -> bool:
        """Remove what is left of an upload that is not open, if it is that old."""
        limit = time.time() - older_than.total_seconds()
        with disk_errors():
            try:
                marker = self.finished_file if self.finished_file.exists() else self.folder
                if marker is self.folder and self.record_file.exists():
                    return False
                if marker.stat().st_mtime >= limit:
                    return False
            except FileNotFoundError:
                return False
        self.remove()
        return True


class PartWriter:
    """One try to receive one part. Every method blocks."""

    def __init__(self, upload: UploadFiles, number: int, offset: int, hashed: Hash | None) -> None:
        self.token = new_token()
        self._upload = upload
        self._number = number
        self._offset = offset
        self._hash = hashed
        self._lock = threading.Lock()  # as in Incoming: closing waits for a write that still runs
        self._fd: int | None = None
        self._over = False

    def write(self, batch: Batch) -> None:
        """Write and hash a batch."""
        with self._lock, disk_errors(), self._upload.missing():
            if self._over:
                return
            fd = self._open()
            with self._unsealed(fd):
                self._offset = write_all(fd, batch, self._offset)
            if self._hash is not None:
                for piece in batch:
                    self._hash.update(piece)

    def complete(self) -> None:
        """The part is there, durably."""
        with self._lock, disk_errors(), self._upload.missing():
            if self._over:
                return
            fd = self._open()
            os.fsync(fd)
            with self._unsealed(fd):
                note_done(self._upload.journal_file, self._number, self.token)

    def close(self) -> None:
        """Let go of the file; unless it is complete, the part is not there."""
        with self._lock:
            self._over = True
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def _open(self) -> int:
        if self._fd is None:
            self._fd = os.open(self._upload.data, os.O_WRONLY)
            with self._unsealed(self._fd):
                note_begin(self._upload.journal_file, self._number, self.token)
        return self._fd

    @contextmanager
    def _unsealed(self, fd: int) -> Generator[None]:
        fcntl.flock(fd, fcntl.LOCK_SH)  # waits for a sealing at most, which is short
        try:
            self._upload.data.stat()  # FileNotFoundError: sealed or aborted
            yield
        finally:
            fcntl.flock(fd, fcntl.LOCK_UN)

# SPDX-License-Identifier: Apache-2.0
"""Reading the body of a commit: one JSON object a line, of any number, without holding the body.

Contents are decoded, hashed and deflated as they arrive, in worker threads, and kept in a spool
that goes to disk when it grows; what stays in memory is one batch of lines and a small record a
file.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import msgspec

from hubkeep import errors
from hubkeep.content.spool import Spool
from hubkeep.content.upload_mode import REGULAR_LIMIT
from hubkeep.content.wire import CommitHeader, CopiedFile, DeletedPath, LfsFile, RegularFile
from hubkeep.git.objects import StagedBlob, stage_blob

LINE_LIMIT = REGULAR_LIMIT * 4 // 3 + (64 << 10)
BODY_LIMIT = 512 << 20
MAX_OPERATIONS = 100_000
_BATCH = 1 << 20
README = "README.md"


class _Line(msgspec.Struct):
    key: str
    value: msgspec.Raw


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file whose content came with the commit and lies in the spool."""

    path: str
    blob: StagedBlob
    mode: bytes | None = None
    """What the file is to be for git; without one it stays what it was."""


Operation = NewFile | LfsFile | DeletedPath | CopiedFile


@dataclass(slots=True)
class CommitPlan:
    """A commit as its client wants it; `spool` holds the contents of the new files."""

    spool: Spool
    header: CommitHeader | None = None
    operations: list[Operation] = field(default_factory=list)
    readme: bytes | None = None
    """The new README.md, if the commit brings one; for warnings about the card."""


async def read_plan(
    body: AsyncIterator[bytes], plan: CommitPlan, threads: ThreadPoolExecutor
) -> None:
    """Fill `plan` from the lines of a body.

    400 for a line that is not as the contract says, 413 for a line, a body or a number of
    operations over the limits, each with the line's number.
    """
    loop = asyncio.get_running_loop()
    reader = _Reader(plan)
    pending = bytearray()
    has_line = False
    read = 0
    async for piece in body:
        read += len(piece)
        if read > BODY_LIMIT:
            raise errors.too_large(f"A commit's body may have at most {BODY_LIMIT} bytes; split it")
        pending += piece
        has_line = has_line or b"\n" in piece
        if has_line and len(pending) >= _BATCH:
            whole, _, rest = pending.rpartition(b"\n")
            await loop.run_in_executor(threads, reader.feed, bytes(whole))
            pending, has_line = bytearray(rest), False
        if not has_line and len(pending) > LINE_LIMIT:
            raise errors.too_large(
                f"Line {reader.number + 1} is longer than {LINE_LIMIT} bytes: files over "
                f"{REGULAR_LIMIT} bytes are uploaded through git-lfs"
            )
    await loop.run_in_executor(threads, reader.feed, bytes(pending))
    if plan.header is None:
        raise errors.bad_request('The commit has no line {"key": "header", ...}')


class _Reader:
    def __init__(self, plan: CommitPlan) -> None:
        self._plan = plan
        self.number = 0
        self._take = {
            "header": self._header,
            "file": self._file,
            "lfsFile": lambda raw: self._add(msgspec.json.decode(raw, type=LfsFile)),
            "deletedFile": lambda raw: self._add(msgspec.json.decode(raw, type=DeletedPath)),
            "deletedFolder": lambda raw: self._add(msgspec.json.decode(raw, type=DeletedPath)),
            "deletedEntry": lambda raw: self._add(msgspec.json.decode(raw, type=DeletedPath)),
            "copyFile": lambda raw: self._add(msgspec.json.decode(raw, type=CopiedFile)),
        }

    def feed(self, lines: bytes) -> None:
        for line in lines.split(b"\n"):
            self.number += 1
            if not line.strip():
                continue
            try:
                self._line(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as bad:
                raise errors.bad_request(f"Line {self.number} of the commit: {bad}") from bad

    def _line(self, line: bytes) -> None:
        parsed = msgspec.json.decode(line, type=_Line)
        take = self._take.get(parsed.key)
        if take is None:
            known = ", ".join(self._take)
            raise errors.bad_request(
                f"Line {self.number} of the commit has the unknown key {parsed.key[:64]!r}; "
                f"known: {known}"
            )
        take(parsed.value)

    def _header(self, raw: msgspec.Raw) -> None:
        if self._plan.header is not None:
            raise errors.bad_request(f"Line {self.number} of the commit is a second header")
        self._plan.header = msgspec.json.decode(raw, type=CommitHeader)

    def _file(self, raw: msgspec.Raw) -> None:
        file = msgspec.json.decode(raw, type=RegularFile)
        content = self._content(file)
        if len(content) > REGULAR_LIMIT:
            raise errors.bad_request(
                f"{file.path[:200]!r} has {len(content)} bytes; files over {REGULAR_LIMIT} bytes "
                "are uploaded through git-lfs: ask 'preupload' first, as the clients do"
            )
        if file.path == README:
            self._plan.readme = content
        blob = stage_blob(content)
        self._plan.spool.add(blob)
        self._add(NewFile(file.path, blob.without_data()))

    def _content(self, file: RegularFile) -> bytes:
        if file.encoding != "base64":
            return file.content.encode()
        try:
            return base64.b64decode(file.content, validate=True)
        except (binascii.Error, ValueError) as bad:
            raise errors.bad_request(
                f"Line {self.number} of the commit: the content of {file.path[:200]!r} is no base64"
            ) from bad

    def _add(self, operation: Operation) -> None:
        if len(self._plan.operations) >= MAX_OPERATIONS:
            raise errors.too_large(
                f"A commit may have at most {MAX_OPERATIONS} operations; split it"
            )
        self._plan.operations.append(operation)

# SPDX-License-Identifier: Apache-2.0
"""Which parts of an upload are whole: a small append-only file, written by several processes.

Each try to send a part appends a begin line with a token of its own and, once the part's bytes
are durable, a done line with the same token. A part is whole if its last begin is done: a try that
breaks off takes the part away again, because it may have written over bytes that were good.

A line starts with the newline, so that one torn by a power cut or a full disk spoils no other.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

_BEGIN, _DONE = "begin", "done"
_LINE = re.compile(r"(begin|done) ([0-9]{1,5}) ([0-9a-f]{16})")


def new_token() -> str:
    """The name of one try to send a part."""
    return secrets.token_hex(8)


@dataclass(slots=True)
class Journal:
    """What the file says: all tries of each part in their order, and the tries that were done."""

    tries: dict[int, list[str]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def whole(self) -> list[int]:
        """The numbers of the parts that are there."""
        return sorted(number for number, tokens in self.tries.items() if tokens[-1] in self.done)

    def undisturbed(self, tokens: list[str]) -> bool:
        """Whether the parts from 1 on were each sent once, in the tries `tokens`."""
        return all(self.tries.get(n) == [token] for n, token in enumerate(tokens, start=1))


def read_journal(path: Path) -> Journal:
    """Read it. FileNotFoundError if the upload is over."""
    journal = Journal()
    for line in path.read_text("ascii", "replace").split("\n"):
        if match := _LINE.fullmatch(line):
            what, number, token = match.groups()
            if what == _BEGIN:
                journal.tries.setdefault(int(number), []).append(token)
            else:
                journal.done.add(token)
    return journal


def note_begin(path: Path, number: int, token: str) -> None:
    """Durably note that bytes of this part will be written now."""
    _append(path, _BEGIN, number, token)


def note_done(path: Path, number: int, token: str) -> None:
    """Durably note that this part's bytes are durable."""
    _append(path, _DONE, number, token)


def _append(path: Path, what: str, number: int, token: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)  # never creates: an upload that is over is over
    try:
        line = f"\n{what} {number} {token}".encode("ascii")
        if os.write(fd, line) < len(line):
            os.write(fd, line)  # the disk is full: this raises, or writes a whole line after all
        os.fsync(fd)
    finally:
        os.close(fd)

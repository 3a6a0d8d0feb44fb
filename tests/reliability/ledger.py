# SPDX-License-Identifier: Apache-2.0
"""What the hub has acknowledged, written down where no kill of the hub can reach it."""

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class File:
    """A file of an acknowledged commit, or a large one that arrived."""

    path: str
    sha256: str
    size: int
    xet_hash: str = ""
    """Empty for what did not come by Xet."""


@dataclass(frozen=True)
class Acknowledged:
    """One answer with status 200: a commit on a branch, a new reference, an upload by git-lfs (kind
    `upload`) or by Xet (`xet`).
    """

    kind: str
    repo: str
    ref: str
    commit: str
    files: tuple[File, ...] = ()


class Ledger:
    """Acknowledged writes in the order of their answers; each is on the disk before `add` ends."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("x", encoding="utf-8")
        self._lock = threading.Lock()
        self._kept: list[Acknowledged] = []

    def add(self, entry: Acknowledged) -> None:
        """Note what the hub has just answered."""
        with self._lock:
            self._file.write(json.dumps(asdict(entry)) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            self._kept.append(entry)

    def since(self, position: int) -> list[Acknowledged]:
        """Return the entries from a position on."""
        with self._lock:
            return self._kept[position:]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

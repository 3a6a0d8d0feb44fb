# SPDX-License-Identifier: Apache-2.0
"""A folder of bare repositories, one for each that was asked for, that may vanish at any moment."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hubkeep.db import Database


@dataclass(frozen=True, slots=True)
class CachedRepository:
    """A bare repository that is as the database was a moment ago.

    It holds what its refs lead to and nothing else: git gives whoever asks any object by its id.
    It stays where it is while `lock` is open, in this process or in one that inherited it.
    """

    path: Path
    lock: int


class GitCache:
    """The repositories of this machine; several processes may share the folder."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    @contextmanager
    def current(self, db: Database, repo_id: int, default_branch: str) -> Generator[CachedRepository]:
        """Bring a repository up to date and keep it in place; blocking, for a thread of its own.

        GitMissing, GitFailed, OSError.
        """
        raise NotImplementedError
        yield

    def forget(self, repo_id: int) -> None:
        """Have a repository made anew by its next use: something is wrong with it."""
        raise NotImplementedError

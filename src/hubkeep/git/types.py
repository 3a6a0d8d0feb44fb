# SPDX-License-Identifier: Apache-2.0
"""What reading a repository returns, and what a new commit is made of."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from hubkeep.git.commits import Signature
from hubkeep.git.objects import LfsPointer
from hubkeep.kit.time import Millis

EntryKind: TypeAlias = Literal["file", "directory", "symlink", "submodule"]
ChangeStatus: TypeAlias = Literal["added", "modified", "deleted"]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A file or folder at a revision. A struct, since listings make many thousands of them.

    `path` is relative to the root of the repository, without a slash at either end. `size` is that
    of the blob (0 for folders), `lfs` what it points at if it is a git-lfs pointer.
    """

    path: str
    kind: EntryKind
    mode: int
    oid: bytes
    size: int = 0
    lfs: LfsPointer | None = None

    @property
    def shown_size(self) -> int:
        """The size of the file itself, be it here or in LFS."""
        return self.lfs.size if self.lfs else self.size

    @property
    def cursor(self) -> str:
        """What to give `walk` as `after`, for the listing to go on behind this entry."""
        return self.path


@dataclass(frozen=True, slots=True)
class CommitRow:
    """A commit of a repository; `message` is without the title."""

    oid: bytes
    tree: bytes
    parents: tuple[bytes, ...]
    generation: int
    linear: bool
    committed_at: Millis
    author: str
    author_id: int | None
    title: str
    message: str
    facts_id: int | None
    size: int | None

    @property
    def author_name(self) -> str:
        """The author without the mail address."""
        return self.author.rpartition(" <")[0]


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit and the full name of the ref that led to it, None where its id did."""

    ref: str | None
    row: CommitRow

    @property
    def commit(self) -> bytes:
        """The commit's id."""
        return self.row.oid

    @property
    def tree(self) -> bytes:
        """The id of the commit's root folder."""
        return self.row.tree


@dataclass(frozen=True, slots=True)
class Ref:
    """A ref by its full name; `oid` is an annotated tag where it differs from `commit`."""

    name: str
    oid: bytes
    commit: bytes


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs between two trees; `old` or `new` is None where it is not there."""

    path: str
    old: Entry | None
    new: Entry | None

    @property
    def status(self) -> ChangeStatus:
        """In a word."""
        if self.old is None:
            return "added"
        return "deleted" if self.new is None else "modified"

    @property
    def grown(self) -> int:
        """By how many bytes the files grew, LFS files counted in full; negative if they shrank."""
        return (self.new.shown_size if self.new else 0) - (self.old.shown_size if self.old else 0)


@dataclass(frozen=True, slots=True)
class NewCommit:
    """What a commit says besides its changes.

    `branch` is short (`main`) or a full ref name (`refs/pr/1`). `expected_parent` is the beginning
    of the hex id, 5 to 40 digits, of the commit that the head must be.
    """

    branch: str
    title: str
    body: str
    author: Signature
    author_id: int | None
    at: Millis
    expected_parent: str | None = None
    allow_empty: bool = False

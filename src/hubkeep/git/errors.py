# SPDX-License-Identifier: Apache-2.0
"""What the git engine refuses. All texts may be shown to the user who caused them.

GitError
├── BadPath            a path, or what is put there, that git or a hub cannot take
├── BadRef             a name that git refuses for a ref
├── BadObject          bytes that are no git object
│   └── Collision      two objects with one id
├── TooLarge           an object past the limit that the reader gave
├── ObjectMissing      an id without an object
├── BranchMissing      a commit to a branch that does not exist
├── BranchMoved        the branch is not where the writer thought
├── PathMissing        no file or folder at a path
├── NotAFolder         a listing of a file
├── PathConflict       changes that contradict the tree or each other
├── RefExists          a branch or tag is there already, or stands in the way of the new one
└── MarkStale          refs moved since unreachable objects were looked for
"""


class GitError(Exception):
    """Base of this room's errors."""


class BadPath(GitError):
    """A path, or a file for its path, that git or a hub refuses; the text says why."""


class BadRef(GitError):
    """A name that git refuses for a ref; the text says why."""


class BadObject(GitError):
    """Bytes that are not the git object that they are said to be."""


class Collision(BadObject):
    """An object with this id is there already and is another one. Nothing is ever overwritten."""


class TooLarge(GitError):
    """An object is larger than the reader allows."""


class ObjectMissing(GitError):
    """The repository has no object with this id."""


class BranchMissing(GitError):
    """The repository has no branch of this name."""


class BranchMoved(GitError):
    """The branch points at another commit than the writer expected."""


class PathMissing(GitError):
    """There is no file or folder at `path`."""

    def __init__(self, path: str) -> None:
        super().__init__(f"No file or folder at {path!r}")
        self.path = path


class NotAFolder(GitError):
    """There is a file at `path`, where a folder was asked for."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path!r} is not a folder")
        self.path = path


class PathConflict(GitError):
    """Changes that contradict the tree or each other, as a file over a folder."""


class RefExists(GitError):
    """The ref is there already, or one that git cannot keep beside it (`a` and `a/b`)."""


class MarkStale(GitError):
    """Refs moved since the unreachable objects were looked for; look again."""

# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire of the read routes: trees, refs, commits."""

from typing import Annotated, Literal

import msgspec

MAX_PAGE = 1000
MAX_EXPANDED_PAGE = 100
EXPANDED_PAGE = 50

MAX_LINES = 190
"""Commits that a cursor has room for."""

CommitId = Annotated[bytes, msgspec.Meta(min_length=20, max_length=20)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class TreeQuery(msgspec.Struct):
    """Parameters of a listing; a limit above the page size is cut to it."""

    recursive: bool = False
    expand: bool = False
    limit: Limit = MAX_PAGE
    cursor: str | None = None


class PathsInfoRequest(msgspec.Struct):
    """JSON from JavaScript, a form from Python."""

    paths: list[str] = []
    expand: bool = False


class LfsInfo(msgspec.Struct, rename="camel"):
    oid: str
    size: int
    pointer_size: int


class LastCommit(msgspec.Struct):
    id: str
    title: str
    date: str


class TreeEntry(msgspec.Struct, rename="camel", omit_defaults=True):
    """A file or a folder; `oid` is git's, `size` that of the file itself (0 for folders).

    `xet_hash` is a promise: with it clients fetch the file in chunks without asking again.
    """

    type: Literal["file", "directory"]
    oid: str
    size: int
    path: str
    lfs: LfsInfo | None = None
    xet_hash: str | None = None
    last_commit: LastCommit | None = None


class RefsQuery(msgspec.Struct):
    include_prs: bool = False


class RefItem(msgspec.Struct, rename="camel"):
    name: str
    ref: str
    target_commit: str


class RefsAnswer(msgspec.Struct, rename="camel", omit_defaults=True):
    branches: list[RefItem]
    converts: list[RefItem]
    tags: list[RefItem]
    pull_requests: list[RefItem] | None = None


class CommitsQuery(msgspec.Struct):
    """`p` counts pages of `limit` from 0; `expand` knows `formatted` alone."""

    expand: list[Literal["formatted"]] = []
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    p: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 0


class PathCommitsQuery(msgspec.Struct):
    """Parameters of the history of a path: pages go on by cursor, each costing what it holds."""

    expand: list[Literal["formatted"]] = []
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    cursor: str | None = None


class LogPosition(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Where the history of a path goes on: from these commits back."""

    commits: Annotated[list[CommitId], msgspec.Meta(min_length=1, max_length=MAX_LINES)]


class Author(msgspec.Struct):
    user: str


class Formatted(msgspec.Struct):
    """Title and message as HTML, escaped."""

    title: str
    message: str


class CommitItem(msgspec.Struct, omit_defaults=True):
    id: str
    title: str
    message: str
    date: str
    authors: list[Author]
    formatted: Formatted | None = None


class NewBranch(msgspec.Struct, rename="camel"):
    starting_point: str | None = None
    empty_branch: bool = False
    overwrite: bool = False


class NewTag(msgspec.Struct):
    tag: Annotated[str, msgspec.Meta(max_length=255)]
    message: Annotated[str, msgspec.Meta(max_length=65536)] | None = None


class Squash(msgspec.Struct):
    message: Annotated[str, msgspec.Meta(max_length=65536)] = ""


class FileQuery(msgspec.Struct, rename="camel"):
    """Parameters of file downloads; `download` is the default here, whatever it says."""

    download: bool = False
    no_content_disposition: bool = False


class FileInfo(msgspec.Struct):
    """What is told of a file instead of its bytes; clients of today read the headers alone."""

    hash: str
    size: int


class CompareQuery(msgspec.Struct):
    raw: bool = False

# SPDX-License-Identifier: Apache-2.0
"""What the large-file addresses take and answer.

The batch API is git-lfs' (https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md), the
transfer `multipart` is Hugging Face's: `header` of its upload action holds `chunk_size` and the
parts' addresses by number, and `href` takes the completion. So is `xet`: `header` holds where the
chunk store is and a token for it, `href` gives the next token.
"""

from typing import Annotated, Literal

import msgspec

from hubkeep.blobs import MOST_PARTS

Oid = Annotated[str, msgspec.Meta(max_length=200)]
MAX_OBJECTS = 1000


class ObjectSpec(msgspec.Struct, frozen=True):
    """A file as the client names it; whether the names make sense is answered for each."""

    oid: Oid
    size: int


class RefSpec(msgspec.Struct, frozen=True):
    name: str


class BatchRequest(msgspec.Struct, frozen=True):
    """Which files a client wants to send or fetch."""

    operation: Literal["upload", "download"]
    objects: Annotated[list[ObjectSpec], msgspec.Meta(max_length=MAX_OBJECTS)]
    transfers: Annotated[list[str], msgspec.Meta(max_length=32)] = []
    hash_algo: str = "sha256"
    ref: RefSpec | None = None


class BatchAction(msgspec.Struct, frozen=True, omit_defaults=True):
    """One address; it carries its own right, so no header has to be sent along."""

    href: str
    header: dict[str, str] = {}
    expires_in: int = 0


class ObjectError(msgspec.Struct, frozen=True):
    code: int
    message: str


class ObjectAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the client may do with a file; nothing to do where there are no actions and no error."""

    oid: str
    size: int
    authenticated: bool | None = None
    actions: dict[Literal["upload", "verify", "download"], BatchAction] | None = None
    error: ObjectError | None = None


class BatchAnswer(msgspec.Struct, frozen=True):
    transfer: Literal["basic", "multipart", "xet"]
    objects: list[ObjectAnswer]
    hash_algo: str = "sha256"


class PartSpec(msgspec.Struct, frozen=True, rename="camel"):
    part_number: Annotated[int, msgspec.Meta(ge=1, le=MOST_PARTS)]
    etag: Annotated[str, msgspec.Meta(max_length=256)]


class Completion(msgspec.Struct, frozen=True):
    """All parts of a file are sent; the etags are those that they were answered with."""

    oid: Oid
    parts: Annotated[list[PartSpec], msgspec.Meta(max_length=MOST_PARTS)]


class ArrivedParts(msgspec.Struct, frozen=True, rename="camel"):
    """What is there of a file that is being sent; all parts but the last have `partSize` bytes."""

    part_size: int
    parts: list[PartSpec]


class CopyTarget(msgspec.Struct, frozen=True):
    """The repository that is to get files."""

    type: Literal["model", "dataset", "space", "kernel"]
    name: Annotated[str, msgspec.Meta(max_length=200)]


class CopiedFile(msgspec.Struct, frozen=True, rename="camel"):
    """A file to be given on. The sha256 names it; what else clients say of it is not needed."""

    sha256: Oid
    xet_hash: str | None = None
    filename: str | None = None


class CopyFiles(msgspec.Struct, frozen=True):
    target: CopyTarget
    files: Annotated[list[CopiedFile], msgspec.Meta(max_length=MAX_OBJECTS)]


class CopyFailed(msgspec.Struct, frozen=True):
    sha256: str
    error: str


class FilesCopied(msgspec.Struct, frozen=True):
    """Those that were not; all others can be committed in the target."""

    failed: list[CopyFailed]


class FilesQuery(msgspec.Struct, frozen=True):
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000
    cursor: str | None = None


class FileEntry(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A large file of a repository. `filename` is empty until a commit names the file."""

    file_oid: str
    filename: str
    oid: str
    pushed_at: str
    size: int
    ref: str | None = None


class Deletions(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`sha` holds the `fileOid`s of files to delete for good."""

    sha: Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=1000)]
    rewrite_history: bool = False


class DeletionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    deletions: Deletions

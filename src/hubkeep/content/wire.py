# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire of the write routes: preupload, commit, card validation."""

from typing import Annotated, Literal

import msgspec

Path = Annotated[str, msgspec.Meta(max_length=4096)]
Summary = Annotated[str, msgspec.Meta(max_length=65536)]
CommitPrefix = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{5,40}$")]
RULES_LIMIT = 256 << 10
"""Characters that `.gitignore` and `.gitattributes` may have to be followed."""
Rules = Annotated[str, msgspec.Meta(max_length=RULES_LIMIT)]


class WriteQuery(msgspec.Struct):
    """Parameters of preupload and commit; what is not done yet is refused by name."""

    create_pr: bool = False
    hot_reload: bool = False


class PreuploadFile(msgspec.Struct):
    """A file that a client is about to upload, with its first bytes in base64."""

    path: Path
    size: Annotated[int, msgspec.Meta(ge=0)]
    sample: str = ""
    sha: str | None = None


class PreuploadRequest(msgspec.Struct, rename="camel"):
    """At most 1,000 files; the rules are those of the repository where none are sent."""

    files: Annotated[list[PreuploadFile], msgspec.Meta(max_length=1000)]
    git_ignore: Rules | None = None
    git_attributes: Rules | None = None


class PreuploadVerdict(msgspec.Struct, rename="camel"):
    """How to upload one file; `oid` is what the repository has there now (sha1, or sha256 for
    LFS).
    """

    path: str
    upload_mode: str
    should_ignore: bool
    oid: str | None


class PreuploadAnswer(msgspec.Struct, rename="camel"):
    files: list[PreuploadVerdict]
    commit_oid: str | None


class CommitHeader(msgspec.Struct, rename="camel"):
    """The first line of a commit."""

    summary: Summary = ""
    description: Summary = ""
    parent_commit: CommitPrefix | None = None


class RegularFile(msgspec.Struct):
    path: Path
    content: str
    encoding: Literal["base64", "utf-8"] = "utf-8"


class LfsFile(msgspec.Struct):
    """A file that was uploaded before, or that is copied: then its size is not sent."""

    path: Path
    oid: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    algo: Literal["sha256"] = "sha256"
    size: Annotated[int, msgspec.Meta(ge=0)] | None = None


class DeletedPath(msgspec.Struct):
    path: Path


class CopiedFile(msgspec.Struct, rename="camel"):
    path: Path
    src_path: Path
    src_revision: str | None = None


class CommitAnswer(msgspec.Struct, rename="camel"):
    """`hookOutput` is text for people: warnings about the card."""

    commit_url: str
    commit_oid: str
    success: bool = True
    hook_output: str = ""


class MergeRequest(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What to merge (any revision), and what the commit says where that is not the usual."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    summary: Summary = ""
    description: Summary = ""
    parent_commit: CommitPrefix | None = None
    dry_run: bool = False


class RevertRequest(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Which commit to take back (any revision), and what the new one says."""

    commit: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    summary: Summary = ""
    description: Summary = ""
    parent_commit: CommitPrefix | None = None
    dry_run: bool = False


class MergeAnswer(msgspec.Struct, rename="camel"):
    """As of a commit. `changed` is false where no commit was made, and `commitOid` is the head:
    all was merged before, or it was asked only whether it can be.
    """

    commit_url: str
    commit_oid: str
    changed: bool
    success: bool = True
    hook_output: str = ""


class CardToValidate(msgspec.Struct, rename="camel"):
    content: str
    repo_type: str = "model"


class Message(msgspec.Struct):
    message: str


class CardVerdict(msgspec.Struct):
    errors: list[Message]
    warnings: list[Message]

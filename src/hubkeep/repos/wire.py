# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire in this room: bodies and queries read, objects answered."""

from typing import Literal

import msgspec

Visibility = Literal["public", "private", "protected"]


class RepoFile(msgspec.Struct, forbid_unknown_fields=True):
    """A file for the first commit, as `@huggingface/hub` sends it."""

    path: str
    content: str
    encoding: Literal["base64"] = "base64"


class CreateRepo(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Body of `POST /api/repos/create`; clients before 2.0 say `private`, later `visibility`."""

    name: str
    organization: str | None = None
    type: str | None = None
    visibility: Visibility | None = None
    private: bool | None = None
    license: str | None = None
    files: list[RepoFile] | None = None
    sdk: str | None = None
    template: object = None
    resource_group_id: object = None
    region: object = None
    hardware: object = None
    sleep_time_seconds: object = None
    secrets: object = None
    variables: object = None
    volumes: object = None


class DuplicateRepo(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Body of `POST /api/{T}/{repo}/duplicate`; `repository` is the copy's `namespace/name`."""

    repository: str
    visibility: Visibility | None = None
    private: bool | None = None
    resource_group_id: object = None
    region: object = None
    hardware: object = None
    sleep_time_seconds: object = None
    secrets: object = None
    variables: object = None
    volumes: object = None


class DeleteRepo(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `DELETE /api/repos/delete`."""

    name: str
    organization: str | None = None
    type: str | None = None


class MoveRepo(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Body of `POST /api/repos/move`; both are `namespace/name`."""

    from_repo: str
    to_repo: str
    type: str | None = None


class ChangeSettings(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `PUT /api/{T}/{repo}/settings`; what is absent stays as it is."""

    visibility: Visibility | None = None
    private: bool | None = None
    gated: Literal["auto", "manual"] | bool | msgspec.UnsetType = msgspec.UNSET


class RepoCreated(msgspec.Struct):
    """A repository that was made: where its page is, its `namespace/name`, its public id."""

    url: str
    name: str
    id: str


class RepoDuplicated(msgspec.Struct, rename="camel"):
    """A copy that was made; its files are there already."""

    url: str
    name: str
    id: str
    files_copy_pending: bool = False


class RepoStorage(msgspec.Struct, rename="camel"):
    """One repository among those of a namespace, with the bytes that it stores."""

    id: str
    type: str
    updated_at: str
    visibility: str
    storage: int


class InfoQuery(msgspec.Struct, rename="camel"):
    """What an info may be asked for."""

    blobs: bool = False
    security_status: bool = False
    expand: tuple[str, ...] = ()


class PageQuery(msgspec.Struct):
    """Where a page of a list begins and how long it is."""

    limit: int | None = None
    cursor: str | None = None


class Like(msgspec.Struct, rename="camel"):
    """A repository that a user liked."""

    created_at: str
    repo: "LikedRepo"


class LikedRepo(msgspec.Struct):
    """The repository of a like."""

    name: str
    type: str


class SiblingLfs(msgspec.Struct, rename="camel"):
    """Of a file in LFS: here the hash is called `sha256`, in the tree it is `oid`."""

    sha256: str
    size: int
    pointer_size: int


class Sibling(msgspec.Struct, rename="camel", omit_defaults=True):
    """A file of the repository; everything but its name only with `blobs`."""

    rfilename: str
    size: int | None = None
    blob_id: str | None = None
    lfs: SiblingLfs | None = None

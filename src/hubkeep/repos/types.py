# SPDX-License-Identifier: Apache-2.0
"""Kinds of repositories, and a repository as rooms pass it around."""

from enum import StrEnum

import msgspec

from hubkeep.identity.actor import Role

# What stands as type in the row of a repository that was deleted and is still being cleared away:
# no address, list or search asks for it, and its name is free.
DELETED = "deleted"


class RepoType(StrEnum):
    """What a repository holds; buckets will be a kind of their own."""

    MODEL = "model"
    DATASET = "dataset"
    SPACE = "space"
    KERNEL = "kernel"

    @property
    def plural(self) -> str:
        """The segment of API addresses: `/api/models/...`."""
        return f"{self.value}s"

    @property
    def web_prefix(self) -> str:
        """What stands before the id in web addresses: models have nothing."""
        return "" if self is RepoType.MODEL else f"{self.plural}/"


class InfoRow(msgspec.Struct, frozen=True):
    """What infos and lists show of a repository, as far as it stands in the row of the table."""

    public_id: str
    path: str
    private: bool
    gated: str
    disabled: bool
    created_at: int
    last_modified: int
    head: bytes | None
    """Commit at the tip of the default branch; None while the repository is empty."""
    head_size: int = 0
    pipeline_tag: str | None = None
    library_name: str | None = None
    sdk: str | None = None
    tags: str = "[]"
    """A JSON list, passed on as it is."""
    used_storage: int = 0
    downloads: int = 0
    downloads_all: int = 0
    likes: int = 0
    trending: float = 0.0
    num_parameters: int | None = None


class Repo(InfoRow, frozen=True, kw_only=True):
    """A repository that the actor may see, with the actor's role in its namespace."""

    type: RepoType
    id: int
    owner_id: int
    creator_id: int | None
    default_branch: str
    facts_id: int | None
    """Of the head."""
    role: Role | None

    @property
    def web_path(self) -> str:
        """The path of its page, without a leading slash: `datasets/ns/name`."""
        return self.type.web_prefix + self.path

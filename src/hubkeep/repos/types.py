# SPDX-License-Identifier: Apache-2.0
"""Kinds of repositories, and a repository as rooms pass it around."""

from dataclasses import dataclass
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository that the actor may see, with the actor's role in its namespace."""

    id: int
    public_id: str
    type: RepoType
    path: str
    owner_id: int
    creator_id: int | None
    private: bool
    gated: str
    disabled: bool
    default_branch: str
    head: bytes | None
    """Commit at the tip of the default branch; None while the repository is empty."""
    facts_id: int | None
    library_name: str | None
    created_at: int
    last_modified: int
    role: Role | None

    @property
    def namespace(self) -> str:
        return self.path.partition("/")[0]

    @property
    def web_path(self) -> str:
        """The path of its page, without a leading slash: `datasets/ns/name`."""
        return self.type.web_prefix + self.path

    @property
    def api_path(self) -> str:
        """Where its API begins, without a leading slash: `api/datasets/ns/name`."""
        return f"api/{self.type.plural}/{self.path}"

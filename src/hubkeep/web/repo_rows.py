# SPDX-License-Identifier: Apache-2.0
"""A repository as lists show it: on list pages, at home, in a profile."""

import msgspec

from hubkeep.kit.time import Millis, unwire, wire
from hubkeep.repos.types import InfoRow, RepoType


class RepoRow(msgspec.Struct, rename="camel"):
    """One repository; `downloads` are those of 30 days, `parameters` null where nobody knows."""

    id: str
    kind: str
    web_path: str
    private: bool
    gated: bool
    task: str | None
    sdk: str | None
    parameters: int | None
    downloads: int
    likes: int
    created_at: str
    last_modified: str

    @property
    def modified_at(self) -> Millis:
        """When it was last changed, as templates reckon with."""
        return unwire(self.last_modified)


def repo_row(kind: RepoType, row: InfoRow) -> RepoRow:
    """Return what lists show of a repository."""
    return RepoRow(
        id=row.path,
        kind=kind.value,
        web_path=kind.web_prefix + row.path,
        private=row.private,
        gated=bool(row.gated),
        task=row.pipeline_tag,
        sdk=row.sdk,
        parameters=row.num_parameters,
        downloads=row.downloads,
        likes=row.likes,
        created_at=wire(row.created_at),
        last_modified=wire(row.last_modified),
    )

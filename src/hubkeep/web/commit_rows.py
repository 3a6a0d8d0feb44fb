# SPDX-License-Identifier: Apache-2.0
"""A commit as pages show it: in lists, above a folder, beside a file."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from hubkeep.git.store import CommitRow
from hubkeep.kit.time import Millis, wire
from hubkeep.repos.types import Repo
from hubkeep.web.repo_places import SHORT, address


class CommitShown(msgspec.Struct, rename="camel"):
    """A commit: `message` is what it says below its title; `account` is that of its author, null
    where it was not made on this hub.
    """

    id: str
    short: str
    title: str
    message: str
    author: str
    date: str
    href: str
    account: str | None = None

    @property
    def at(self) -> Millis:
        """When it was made, as templates reckon with."""
        return round(datetime.fromisoformat(self.date).timestamp() * 1000)


def commit_shown(
    repo: Repo, row: CommitRow, accounts: Mapping[int, str] | None = None
) -> CommitShown:
    """Return what pages show of a commit. One without a title says that, to have a link.

    `accounts` are names by id, as `names_by_id` finds them.
    """
    oid = row.oid.hex()
    return CommitShown(
        id=oid,
        short=oid[:SHORT],
        title=row.title.strip() or "(no message)",
        message=row.message.strip("\n"),
        author=row.author_name or "(nobody)",
        date=wire(row.committed_at),
        href=address(repo, "commit", oid),
        account=(accounts or {}).get(row.author_id) if row.author_id is not None else None,
    )

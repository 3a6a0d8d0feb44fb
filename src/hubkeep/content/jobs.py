# SPDX-License-Identifier: Apache-2.0
"""Background work of the room: git objects that no reference leads to any more."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import Connection

from hubkeep.git.errors import MarkStale
from hubkeep.git.reachable import Garbage, find_garbage, parts, purge
from hubkeep.jobs import Job, enqueue
from hubkeep.kit.time import Millis

if TYPE_CHECKING:
    from hubkeep.app import App

GRACE: Millis = 60 * 60 * 1000
"""How long a commit can still be read by its id once no branch or tag leads to it."""

_AT_ONCE = 2000


class CollectGarbage(Job["App"], frozen=True):
    """Squashing, rewriting, forced pushes and deleting branches leave commits that nobody should
    find for ever.

    It gets through however busy the repository is: what references lead to that moved meanwhile is
    kept, and only that is looked at again.
    """

    KIND: ClassVar[str] = "content.collect-garbage"

    repo_id: int

    async def run(self, context: "App") -> None:
        loop = asyncio.get_running_loop()
        find = partial(find_garbage, repo_id=self.repo_id)
        garbage: Garbage = await loop.run_in_executor(
            context.git_threads, context.db.read_now, find
        )
        follow = partial(garbage.follow, repo_id=self.repo_id)
        for part in parts(garbage, _AT_ONCE):
            remove = partial(purge, repo_id=self.repo_id, garbage=garbage, part=part)
            while True:  # each part is a transaction of its own, so that others get between
                try:
                    await context.db.write(remove)
                    break
                except MarkStale:
                    await loop.run_in_executor(context.git_threads, context.db.read_now, follow)


def collect_later(conn: Connection, repo_id: int, now: Millis) -> None:
    """Have what no reference leads to removed once the grace is over; part of the caller's
    change.
    """
    enqueue(conn, CollectGarbage(repo_id), now, run_at=now + GRACE)

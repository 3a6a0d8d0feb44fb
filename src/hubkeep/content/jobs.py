# SPDX-License-Identifier: Apache-2.0
"""Background work of the room: git objects that no reference leads to any more."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import Connection

from hubkeep.git.reachable import find_garbage, purge
from hubkeep.jobs import Job, enqueue
from hubkeep.kit.time import Millis

if TYPE_CHECKING:
    from hubkeep.app import App

GRACE: Millis = 60 * 60 * 1000
"""How long a commit can still be read by its id once no branch or tag leads to it."""

_AT_ONCE = 2000


class CollectGarbage(Job["App"], frozen=True):
    """Squashing, rewriting and deleting branches leave commits that nobody should find for ever.

    Where a reference moves meanwhile the job fails and is run again: what it looked at has changed.
    """

    KIND: ClassVar[str] = "content.collect-garbage"

    repo_id: int

    async def run(self, context: "App") -> None:
        garbage = await context.db.read(partial(find_garbage, repo_id=self.repo_id))
        step = partial(purge, repo_id=self.repo_id, garbage=garbage, limit=_AT_ONCE)
        while await context.db.write(step):
            pass  # each step is a transaction of its own, so that others get between


def collect_later(conn: Connection, repo_id: int, now: Millis) -> None:
    """Have what no reference leads to removed once the grace is over; part of the caller's
    change.
    """
    enqueue(conn, CollectGarbage(repo_id), now, run_at=now + GRACE)

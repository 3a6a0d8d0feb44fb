# SPDX-License-Identifier: Apache-2.0
"""Looking through the git objects of many repositories, one after the other."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hubkeep.content.queries_verifying import Subject, subject
from hubkeep.git.fsck import Findings, check_repository
from hubkeep.transfer.queries import linked_files

if TYPE_CHECKING:
    from hubkeep.app import App


@dataclass(frozen=True, slots=True)
class Verified:
    """A repository, and what was found in it."""

    subject: Subject
    findings: Findings


async def verify_git(
    app: "App", repo_ids: Iterable[int], progress: Callable[[int], None]
) -> AsyncGenerator[Verified]:
    """Look through repositories, each as it is at one moment; those that have gone are left out.

    `progress` is told of objects as they are read, in another thread.
    """
    loop = asyncio.get_running_loop()
    for repo_id in repo_ids:
        work = partial(verify_one, repo_id=repo_id, progress=progress)
        verified = await loop.run_in_executor(app.git_threads, app.db.read_now, work)
        if verified is not None:
            yield verified


def verify_one(conn: Connection, repo_id: int, progress: Callable[[int], None]) -> Verified | None:
    """Look through one repository; None if it has gone. Wants a snapshot."""
    found = subject(conn, repo_id)
    if found is None:
        return None

    def links(oids: Collection[bytes]) -> Mapping[bytes, int]:
        return {oid: file.size for oid, file in linked_files(conn, repo_id, oids).items()}

    return Verified(found, check_repository(conn, repo_id, found.expected, links, progress))

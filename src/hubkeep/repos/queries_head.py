# SPDX-License-Identifier: Apache-2.0
"""SQL of what a repository shows of the head of its default branch, written when the head moves."""

import msgspec
from sqlalchemy import Connection, update

from hubkeep.cards.facts import Facts
from hubkeep.db.tables import repos
from hubkeep.kit.time import Millis
from hubkeep.repos.search_index import reindex

_MAX_BIGINT = 2**63 - 1
_MAX_WRITTEN = 200


def move_head(
    conn: Connection,
    repo_id: int,
    commit: bytes,
    facts: Facts,
    facts_id: int,
    size: int,
    now: Millis,
) -> None:
    """Write commit, size and facts of the new head into the columns that lists and searches read.

    To be called in the transaction that moves the branch.
    """
    parameters = facts.num_parameters
    formats = facts.weight_formats
    conn.execute(
        update(repos)
        .where(repos.c.id == repo_id)
        .values(
            head=commit,
            facts_id=facts_id,
            head_size=size,
            last_modified=now,
            pipeline_tag=facts.pipeline_tag,
            library_name=facts.library_name,
            license=facts.license,
            sdk=facts.sdk,
            num_parameters=parameters if parameters and parameters <= _MAX_BIGINT else None,
            emissions_grams=facts.emissions_grams,
            tags=msgspec.json.encode(facts.tags).decode(),
            has_card=facts.has_card,
            weight_formats=None if formats is None else " ".join(formats),
            parameters_from=_counted_in(facts),
            emissions_text=facts.emissions.raw[:_MAX_WRITTEN] if facts.emissions else None,
        )
    )
    reindex(conn, repo_id)


def touch_head(conn: Connection, repo_id: int, commit: bytes, size: int, now: Millis) -> None:
    """Like `move_head` for a commit that changed nothing that is shown but itself and the size."""
    conn.execute(
        update(repos)
        .where(repos.c.id == repo_id)
        .values(head=commit, head_size=size, last_modified=now)
    )


def add_storage(conn: Connection, repo_id: int, added: int) -> None:
    """Count bytes that the repository holds more than before, over all its revisions."""
    conn.execute(
        update(repos).where(repos.c.id == repo_id).values(used_storage=repos.c.used_storage + added)
    )


def _counted_in(facts: Facts) -> str | None:
    """In which kind of file the parameters are counted."""
    if facts.num_parameters is None:
        return None
    return "safetensors" if facts.safetensors else "gguf"

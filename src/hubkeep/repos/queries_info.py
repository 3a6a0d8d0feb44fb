# SPDX-License-Identifier: Apache-2.0
"""SQL behind the info of a repository."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from hubkeep.cards.facts import Facts
from hubkeep.db.lookups import Lookup
from hubkeep.db.tables import facts, repos
from hubkeep.repos.info import InfoRow, read_facts

# In the order of InfoRow.
INFO_COLUMNS = tuple(repos.c[name] for name in InfoRow.__struct_fields__)

_HEAD = Lookup(
    select(*INFO_COLUMNS, facts.c.data)
    .outerjoin(facts, facts.c.id == repos.c.facts_id)
    .where(repos.c.id == bindparam("repo"))
)
_FACTS = select(facts.c.data).where(facts.c.id == bindparam("facts"))


def info_row(row: Sequence) -> InfoRow:
    """Read a row that begins with INFO_COLUMNS."""
    return InfoRow(*row[: len(INFO_COLUMNS)])


def load_info(conn: Connection, repo_id: int) -> tuple[InfoRow, Facts | None]:
    """Return what is shown of a repository that exists, and the facts of its head."""
    row = _HEAD.first(conn, {"repo": repo_id})
    assert row is not None, "the caller has just found it, in the same snapshot"
    return info_row(row), read_facts(row[-1])


def load_facts(conn: Connection, facts_id: int | None) -> Facts | None:
    """Return the facts of a revision; None for a revision that has none."""
    if facts_id is None:
        return None
    return read_facts(conn.execute(_FACTS, {"facts": facts_id}).scalar())

# SPDX-License-Identifier: Apache-2.0
"""SQL behind the info of a repository."""

from sqlalchemy import Connection, bindparam, select

from hubkeep.db.lookups import Lookup
from hubkeep.db.tables import facts

_FACTS = Lookup(select(facts.c.data).where(facts.c.id == bindparam("facts")))


def load_facts(conn: Connection, facts_id: int) -> bytes:
    """Return the facts of a revision, encoded."""
    row = _FACTS.first(conn, {"facts": facts_id})
    assert row is not None, "facts stay while a revision refers to them"
    return row[0].encode()

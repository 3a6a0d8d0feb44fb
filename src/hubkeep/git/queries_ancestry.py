# SPDX-License-Identifier: Apache-2.0
"""SQL that reads the graph of commits ahead of a walk: recursive, and bounded."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    Select,
    bindparam,
    func,
    literal,
    select,
    true,
)

from hubkeep.db.tables import git_commits
from hubkeep.git.commits import MAX_PARENTS
from hubkeep.git.objects import OID_BYTES

_ROWS = 5000
_REPO = bindparam("repo")
_MINE = git_commits.c.repo_id == _REPO


class Node(NamedTuple):
    """A commit in the graph; `generation` is 1 + the largest of its parents'."""

    oid: bytes
    tree: bytes
    parents: tuple[bytes, ...]
    generation: int


def _piece(data: ColumnElement[bytes], i: ColumnElement[int]) -> ColumnElement[bytes]:
    return func.substr(data, i * OID_BYTES + 1, OID_BYTES, type_=LargeBinary)


def _ahead(postgresql: bool) -> Select:
    """From some commits back as far as a generation, each once, the given ones first.

    PostgreSQL must be told to look each commit up by the index: it takes a recursion to be large,
    and would read the whole table for each step. SQLite looks up by itself, but has no way to
    count to the number of a commit's parents: it tries them all.
    """
    first = select(literal(0).label("i")).cte("numbers", recursive=True)
    numbers = first.union_all(select(first.c.i + 1).where(first.c.i < bindparam("last")))
    given = _piece(bindparam("oids", type_=LargeBinary), numbers.c.i)
    found = select(given.label("oid")).select_from(numbers).cte("found", recursive=True)
    here = _MINE & (git_commits.c.oid == found.c.oid)
    if postgresql:
        above = (
            select(git_commits.c.parents)
            .where(here, git_commits.c.generation > bindparam("floor"))
            .correlate(found)
            .offset(0)
            .lateral("above")
        )
        size = func.length(above.c.parents, type_=Integer)
        series = func.generate_series(0, size // OID_BYTES - 1)
        places = series.table_valued("i").lateral("i")
        step = select(_piece(above.c.parents, places.c.i)).select_from(
            found.join(above, true()).join(places, true())
        )
    else:
        start = select(literal(0).label("i")).cte("places", recursive=True)
        places = start.union_all(select(start.c.i + 1).where(start.c.i < MAX_PARENTS - 1))
        step = select(_piece(git_commits.c.parents, places.c.i)).where(
            here,
            git_commits.c.generation > bindparam("floor"),
            places.c.i * OID_BYTES < func.length(git_commits.c.parents),
        )
    found = found.union(step)
    some = select(found.c.oid).limit(bindparam("rows")).subquery("some")
    node = select(
        git_commits.c.oid, git_commits.c.tree, git_commits.c.parents, git_commits.c.generation
    )
    mine = node.where(_MINE, git_commits.c.oid == some.c.oid)
    if not postgresql:
        return mine
    each = mine.correlate(some).offset(0).lateral("each")
    return select(*each.c).select_from(some.join(each, true()))


_POSTGRESQL = _ahead(postgresql=True)
_SQLITE = _ahead(postgresql=False)


def read_ahead(conn: Connection, repo_id: int, oids: Sequence[bytes], floor: int) -> list[Node]:
    """Return commits, and what leads to them back to generation `floor`, as far as a page holds.

    The given ones are always among them, as far as they exist. One statement.
    """
    query = _POSTGRESQL if conn.dialect.name == "postgresql" else _SQLITE
    values = {
        "repo": repo_id,
        "oids": b"".join(oids),
        "last": len(oids) - 1,
        "floor": floor,
        "rows": len(oids) + _ROWS,
    }
    rows = conn.execute(query, values) if oids else ()
    return [Node(oid, tree, _split(parents), at) for oid, tree, parents, at in rows]


def _split(oids: bytes) -> tuple[bytes, ...]:
    return tuple(oids[i : i + OID_BYTES] for i in range(0, len(oids), OID_BYTES))

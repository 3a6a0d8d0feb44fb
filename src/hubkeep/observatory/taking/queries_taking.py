# SPDX-License-Identifier: Apache-2.0
"""SQL of what a snapshot of this hub holds: columns of its tables alone, never a file."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select, text

from hubkeep.db.tables import accounts, concealed, facts, repos
from hubkeep.identity.actor import ANONYMOUS
from hubkeep.kit.time import Millis
from hubkeep.observatory.queries_concealed import ACCOUNT, SETTLING
from hubkeep.repos.queries_visible import visible_to
from hubkeep.repos.types import DELETED, RepoType

TAKEN: Final = (RepoType.MODEL, RepoType.DATASET, RepoType.SPACE)
"""Kinds of repositories that snapshots tell of: kernels are no table of theirs."""

PIECE: Final = 2000
"""Rows that are held at once."""

Gone: TypeAlias = tuple[str, int, str]
"""Type, id and lower-cased name of what strangers see no more."""

_COLUMNS: Final = (
    repos.c.id,
    repos.c.type,
    repos.c.path,
    repos.c.created_at,
    repos.c.last_modified,
    repos.c.downloads,
    repos.c.downloads_all,
    repos.c.likes,
    repos.c.trending,
    repos.c.license,
    repos.c.head.is_not(None).label("has_head"),
    repos.c.head_size,
    repos.c.used_storage,
    repos.c.gated,
    repos.c.private,
    repos.c.disabled,
    repos.c.has_card,
    repos.c.pipeline_tag,
    repos.c.library_name,
    repos.c.num_parameters,
    repos.c.parameters_from,
    repos.c.emissions_grams,
    repos.c.emissions_text,
    repos.c.weight_formats,
    repos.c.sdk,
    repos.c.tags,
)


def read_through(conn: Connection) -> None:
    """Prepare a connection to read much of the database once, and little of it twice.

    On SQLite: without the file in this process's memory, where all that is read of it would stay.
    """
    if conn.dialect.name == "sqlite":
        conn.execute(text("PRAGMA mmap_size = 0"))


def repositories(conn: Connection, *, with_private: bool) -> Iterator[Sequence[Row]]:
    """Return models, datasets and Spaces in pieces; without private ones, what strangers may see.

    `facts` is what the card of a Space says, as JSON: which models and datasets it uses is in no
    column.
    """
    of_spaces = and_(facts.c.id == repos.c.facts_id, repos.c.type == RepoType.SPACE.value)
    rows = (
        select(*_COLUMNS, facts.c.data.label("facts"))
        .select_from(repos)
        .outerjoin(facts, of_spaces)
        .where(repos.c.type.in_([kind.value for kind in TAKEN]), _seen(with_private))
    )
    return _pieces(conn, rows)


def people(conn: Connection, *, with_disabled: bool) -> Iterator[Sequence[Row]]:
    """Return users and organisations in pieces; the disabled ones have no page."""
    who = accounts.c
    rows = select(
        who.id, who.name, who.kind, who.org_type, who.fullname, who.created_at, who.disabled
    )
    return _pieces(conn, rows if with_disabled else rows.where(who.disabled.is_(False)))


def gone_since(conn: Connection, moment: Millis) -> set[Gone]:
    """Return what was hidden from strangers at `moment` or later, and is so still.

    By id as well as by name: a name may be another's by now.
    """
    noted = concealed.c.at >= moment - SETTLING
    of_repos = (
        select(concealed.c.type, concealed.c.subject_id, concealed.c.path_key)
        .outerjoin(
            repos,
            and_(
                repos.c.id == concealed.c.subject_id,
                repos.c.type == concealed.c.type,
                repos.c.path_key == concealed.c.path_key,
                repos.c.private.is_(False),
            ),
        )
        .where(noted, concealed.c.type != ACCOUNT, repos.c.id.is_(None))
    )
    of_accounts = (
        select(concealed.c.type, concealed.c.subject_id, concealed.c.path_key)
        .outerjoin(
            accounts,
            and_(
                accounts.c.id == concealed.c.subject_id,
                accounts.c.name_key == concealed.c.path_key,
                accounts.c.disabled.is_(False),
            ),
        )
        .where(noted, concealed.c.type == ACCOUNT, accounts.c.id.is_(None))
    )
    found = (*conn.execute(of_repos), *conn.execute(of_accounts))
    return {(kind, subject, key) for kind, subject, key in found}


def has_repositories(conn: Connection) -> bool:
    """Whether there is anything to take a snapshot of."""
    kinds = [kind.value for kind in TAKEN]
    found = or_(*(repos.c.type == kind for kind in kinds))
    return conn.execute(select(repos.c.id).where(found).limit(1)).first() is not None


def _seen(with_private: bool) -> ColumnElement[bool]:
    return repos.c.type != DELETED if with_private else visible_to(ANONYMOUS)


def _pieces(conn: Connection, rows: Select) -> Iterator[Sequence[Row]]:
    # Streamed: on PostgreSQL by a cursor of the server's, within the transaction.
    found = conn.execute(rows, execution_options={"yield_per": PIECE})
    return iter(found.partitions())

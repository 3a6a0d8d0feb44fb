# SPDX-License-Identifier: Apache-2.0
"""SQL of how much there is on the hub, which a job counts from time to time."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, func, select

from hubkeep.db.tables import accounts, downloads_daily, hub, likes, repos
from hubkeep.db.upserts import insert_for
from hubkeep.kit.time import Millis, day_of
from hubkeep.repos.types import DELETED

_NAME = "figures"


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What there was on the hub at a time; `downloads_today` are those since midnight in UTC."""

    counted_at: Millis
    users: int
    disabled_users: int
    organisations: int
    repositories: Mapping[str, int]
    """By type, private ones included; types without any are absent."""
    private_repositories: int
    likes: int
    downloads_today: int


def count_figures(conn: Connection, now: Millis) -> Figures:
    """Count what there is. Looks at every account, repository and like."""
    who = accounts.c
    by_kind = select(who.kind, who.disabled, func.count()).group_by(who.kind, who.disabled)
    people = {(kind, disabled): count for kind, disabled, count in conn.execute(by_kind)}
    kinds = select(repos.c.type, repos.c.private, func.count()).where(repos.c.type != DELETED)
    found = conn.execute(kinds.group_by(repos.c.type, repos.c.private)).all()
    by_type: dict[str, int] = {}
    for kind, _, count in found:
        by_type[kind] = by_type.get(kind, 0) + count
    today = downloads_daily.c.day == day_of(now)
    downloads = conn.execute(select(func.sum(downloads_daily.c.count)).where(today)).scalar()
    return Figures(
        counted_at=now,
        users=people.get(("user", False), 0) + people.get(("user", True), 0),
        disabled_users=people.get(("user", True), 0),
        organisations=people.get(("org", False), 0) + people.get(("org", True), 0),
        repositories=by_type,
        private_repositories=sum(count for _, private, count in found if private),
        likes=conn.execute(select(func.count()).select_from(likes)).scalar_one(),
        downloads_today=int(downloads or 0),
    )


def latest_figures(conn: Connection) -> Figures | None:
    """Return what was counted last; None before that."""
    text = conn.execute(select(hub.c.value).where(hub.c.name == _NAME)).scalar()
    return msgspec.json.decode(text, type=Figures) if text else None


def note_figures(conn: Connection, figures: Figures) -> None:
    """Keep what was counted."""
    note = insert_for(conn, hub).values(name=_NAME, value=msgspec.json.encode(figures).decode())
    conn.execute(
        note.on_conflict_do_update(index_elements=["name"], set_={"value": note.excluded.value})
    )

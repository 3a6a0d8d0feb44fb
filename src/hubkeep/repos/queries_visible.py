# SPDX-License-Identifier: Apache-2.0
"""Who may see which repositories, in SQL: what `can(actor, READ, ...)` says of one."""

from sqlalchemy import ColumnElement, and_, or_, select

from hubkeep.db.tables import memberships, repos
from hubkeep.identity.actor import Actor
from hubkeep.repos.types import DELETED


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on `repos` that holds for just what `actor` may read."""
    standing = repos.c.type != DELETED
    user = actor.user
    if user is None:
        return and_(standing, repos.c.private.is_(False))
    if user.is_admin:
        return standing
    own = select(memberships.c.org_id).where(memberships.c.user_id == user.id)
    return and_(
        standing,
        or_(
            repos.c.private.is_(False),
            repos.c.owner_id == user.id,
            repos.c.owner_id.in_(own),
        ),
    )

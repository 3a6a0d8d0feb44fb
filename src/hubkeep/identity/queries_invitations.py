# SPDX-License-Identifier: Apache-2.0
"""SQL of invitations to sign up: a link each, of which a hash is kept."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from hubkeep.db.tables import accounts, invitations
from hubkeep.identity.queries import token_hash
from hubkeep.identity.wire_admin import InvitationLine
from hubkeep.kit.ids import new_id
from hubkeep.kit.time import Millis


def insert_invitation(
    conn: Connection,
    secret: str,
    now: Millis,
    expires_at: Millis,
    *,
    note: str = "",
    made_by: int | None = None,
) -> str:
    """Add an invitation and return its public id; those that are over are forgotten."""
    conn.execute(delete(invitations).where(invitations.c.expires_at <= now))
    public_id = new_id()
    values = {
        "public_id": public_id,
        "hash": token_hash(secret),
        "note": note,
        "made_by": made_by,
        "created_at": now,
        "expires_at": expires_at,
    }
    conn.execute(insert(invitations).values(values))
    return public_id


def is_invitation(conn: Connection, secret: str, now: Millis) -> bool:
    """Say whether somebody may still sign up by this one."""
    found = select(invitations.c.id).where(
        invitations.c.hash == token_hash(secret), invitations.c.expires_at > now
    )
    return conn.execute(found).first() is not None


def take_invitation(conn: Connection, secret: str, now: Millis) -> bool:
    """Use an invitation up; False if it is used or over. Of two at once one waits and gets none."""
    mine = delete(invitations).where(
        invitations.c.hash == token_hash(secret), invitations.c.expires_at > now
    )
    return conn.execute(mine).rowcount == 1


def list_invitations(
    conn: Connection, now: Millis, limit: int | None = None
) -> Sequence[InvitationLine]:
    """Return the invitations that are not used or over, the newest first."""
    rows = conn.execute(
        select(
            invitations.c.public_id,
            invitations.c.note,
            accounts.c.name,
            invitations.c.created_at,
            invitations.c.expires_at,
        )
        .outerjoin(accounts, accounts.c.id == invitations.c.made_by)
        .where(invitations.c.expires_at > now)
        .order_by(invitations.c.created_at.desc(), invitations.c.id.desc())
        .limit(limit)
    )
    return [InvitationLine(*row) for row in rows]


def delete_invitation(conn: Connection, public_id: str) -> bool:
    """Take an invitation back; False if there is none."""
    mine = delete(invitations).where(invitations.c.public_id == public_id)
    return conn.execute(mine).rowcount == 1

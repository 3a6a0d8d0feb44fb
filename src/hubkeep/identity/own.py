# SPDX-License-Identifier: Apache-2.0
"""What people do with accounts of their own: sign up, sign in, change the password, leave.

Each is a function of a connection, to be run in one transaction of its caller's.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from hubkeep.identity import commands, queries_admin, queries_members
from hubkeep.identity.actor import Account, Role
from hubkeep.identity.commands import Refused
from hubkeep.identity.queries_invitations import take_invitation
from hubkeep.identity.queries_sessions import end_session_of, end_sessions, open_session
from hubkeep.identity.sessions import new_session_secret
from hubkeep.kit.time import Millis


class UsedUp(ValueError):
    """The invitation was used, or is over."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who signs up; `invitation` is None where none is needed."""

    name: str
    fullname: str
    email: str | None
    password_hash: str
    invitation: str | None


def sign_up(conn: Connection, who: Newcomer, now: Millis) -> Account:
    """Make the account of who signs up, and use up the invitation.

    UsedUp where that does not hold any more; Refused where the name cannot be had.
    """
    if who.invitation is not None and not take_invitation(conn, who.invitation, now):
        raise UsedUp
    return commands.create_user(
        conn,
        who.name,
        now,
        fullname=who.fullname,
        email=who.email,
        password_hash=who.password_hash,
    )


def begin_session(
    conn: Connection, user_id: int, agent: str, now: Millis, *, instead_of: str | None
) -> str:
    """Begin a session and return its secret, always a new one; the browser's last one ends."""
    if instead_of is not None:
        end_session_of(conn, instead_of)
    secret = new_session_secret()
    open_session(conn, user_id, secret, agent, now)
    return secret


def change_password(
    conn: Connection, user_id: int, password_hash: str, agent: str, now: Millis
) -> str:
    """Set a password and return the secret of the one session that there is from then on.

    Proofs by the password of before do not hold any more: they are of what was stored of it.
    """
    queries_admin.update_account(conn, user_id, password_hash=password_hash)
    end_sessions(conn, user_id)
    return begin_session(conn, user_id, agent, now, instead_of=None)


def set_member(
    conn: Connection, org: Account, user: Account, role: Role | None, now: Millis
) -> None:
    """Give a user a role in an organisation, or none; Refused for its last administrator.

    Who changes an organisation's members waits for who does so already.
    """
    queries_members.lock_account(conn, org.id)
    if role is not Role.ADMIN:
        others = queries_members.count_admins(conn, org.id, besides=user.id)
        if not others:
            raise Refused(
                f"{user.name} is the last administrator of {org.name}: make another one first"
            )
    if role is None:
        if not queries_admin.delete_member(conn, org.id, user.id):
            raise Refused(f"{user.name} is no member of {org.name}")
        return
    queries_admin.set_member(conn, org.id, user.id, role, now)

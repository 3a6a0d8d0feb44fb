# SPDX-License-Identifier: Apache-2.0
"""What administrators do: make and delete accounts, say who is where, make and revoke tokens.

Each is a function of a connection, to be run in one transaction of its caller's, and raises Refused
with a text for people. Who may do it is the caller's to check.
"""

import re
import secrets
import string

from sqlalchemy import Connection

from hubkeep.identity import queries_admin
from hubkeep.identity.actor import Account, OrgType, Role, TokenRole
from hubkeep.identity.names import BadName, check_account_name
from hubkeep.identity.queries import account, token_hash
from hubkeep.identity.queries_admin import Kind, Taken
from hubkeep.identity.queries_invitations import insert_invitation
from hubkeep.identity.queries_sessions import end_sessions
from hubkeep.identity.wire_admin import NewInvitation, NewToken
from hubkeep.kit.text import storable
from hubkeep.kit.time import Millis
from hubkeep.observatory.queries_concealed import ACCOUNT, conceal, reveal

_ALPHABET = string.ascii_letters + string.digits
_SECRET_LENGTH = 34  # as many as Hugging Face's have: 202 bits
_HINT_LENGTH = 4
# Only a hash without salt or stretching is stored, which is enough for what nobody can guess.
_VALUE = re.compile(r"hf_[A-Za-z0-9_\-]{16,200}")
_TOKEN_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
_SHOWN = 5
_NOTE_LIMIT = 256


class Refused(ValueError):
    """What was asked for cannot be done; the text says why, and what helps."""


def create_user(
    conn: Connection,
    name: str,
    now: Millis,
    *,
    fullname: str = "",
    email: str | None = None,
    is_admin: bool = False,
    password_hash: str | None = None,
) -> Account:
    """Make a user. Without a password there is no signing in, but tokens work."""
    return _create(
        conn,
        "user",
        name,
        now,
        fullname=fullname,
        email=email,
        is_admin=is_admin,
        password_hash=password_hash,
    )


def create_org(
    conn: Connection,
    name: str,
    now: Millis,
    *,
    fullname: str = "",
    org_type: OrgType | None = None,
    default_private: bool = False,
) -> Account:
    """Make an organisation without members; `default_private` is what its new repositories are."""
    return _create(
        conn,
        "org",
        name,
        now,
        fullname=fullname,
        org_type=org_type,
        default_private=default_private,
    )


def delete_account(conn: Connection, kind: Kind, name: str, now: Millis) -> None:
    """Delete a user or an organisation that owns no repository, with its tokens and memberships."""
    found = find(conn, kind, name, with_disabled=True)
    owned = queries_admin.owned_paths(conn, found.id, _SHOWN + 1)
    if owned:
        more = ", ..." if len(owned) > _SHOWN else ""
        raise Refused(
            f"{found.name} still owns repositories: {', '.join(owned[:_SHOWN])}{more};"
            " delete or move them first"
        )
    conceal(conn, found.id, ACCOUNT, [found.name], now)
    queries_admin.delete_account(conn, found.id)


def set_disabled(conn: Connection, name: str, disabled: bool, now: Millis) -> None:
    """Shut a user out, or let it in again: tokens, the password and sessions fail from the next
    request on. Tokens work again afterwards; sessions are over for good.
    """
    found = find(conn, "user", name, with_disabled=True)
    queries_admin.update_account(conn, found.id, disabled=disabled)
    end_sessions(conn, found.id)
    if disabled:
        conceal(conn, found.id, ACCOUNT, [found.name], now)
    else:
        reveal(conn, found.id, ACCOUNT, found.name)


def set_admin(conn: Connection, name: str, is_admin: bool) -> None:
    """Make a user an administrator of the hub, or no longer; Refused for the last one."""
    found = find(conn, "user", name, with_disabled=True)
    if not is_admin:
        keep_an_administrator(conn, found)
    queries_admin.update_account(conn, found.id, is_admin=is_admin)


def keep_an_administrator(conn: Connection, leaving: Account) -> None:
    """Refuse if nobody administers the hub without this account; disabled ones do not count.

    Who takes an administrator away waits for who does so already, so that two do not take away each
    other.
    """
    others = queries_admin.lock_administrators(conn)
    if leaving.id in others and len(others) == 1:
        raise Refused(
            f"{leaving.name} is the last administrator of this hub: make another one first"
        )


def set_password(conn: Connection, name: str, password_hash: str) -> None:
    """Give a user another password; its sessions are over, its tokens stay."""
    found = find(conn, "user", name)
    queries_admin.update_account(conn, found.id, password_hash=password_hash)
    end_sessions(conn, found.id)


def invite(
    conn: Connection,
    base: str,
    now: Millis,
    *,
    expires_at: Millis,
    note: str = "",
    made_by: int | None = None,
) -> NewInvitation:
    """Make an invitation to sign up; what is returned is the only copy of its link."""
    if len(note) > _NOTE_LIMIT or not storable(note):
        raise Refused(f"a note has at most {_NOTE_LIMIT} printable characters")
    secret = secrets.token_urlsafe(24)
    public_id = insert_invitation(conn, secret, now, expires_at, note=note, made_by=made_by)
    return NewInvitation(public_id, f"{base}/join?invitation={secret}", note, expires_at)


def add_member(conn: Connection, org: str, user: str, role: Role, now: Millis) -> None:
    """Make a user a member of an organisation, or change the role of one."""
    member = find(conn, "user", user, with_disabled=True)
    queries_admin.set_member(conn, find(conn, "org", org).id, member.id, role, now)


def remove_member(conn: Connection, org: str, user: str) -> None:
    """End a membership."""
    found = find(conn, "org", org)
    member = find(conn, "user", user, with_disabled=True)
    if not queries_admin.delete_member(conn, found.id, member.id):
        raise Refused(f"{user} is no member of {found.name}")


def create_token(
    conn: Connection,
    user: str,
    role: TokenRole,
    now: Millis,
    *,
    name: str | None = None,
    value: str | None = None,
    expires_at: Millis | None = None,
) -> NewToken:
    """Make a token; what is returned is the only copy of its value, since a hash is stored.

    `value` is for tokens that exist already, as in test set-ups; it should be random.
    """
    found = find(conn, "user", user)
    secret = value or "hf_" + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    if not _VALUE.fullmatch(secret):
        raise Refused("a token begins with 'hf_', then 16 to 200 letters, digits, '-' and '_'")
    label = name if name is not None else f"{role.value}-{secrets.token_hex(3)}"
    if not _TOKEN_NAME.fullmatch(label):
        raise Refused("a token's name has 1 to 128 printable characters")
    try:
        public_id = queries_admin.insert_token(
            conn, found.id, label, role, token_hash(secret), secret[-_HINT_LENGTH:], now, expires_at
        )
    except Taken as taken:
        raise Refused(
            f"{found.name} has a token called {label!r}, or somebody has this value: use another"
        ) from taken
    return NewToken(public_id, found.name, label, role.value, secret, expires_at)


def revoke_token(conn: Connection, user: str, name_or_id: str) -> None:
    """Delete a user's token by its name or id; it fails from the next request on."""
    found = find(conn, "user", user, with_disabled=True)
    if not queries_admin.delete_token(conn, found.id, name_or_id):
        raise Refused(f"{found.name} has no token {name_or_id!r}; 'hubkeep token list' shows them")


def find(conn: Connection, kind: Kind, name: str, *, with_disabled: bool = False) -> Account:
    """Return the user or the organisation of this name; Refused where there is none."""
    found = account(conn, name, with_disabled=with_disabled)
    if found is None or found.kind != kind:
        what = "user" if kind == "user" else "organisation"
        raise Refused(f"there is no {what} {name!r}; 'hubkeep {kind} list' shows them")
    return found


def _create(
    conn: Connection, kind: Kind, name: str, now: Millis, **columns: str | bool | None
) -> Account:
    try:
        check_account_name(name)
        queries_admin.insert_account(conn, kind, name, now, **columns)
    except BadName as bad:
        raise Refused(str(bad)) from bad
    except Taken as taken:
        raise Refused(f"the name {name!r} is taken by a user or an organisation") from taken
    made = account(conn, name)
    assert made is not None
    return made

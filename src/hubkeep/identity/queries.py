# SPDX-License-Identifier: Apache-2.0
"""SQL of the room: accounts, memberships and tokens."""

import base64
import binascii
import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.engine import RowMapping

from hubkeep import errors
from hubkeep.db.tables import accounts, memberships, tokens
from hubkeep.identity.actor import ANONYMOUS, Account, Actor, Role, Token, TokenRole
from hubkeep.identity.names import key
from hubkeep.kit.time import Millis

_ACCOUNT_COLUMNS = (
    accounts.c.id,
    accounts.c.public_id,
    accounts.c.kind,
    accounts.c.name,
    accounts.c.fullname,
    accounts.c.email,
    accounts.c.details,
    accounts.c.is_admin,
    accounts.c.org_type,
    accounts.c.default_private,
    accounts.c.created_at,
)
_BY_TOKEN = (
    select(
        *_ACCOUNT_COLUMNS,
        tokens.c.id.label("token_id"),
        tokens.c.name.label("token_name"),
        tokens.c.role.label("token_role"),
        tokens.c.created_at.label("token_created_at"),
        tokens.c.expires_at.label("token_expires_at"),
    )
    .join(accounts, accounts.c.id == tokens.c.user_id)
    .where(tokens.c.hash == bindparam("hash"), accounts.c.disabled.is_(False))
)
_BY_NAME = select(*_ACCOUNT_COLUMNS).where(
    accounts.c.name_key == bindparam("key"), accounts.c.disabled.is_(False)
)
_ROLE = select(memberships.c.role).where(
    memberships.c.org_id == bindparam("org"), memberships.c.user_id == bindparam("user")
)


def token_hash(secret: str) -> bytes:
    """Return what is stored of a token. Tokens are random, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


def authenticate(conn: Connection, authorization: str | None, now: Millis) -> Actor:
    """Say who sends this `Authorization` header: Bearer, or Basic with the token as its password.

    Raises bad_credentials for anything sent that is not a token in force; no header is ANONYMOUS.
    """
    if not authorization:
        return ANONYMOUS
    secret = _secret(authorization)
    row = (
        conn.execute(_BY_TOKEN, {"hash": token_hash(secret)}).mappings().first() if secret else None
    )
    if row is None or (row["token_expires_at"] is not None and row["token_expires_at"] <= now):
        raise errors.bad_credentials()
    token = Token(
        row["token_id"],
        row["token_name"],
        TokenRole(row["token_role"]),
        row["token_created_at"],
        row["token_expires_at"],
    )
    return Actor(_account(row), token)


def _secret(authorization: str) -> str | None:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None


def _account(row: RowMapping) -> Account:
    return Account(**{column.name: row[column.name] for column in _ACCOUNT_COLUMNS})


def account(conn: Connection, name: str) -> Account | None:
    """Return the account of this name, whatever its case; None if there is none or it is
    disabled.
    """
    row = conn.execute(_BY_NAME, {"key": key(name)}).mappings().first()
    return _account(row) if row else None


def account_by_id(conn: Connection, account_id: int) -> Account | None:
    row = (
        conn.execute(select(*_ACCOUNT_COLUMNS).where(accounts.c.id == account_id))
        .mappings()
        .first()
    )
    return _account(row) if row else None


def role_in(conn: Connection, org_id: int, user_id: int | None) -> Role | None:
    """Return the role of a user in an organisation; None for no member, and for nobody."""
    if user_id is None or user_id == org_id:
        return None
    role = conn.execute(_ROLE, {"org": org_id, "user": user_id}).scalar()
    return Role(role) if role else None


def organisations_of(conn: Connection, user_id: int) -> Sequence[tuple[Account, Role]]:
    """Return the organisations of a user with the role in each, by name."""
    rows = conn.execute(
        select(*_ACCOUNT_COLUMNS, memberships.c.role)
        .join(memberships, memberships.c.org_id == accounts.c.id)
        .where(memberships.c.user_id == user_id, accounts.c.disabled.is_(False))
        .order_by(accounts.c.name_key)
    ).mappings()
    return [(_account(row), Role(row["role"])) for row in rows]

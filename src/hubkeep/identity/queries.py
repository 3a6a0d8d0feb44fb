# SPDX-License-Identifier: Apache-2.0
"""SQL of the room: accounts, memberships and tokens."""

import hashlib
from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy import Connection, bindparam, select

from hubkeep import errors
from hubkeep.db.lookups import Lookup
from hubkeep.db.tables import accounts, memberships, tokens
from hubkeep.identity.actor import ANONYMOUS, Account, Actor, Role, Token, TokenRole
from hubkeep.identity.names import key
from hubkeep.identity.passwords import fingerprint
from hubkeep.identity.proofs import PasswordProof, read_basic
from hubkeep.kit.text import storable
from hubkeep.kit.time import Millis

ACCOUNT_COLUMNS = tuple(accounts.c[field.name] for field in fields(Account))
_TOKEN_COLUMNS = tuple(tokens.c[field.name] for field in fields(Token))
_BY_TOKEN = Lookup(
    select(*ACCOUNT_COLUMNS, *_TOKEN_COLUMNS)
    .join(accounts, accounts.c.id == tokens.c.user_id)
    .where(tokens.c.hash == bindparam("hash"), accounts.c.disabled.is_(False))
)
_BY_PASSWORD = Lookup(
    select(*ACCOUNT_COLUMNS, accounts.c.password_hash).where(
        accounts.c.id == bindparam("id"), accounts.c.disabled.is_(False)
    )
)
_ANY_BY_NAME = select(*ACCOUNT_COLUMNS).where(accounts.c.name_key == bindparam("key"))
_BY_NAME = _ANY_BY_NAME.where(accounts.c.disabled.is_(False))
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
    row = _BY_TOKEN.first(conn, {"hash": token_hash(secret)}) if secret else None
    if row is None:
        raise errors.bad_credentials()
    public_id, name, role, created_at, expires_at = row[len(ACCOUNT_COLUMNS) :]
    if expires_at is not None and expires_at <= now:
        raise errors.bad_credentials()
    return Actor(account_of(row), Token(public_id, name, TokenRole(role), created_at, expires_at))


def of_password(conn: Connection, proof: PasswordProof) -> Actor:
    """Return who gave this password; wrong_password if it is not the account's any more."""
    row = _BY_PASSWORD.first(conn, {"id": proof.user_id})
    stored = row[-1] if row else None
    if row is None or stored is None or fingerprint(stored) != proof.fingerprint:
        raise errors.wrong_password()
    return Actor(account_of(row), password=proof.fingerprint)


def _secret(authorization: str) -> str | None:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    basic = read_basic(authorization)
    return basic.secret if basic else None


def account_of(row: Sequence) -> Account:
    """Read a row that begins with ACCOUNT_COLUMNS."""
    return Account(*row[: len(ACCOUNT_COLUMNS)])


def account(conn: Connection, name: str, *, with_disabled: bool = False) -> Account | None:
    """Return the account of this name, whatever its case; None if there is none or it is disabled,
    unless that does not matter.
    """
    if not storable(name):
        return None
    found = _ANY_BY_NAME if with_disabled else _BY_NAME
    row = conn.execute(found, {"key": key(name)}).first()
    return account_of(row) if row else None


def account_by_id(conn: Connection, account_id: int) -> Account | None:
    row = conn.execute(select(*ACCOUNT_COLUMNS).where(accounts.c.id == account_id)).first()
    return account_of(row) if row else None


def role_in(conn: Connection, org_id: int, user_id: int | None) -> Role | None:
    """Return the role of a user in an organisation; None for no member, and for nobody."""
    if user_id is None or user_id == org_id:
        return None
    role = conn.execute(_ROLE, {"org": org_id, "user": user_id}).scalar()
    return Role(role) if role else None


def organisations_of(conn: Connection, user_id: int) -> Sequence[tuple[Account, Role]]:
    """Return the organisations of a user with the role in each, by name."""
    rows = conn.execute(
        select(*ACCOUNT_COLUMNS, memberships.c.role)
        .join(memberships, memberships.c.org_id == accounts.c.id)
        .where(memberships.c.user_id == user_id, accounts.c.disabled.is_(False))
        .order_by(accounts.c.name_key)
    )
    return [(account_of(row), Role(row[-1])) for row in rows]

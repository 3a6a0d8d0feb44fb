# SPDX-License-Identifier: Apache-2.0
"""SQL of administration: what commands, and later the settings pages, change and list."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import Connection, delete, func, select, text, update

from hubkeep.db.tables import accounts, memberships, repos, tokens
from hubkeep.db.upserts import insert_for
from hubkeep.identity.actor import Role, TokenRole
from hubkeep.identity.names import key
from hubkeep.identity.wire_admin import AccountLine, MemberLine, TokenLine
from hubkeep.kit.ids import new_id
from hubkeep.kit.time import Millis

Kind = Literal["user", "org"]


class Taken(Exception):
    """Another row has this name."""


def insert_account(
    conn: Connection, kind: Kind, name: str, now: Millis, **columns: str | bool | None
) -> int:
    """Add an account; Taken where a user or an organisation has the name, in any case."""
    row = {
        "public_id": new_id(),
        "kind": kind,
        "name": name,
        "name_key": key(name),
        "created_at": now,
        **columns,
    }
    # On conflict nothing, since a failed insert would end the transaction on PostgreSQL.
    statement = insert_for(conn, accounts).values(row).on_conflict_do_nothing()
    made = conn.execute(statement.returning(accounts.c.id)).scalar()
    if made is None:
        raise Taken(name)
    return made


def update_account(conn: Connection, account_id: int, **columns: str | bool | None) -> None:
    """Change columns of an account."""
    conn.execute(update(accounts).where(accounts.c.id == account_id).values(**columns))


def lock_administrators(conn: Connection) -> Sequence[int]:
    """Return the ids of the hub's administrators who are not disabled, none of which anybody else
    changes until the end of this transaction.
    """
    who = accounts.c
    found = select(who.id).where(text("is_admin"), who.kind == "user", who.disabled.is_(False))
    return conn.execute(found.order_by(who.name_key).with_for_update()).scalars().all()


def list_accounts(conn: Connection, kind: Kind) -> list[AccountLine]:
    """Return all accounts of a kind, by name."""
    owned = select(func.count()).where(repos.c.owner_id == accounts.c.id).scalar_subquery()
    rows = conn.execute(
        select(
            accounts.c.name,
            accounts.c.public_id,
            accounts.c.fullname,
            accounts.c.email,
            accounts.c.is_admin,
            accounts.c.org_type,
            accounts.c.default_private,
            owned,
            accounts.c.created_at,
        )
        .where(accounts.c.kind == kind)
        .order_by(accounts.c.name_key)
    )
    return [AccountLine(*row) for row in rows]


def owned_paths(conn: Connection, account_id: int, limit: int) -> Sequence[str]:
    """Return some of a namespace's repositories, those that wait for their purge among them."""
    statement = select(repos.c.path).where(repos.c.owner_id == account_id)
    return conn.execute(statement.order_by(repos.c.path_key).limit(limit)).scalars().all()


def delete_account(conn: Connection, account_id: int) -> None:
    """Delete an account with its tokens, memberships and likes. It must own no repository."""
    conn.execute(delete(accounts).where(accounts.c.id == account_id))


def set_member(conn: Connection, org_id: int, user_id: int, role: Role, now: Millis) -> None:
    """Make a user a member, or change the role of one."""
    statement = insert_for(conn, memberships).values(
        org_id=org_id, user_id=user_id, role=role.value, created_at=now
    )
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["org_id", "user_id"], set_={"role": role.value}
        )
    )


def delete_member(conn: Connection, org_id: int, user_id: int) -> bool:
    """End a membership; False where there was none."""
    done = conn.execute(
        delete(memberships).where(memberships.c.org_id == org_id, memberships.c.user_id == user_id)
    )
    return done.rowcount > 0


def list_members(conn: Connection, org_id: int) -> list[MemberLine]:
    """Return an organisation's members, by name."""
    rows = conn.execute(
        select(accounts.c.name, memberships.c.role, memberships.c.created_at)
        .join(accounts, accounts.c.id == memberships.c.user_id)
        .where(memberships.c.org_id == org_id)
        .order_by(accounts.c.name_key)
    )
    return [MemberLine(*row) for row in rows]


def insert_token(
    conn: Connection,
    user_id: int,
    name: str,
    role: TokenRole,
    digest: bytes,
    hint: str,
    now: Millis,
    expires_at: Millis | None,
) -> str:
    """Add a token by its hash and return its public id; Taken by name or by value."""
    public_id = new_id()
    row = {
        "public_id": public_id,
        "user_id": user_id,
        "name": name,
        "role": role.value,
        "hash": digest,
        "hint": hint,
        "created_at": now,
        "expires_at": expires_at,
    }
    statement = insert_for(conn, tokens).values(row).on_conflict_do_nothing()
    if conn.execute(statement.returning(tokens.c.id)).scalar() is None:
        raise Taken(name)
    return public_id


def list_tokens(
    conn: Connection, user_id: int | None = None, limit: int | None = None
) -> list[TokenLine]:
    """Return the tokens of a user, or of all, by user and name; never what they were made of."""
    statement = (
        select(
            tokens.c.public_id,
            accounts.c.name,
            tokens.c.name,
            tokens.c.role,
            tokens.c.hint,
            tokens.c.created_at,
            tokens.c.expires_at,
        )
        .join(accounts, accounts.c.id == tokens.c.user_id)
        .order_by(accounts.c.name_key, tokens.c.name)
        .limit(limit)
    )
    if user_id is not None:
        statement = statement.where(tokens.c.user_id == user_id)
    return [TokenLine(*row) for row in conn.execute(statement)]


def delete_tokens(conn: Connection, user_id: int) -> int:
    """Delete all tokens of a user; return how many those were."""
    return conn.execute(delete(tokens).where(tokens.c.user_id == user_id)).rowcount


def delete_token(conn: Connection, user_id: int, name_or_id: str) -> bool:
    """Delete a user's token by its name or public id; False where there is none."""
    done = conn.execute(
        delete(tokens).where(
            tokens.c.user_id == user_id,
            (tokens.c.name == name_or_id) | (tokens.c.public_id == name_or_id),
        )
    )
    return done.rowcount > 0

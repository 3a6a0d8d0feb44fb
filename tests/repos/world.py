# SPDX-License-Identifier: Apache-2.0
"""A hub with people, organisations and repositories in it, for tests of who may do what."""

from typing import Any

import httpx2 as httpx
import msgspec
from sqlalchemy import Connection, insert, select, update

from hubkeep.cards.facts import Facts
from hubkeep.db.tables import accounts, facts, repos
from hubkeep.identity import commands
from hubkeep.identity.actor import Role, TokenRole
from hubkeep.kit.ids import new_id
from hubkeep.repos.search_index import reindex
from tests.harness.hub import TestHub


class World:
    """A hub to which tests add what they need. A token is named, mostly after its user."""

    def __init__(self, hub: TestHub) -> None:
        self.hub = hub

    def call(
        self, method: str, path: str, who: str | None = None, json: object = None, **how: Any
    ) -> httpx.Response:
        """Send a request with the token named `who`, or with none."""
        if json is not None:
            how["json"] = json
        return self.hub.request(method, path, token=secret(who) if who else None, **how)

    def user(self, name: str, *, fullname: str = "", email: str | None = None, is_admin=False):
        """Make a user, with a token that writes and is called as the user."""
        now = self.hub.clock()
        self.hub.write(
            lambda conn: commands.create_user(
                conn, name, now, fullname=fullname, email=email, is_admin=is_admin
            )
        )
        self.token(name, name)

    def org(self, name: str, *, default_private: bool = False, **members: str) -> None:
        """Make an organisation; `members` are roles by user name."""
        now = self.hub.clock()

        def work(conn: Connection) -> None:
            commands.create_org(conn, name, now, default_private=default_private)
            for user, role in members.items():
                commands.add_member(conn, name, user, Role(role), now)

        self.hub.write(work)

    def token(self, user: str, name: str, role: str = "write") -> None:
        """Give a user one more token."""
        self.hub.write(
            lambda conn: commands.create_token(
                conn, user, TokenRole(role), self.hub.clock(), name=name, value=secret(name)
            )
        )

    def disable(self, user: str) -> None:
        """Disable an account, as its administrator would."""
        change = update(accounts).where(accounts.c.name == user).values(disabled=True)
        self.hub.write(lambda conn: conn.execute(change))

    def repo(
        self, path: str, *, kind: str = "model", about: Facts | None = None, **columns: object
    ) -> int:
        """Put a repository without any commit straight into the tables; return its id."""
        now = self.hub.clock()
        return self.hub.write(lambda conn: _add_repo(conn, path, kind, about, columns, now))

    def row(self, repo_id: int) -> dict[str, object]:
        """The row of a repository as it is now; empty once it is gone for good."""
        query = select(repos).where(repos.c.id == repo_id)
        found = self.hub.read(lambda conn: conn.execute(query).mappings().first())
        return dict(found) if found else {}


def secret(name: str) -> str:
    """The value of the token of this name."""
    return f"hf_{name}_token_of_the_tests"


def _add_repo(
    conn: Connection,
    path: str,
    kind: str,
    about: Facts | None,
    columns: dict[str, object],
    now: int,
) -> int:
    owner = select(accounts.c.id).where(accounts.c.name == path.partition("/")[0])
    owner_id = conn.execute(owner).scalar_one()
    row = {
        "public_id": new_id(),
        "type": kind,
        "owner_id": owner_id,
        "creator_id": owner_id,
        "path": path,
        "path_key": path.lower(),
        "private": False,
        "created_at": now,
        "last_modified": now,
        **columns,
    }
    repo_id = conn.execute(insert(repos).values(row).returning(repos.c.id)).scalar_one()
    if about is not None:
        _describe(conn, repo_id, about)
    reindex(conn, repo_id)
    return repo_id


def _describe(conn: Connection, repo_id: int, about: Facts) -> None:
    data = msgspec.json.encode(about).decode()
    made = insert(facts).values(repo_id=repo_id, digest=b"\0" * 20, data=data)
    facts_id = conn.execute(made.returning(facts.c.id)).scalar_one()
    conn.execute(
        update(repos)
        .where(repos.c.id == repo_id)
        .values(
            facts_id=facts_id,
            tags=msgspec.json.encode(about.tags).decode(),
            pipeline_tag=about.pipeline_tag,
            library_name=about.library_name,
            sdk=about.sdk,
        )
    )

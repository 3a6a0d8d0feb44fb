# SPDX-License-Identifier: Apache-2.0
"""A hub with people, organisations and repositories in it, for tests of who may do what."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from sqlalchemy import Connection, insert, select
from starlette.testclient import TestClient

from hubkeep.asgi import Hub
from hubkeep.cards.facts import Facts
from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.db.tables import accounts, facts, memberships, repo_tags, repos, tokens
from hubkeep.identity.queries import token_hash
from hubkeep.kit.ids import new_id
from hubkeep.repos.search_index import reindex

NOW = 1_750_000_000_000


@dataclass
class World:
    """A hub under test: its database, a client in process, and tokens by the names they were given."""

    db: Database
    client: TestClient
    ids: dict[str, int] = field(default_factory=dict)

    def call(
        self, method: str, path: str, who: str | None = None, json: object = None, **options: object
    ) -> msgspec.Raw:
        """Send a request as `who` (the name of a token), and return the response."""
        headers = {"authorization": f"Bearer hf_{who}"} if who else {}
        return self.client.request(method, path, headers=headers, json=json, **options)

    def user(self, name: str, *, token_role: str = "write", **columns: object) -> int:
        """Make a user with a token `hf_<name>`."""
        user = self._account("user", name, columns)
        self.token(name, name, token_role)
        return user

    def org(self, name: str, **members: str) -> int:
        """Make an organisation; `members` are roles by user name."""
        org = self._account("org", name, {})
        for user, role in members.items():
            row = {
                "org_id": org,
                "user_id": self.ids[user],
                "role": role,
                "created_at": NOW,
            }
            self.db.write_now(lambda conn, row=row: conn.execute(insert(memberships).values(row)))
        return org

    def token(self, user: str, name: str, role: str) -> None:
        """Give a user one more token, `hf_<name>`."""
        row = {
            "public_id": new_id(),
            "user_id": self.ids[user],
            "name": name,
            "role": role,
            "hash": token_hash(f"hf_{name}"),
            "hint": name[-4:],
            "created_at": NOW,
        }
        self.db.write_now(lambda conn: conn.execute(insert(tokens).values(row)))

    def repo(
        self,
        path: str,
        *,
        kind: str = "model",
        about: Facts | None = None,
        **columns: object,
    ) -> int:
        """Put a repository without any commit straight into the tables."""
        owner = self.ids[path.partition("/")[0]]
        return self.db.write_now(lambda conn: _add_repo(conn, owner, path, kind, about, columns))

    def row(self, repo_id: int) -> dict[str, object]:
        """The row of a repository as it is now."""
        return self.db.read_now(
            lambda conn: dict(
                conn.execute(select(repos).where(repos.c.id == repo_id)).mappings().one()
            )
        )

    def _account(self, kind: str, name: str, columns: dict[str, object]) -> int:
        row = {
            "public_id": new_id(),
            "kind": kind,
            "name": name,
            "name_key": name.lower(),
            "created_at": NOW,
            **columns,
        }
        self.ids[name] = self.db.write_now(
            lambda conn: conn.execute(
                insert(accounts).values(row).returning(accounts.c.id)
            ).scalar_one()
        )
        return self.ids[name]


def _add_repo(
    conn: Connection,
    owner: int,
    path: str,
    kind: str,
    about: Facts | None,
    columns: dict[str, object],
) -> int:
    row = {
        "public_id": new_id(),
        "type": kind,
        "owner_id": owner,
        "creator_id": owner,
        "path": path,
        "path_key": path.lower(),
        "private": False,
        "created_at": NOW,
        "last_modified": NOW,
        **columns,
    }
    repo_id = conn.execute(insert(repos).values(row).returning(repos.c.id)).scalar_one()
    if about is not None:
        data = msgspec.json.encode(about).decode()
        made = insert(facts).values(repo_id=repo_id, digest=b"\0" * 20, data=data)
        facts_id = conn.execute(made.returning(facts.c.id)).scalar_one()
        conn.execute(
            repos.update()
            .where(repos.c.id == repo_id)
            .values(
                facts_id=facts_id,
                tags=msgspec.json.encode(about.tags).decode(),
                pipeline_tag=about.pipeline_tag,
                library_name=about.library_name,
                sdk=about.sdk,
            )
        )
        for tag in about.tags:
            conn.execute(insert(repo_tags).values(repo_id=repo_id, tag=tag))
    reindex(conn, repo_id)
    return repo_id


@contextmanager
def open_world(database_url: str, folder: Path) -> Iterator[World]:
    """Run a hub in process on this database."""
    db = Database(database_url)
    config = Config(data=folder, database_url=database_url)
    try:
        with TestClient(Hub(config), base_url="http://localhost:8080") as client:
            client.headers.clear()
            yield World(db, client)
    finally:
        db.close()

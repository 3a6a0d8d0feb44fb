# SPDX-License-Identifier: Apache-2.0
"""A hub in this process with people and repositories, and a client that talks to it."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from sqlalchemy import Connection, insert, select
from starlette.types import Message

from hubkeep.app import App, open_app
from hubkeep.asgi import Hub
from hubkeep.config import Config
from hubkeep.db.tables import accounts, files, memberships, repo_files, repos, tokens
from hubkeep.identity.actor import Actor
from hubkeep.identity.queries import account_by_id, token_hash
from hubkeep.identity.rules import Action
from hubkeep.kit.ids import new_id
from hubkeep.repos.access import reach
from hubkeep.repos.types import Repo, RepoType

BASE = "http://127.0.0.1:8080"
LFS = "application/vnd.git-lfs+json"


@dataclass
class Time:
    """A clock that tests move."""

    now: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += int(days * 86_400_000)


@dataclass
class Town:
    """Users `ann`, `bob` and `eve` with tokens `hf_ann`...; repositories are made where needed."""

    hub: Hub
    app: App
    client: httpx2.AsyncClient
    time: Time
    ids: dict[str, int] = field(default_factory=dict)

    def user(self, name: str, **columns: object) -> int:
        """Make an account with a write token `hf_<name>` and a read token `hf_<name>_read`."""

        def work(conn: Connection) -> int:
            row = {"name": name, "name_key": name, "public_id": new_id(), "created_at": 0}
            made = conn.execute(insert(accounts).values(kind="user", **row, **columns))
            user_id = made.inserted_primary_key[0]
            for role, suffix in (("write", ""), ("read", "_read")):
                token = {"user_id": user_id, "name": role, "role": role, "created_at": 0}
                secret = token_hash(f"hf_{name}{suffix}")
                conn.execute(
                    insert(tokens).values(public_id=new_id(), hash=secret, hint="x", **token)
                )
            return user_id

        self.ids[name] = self.app.db.write_now(work)
        return self.ids[name]

    def join(self, org: str, user: str, role: str) -> None:
        def work(conn: Connection) -> None:
            row = {"org_id": self.ids[org], "user_id": self.ids[user], "created_at": 0}
            conn.execute(insert(memberships).values(role=role, **row))

        self.app.db.write_now(work)

    def repo(self, path: str, *, private: bool = False, kind: str = "model") -> int:
        """Make a repository whose owner is the user that its name begins with."""

        def work(conn: Connection) -> int:
            owner = self.ids[path.split("/", maxsplit=1)[0]]
            row = {"type": kind, "path": path, "path_key": path.lower(), "private": private}
            made = conn.execute(
                insert(repos).values(
                    public_id=new_id(), owner_id=owner, created_at=0, last_modified=0, **row
                )
            )
            return made.inserted_primary_key[0]

        self.ids[path] = self.app.db.write_now(work)
        return self.ids[path]

    def actor(self, name: str) -> Actor:
        return Actor(self.app.db.read_now(lambda conn: account_by_id(conn, self.ids[name])))

    def seen(self, name: str, path: str) -> Repo:
        """The repository as the user of this name gets it."""
        actor = self.actor(name)
        return self.app.db.read_now(
            lambda conn: reach(conn, actor, RepoType.MODEL, path, Action.READ)
        )

    async def batch(self, user: str | None, repo: str, *objects: object, **more: object):
        """Call the batch address as a stock client does; `objects` are bytes, or dicts as sent."""
        body = {
            "operation": "upload",
            "transfers": ["basic", "multipart"],
            "objects": [named(one) if isinstance(one, bytes) else one for one in objects],
            "hash_algo": "sha256",
            **more,
        }
        headers = {"Accept": LFS, "Content-Type": LFS, **as_user(user)}
        return await self.client.post(
            f"/{repo}.git/info/lfs/objects/batch", json=body, headers=headers
        )

    async def actions(self, user: str | None, repo: str, content: bytes, **more: object):
        """The actions of a batch answer for one file; None if there are none."""
        answer = await self.batch(user, repo, content, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["objects"][0].get("actions")

    async def upload(self, user: str, repo: str, content: bytes) -> None:
        """Send a file to a repository by `basic`, as a stock client does."""
        actions = await self.actions(user, repo, content, transfers=["basic"])
        if actions is None:
            return  # it was lent
        answer = await self.client.put(actions["upload"]["href"], content=content)
        assert answer.status_code == 200, answer.text

    async def broken_put(self, href: str, sent: bytes) -> list[Message]:
        """Begin a PUT, send some of its body, and hang up; return what was answered."""
        arriving: list[Message] = [
            {"type": "http.request", "body": sent, "more_body": True},
            {"type": "http.disconnect"},
        ]
        answered: list[Message] = []

        async def receive() -> Message:
            return arriving.pop(0)

        async def send(message: Message) -> None:
            answered.append(message)

        path = urlsplit(href).path
        scope = {"type": "http", "method": "PUT", "path": path, "raw_path": path.encode()}
        await self.hub(
            {**scope, "query_string": b"", "headers": [], "scheme": "http"}, receive, send
        )
        return answered

    def links(self, repo: str) -> set[str]:
        """The sha256s of the files that a repository holds."""
        query = (
            select(files.c.sha256)
            .join(repo_files, repo_files.c.file_id == files.c.id)
            .where(repo_files.c.repo_id == self.ids[repo])
        )
        return self.app.db.read_now(
            lambda conn: {oid.hex() for oid in conn.execute(query).scalars()}
        )

    def knows(self, content: bytes) -> bool:
        """Whether there is a row for a file."""
        query = select(files.c.id).where(files.c.sha256 == bytes.fromhex(sha(content)))
        return self.app.db.read_now(lambda conn: conn.execute(query).scalar() is not None)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def named(content: bytes) -> dict[str, object]:
    """A file as a batch names it."""
    return {"oid": sha(content), "size": len(content)}


def as_user(name: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer hf_{name}"} if name else {}


@asynccontextmanager
async def town_at(database_url: str, folder: Path, **settings: object) -> AsyncIterator[Town]:
    """A town on this database, with the bytes below `folder`."""
    time = Time()
    config = Config(data=folder, database_url=database_url, **settings)
    async with open_app(config, time) as app:
        hub = Hub(config)
        hub._app = app
        transport = httpx2.ASGITransport(app=hub)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            town = Town(hub, app, client, time)
            for name in ("ann", "bob", "eve"):
                town.user(name)
            yield town

# SPDX-License-Identifier: Apache-2.0
"""People of all kinds on a live hub, and requests of theirs that are written by hand."""

import base64
import hashlib
import http.client
import struct
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

from argon2 import PasswordHasher
from sqlalchemy import Connection, delete, update

from hubkeep.db import Database
from hubkeep.db.tables import accounts, tokens
from hubkeep.git.pktline import FLUSH, packet
from hubkeep.identity import commands
from hubkeep.identity.actor import Role, TokenRole
from hubkeep.kit.time import now
from tests.harness.hub import LiveHub
from tests.transfer.smart.native import Remote


@dataclass
class People:
    """Accounts of all kinds, on one hub, by names that nobody else has."""

    hub: LiveHub
    tokens: dict[str, str] = field(default_factory=dict)

    def change(self, work: Callable[[Connection], object]) -> None:
        """Do what an administrator does beside the running hub."""
        with closing(Database(self.hub.database_url)) as db:
            db.write_now(work)

    def token(self, user: str, role: str = "write", *, expired: bool = False) -> str:
        """Make one more token."""
        value = f"hf_{uuid4().hex}"
        expires_at = now() - 1000 if expired else None
        self.change(
            lambda conn: commands.create_token(
                conn, user, TokenRole(role), now(), value=value, expires_at=expires_at
            )
        )
        return value

    def user(self, password: str | None = None) -> str:
        """Make a user."""
        name = f"u{uuid4().hex[:10]}"
        stored = quick_hash(password) if password else None
        self.change(lambda conn: commands.create_user(conn, name, now(), password_hash=stored))
        return name

    def join(self, org: str, user: str) -> None:
        """Let a user write to an organisation's repositories."""
        self.change(lambda conn: commands.add_member(conn, org, user, Role.WRITE, now()))

    def leave(self, org: str, user: str) -> None:
        """End a membership."""
        self.change(lambda conn: commands.remove_member(conn, org, user))

    def revoke(self, user: str) -> None:
        """Revoke all tokens of a user's."""
        self.change(
            lambda conn: conn.execute(delete(tokens).where(tokens.c.user_id == _id(conn, user)))
        )

    def set(self, user: str, **columns: object) -> None:
        """Change an account."""
        change = update(accounts).where(accounts.c.name == user).values(**columns)
        self.change(lambda conn: conn.execute(change))


def _id(conn: Connection, user: str) -> int:
    found = commands.find(conn, "user", user)
    return found.id


def quick_hash(password: str) -> str:
    """What is stored of a password, of a kind that is checked in no time."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


@dataclass(frozen=True)
class Heard:
    """An answer, in full."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def shape(self) -> tuple[int, list[tuple[str, str]], str]:
        """What tells it from another, but for what differs each time."""
        varies = {"x-request-id", "date"}
        headers = [(n.lower(), v) for n, v in self.headers.items() if n.lower() not in varies]
        return self.status, sorted(headers), self.body.decode()


class Line:
    """One connection that is kept open, and what is sent with each request."""

    def __init__(self, remote: Remote, headers: dict[str, str]) -> None:
        address = urlsplit(remote.hub.url)
        self.remote = remote
        self.headers = headers
        self.connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=60
        )

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def ask(self, method: str, path: str, body: bytes | None = None, **more: str) -> Heard:
        """Send a request and read all of the answer."""
        self.connection.request(method, path, body, {**self.headers, **more})
        answer = self.connection.getresponse()
        return Heard(answer.status, answer.headers, answer.read())

    def begin(self, path: str, size: int, **more: str) -> None:
        """Send the head of a request whose body follows."""
        self.connection.putrequest("POST", path)
        for name, value in {**self.headers, **more, "Content-Length": str(size)}.items():
            self.connection.putheader(name, value)
        self.connection.endheaders()

    def end(self, body: bytes) -> Heard:
        """Send what is left of the body, and read the answer."""
        self.connection.send(body)
        answer = self.connection.getresponse()
        return Heard(answer.status, answer.headers, answer.read())


def basic(user: str, secret: str) -> dict[str, str]:
    if not secret:
        return {}
    joined = base64.b64encode(f"{user}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {joined}"}


PUSH_TYPE = {"Content-Type": "application/x-git-receive-pack-request"}


def push_of(remote: Remote, branch: str) -> bytes:
    """The body of a push that makes a branch of what is on `main`: its pack has nothing in it."""
    tip = remote.refs()["refs/heads/main"]
    command = f"{'0' * 40} {tip} refs/heads/{branch}\0report-status\n"
    pack = b"PACK" + struct.pack(">II", 2, 0)
    return packet(command.encode()) + FLUSH + pack + hashlib.sha1(pack).digest()

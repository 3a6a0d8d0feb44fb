# SPDX-License-Identifier: Apache-2.0
"""The accounts that tests find in a hub, and their tokens."""

from dataclasses import dataclass

from sqlalchemy import Connection

from hubkeep.identity import commands
from hubkeep.identity.actor import Role, TokenRole
from hubkeep.kit.time import Millis

ALICE = "hf_alice_write_token_of_the_tests"
ALICE_READ = "hf_alice_read_token_of_the_tests"
BOB = "hf_bob_write_token_of_the_tests"
ROOT = "hf_root_write_token_of_the_tests"


@dataclass(frozen=True)
class Seeded:
    """Tokens by whose they are. `alice` is an admin of the organisation `acme`; `bob` is nobody's.

    `root` is an administrator of the hub.
    """

    alice: str = ALICE
    alice_read: str = ALICE_READ
    bob: str = BOB
    root: str = ROOT


def seed(conn: Connection, now: Millis) -> Seeded:
    """Put the accounts of `Seeded` into a database."""
    commands.create_user(conn, "alice", now, fullname="Alice", email="alice@example.org")
    commands.create_user(conn, "bob", now, fullname="Bob")
    commands.create_user(conn, "root", now, is_admin=True)
    commands.create_org(conn, "acme", now, fullname="Acme", org_type="company")
    commands.add_member(conn, "acme", "alice", Role.ADMIN, now)
    for user, role, value in (
        ("alice", TokenRole.WRITE, ALICE),
        ("alice", TokenRole.READ, ALICE_READ),
        ("bob", TokenRole.WRITE, BOB),
        ("root", TokenRole.WRITE, ROOT),
    ):
        commands.create_token(conn, user, role, now, name=role.value, value=value)
    return Seeded()

# SPDX-License-Identifier: Apache-2.0
"""What administrators do, where the command line's tests do not look: roles, races, passwords."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.db import Database
from hubkeep.identity import commands
from hubkeep.identity.actor import Role, TokenRole
from hubkeep.identity.commands import Refused
from hubkeep.identity.names import RESERVED, BadName, check_account_name, check_name
from hubkeep.identity.passwords import BadPassword, hash_password
from hubkeep.identity.queries import account, organisations_of, role_in
from hubkeep.identity.queries_admin import list_tokens


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def test_an_account_is_found_whatever_the_case_and_kept_as_written(db: Database):
    db.write_now(lambda conn: commands.create_user(conn, "AliCe", 7, fullname="A", email="a@b"))
    found = db.read_now(lambda conn: account(conn, "alice"))
    assert found is not None
    assert (found.name, found.fullname, found.email, found.created_at) == ("AliCe", "A", "a@b", 7)


def test_a_refusal_leaves_the_transaction_usable(db: Database):
    def work(conn):
        commands.create_user(conn, "alice", 0)
        with pytest.raises(Refused, match="taken"):
            commands.create_org(conn, "Alice", 0)
        commands.create_user(conn, "bob", 0)

    db.write_now(work)
    assert db.read_now(lambda conn: account(conn, "bob")) is not None


def test_membership(db: Database):
    def work(conn):
        alice = commands.create_user(conn, "alice", 0)
        acme = commands.create_org(conn, "acme", 0)
        commands.add_member(conn, "acme", "alice", Role.READ, 0)
        commands.add_member(conn, "ACME", "ALICE", Role.ADMIN, 1)
        assert role_in(conn, acme.id, alice.id) is Role.ADMIN
        assert [(org.name, role) for org, role in organisations_of(conn, alice.id)] == [
            ("acme", Role.ADMIN)
        ]
        with pytest.raises(Refused, match="no user 'acme'"):
            commands.add_member(conn, "acme", "acme", Role.READ, 0)
        commands.delete_account(conn, "org", "acme", 2)
        assert organisations_of(conn, alice.id) == []

    db.write_now(work)


def test_deleting_a_user_takes_the_tokens_along(db: Database):
    def work(conn):
        commands.create_user(conn, "alice", 0)
        commands.create_token(conn, "alice", TokenRole.WRITE, 0)
        commands.delete_account(conn, "user", "alice", 1)
        assert list_tokens(conn) == []

    db.write_now(work)


def test_one_value_is_one_token(db: Database):
    value = "hf_" + "a" * 34

    def work(conn):
        commands.create_user(conn, "alice", 0)
        commands.create_user(conn, "bob", 0)
        commands.create_token(conn, "alice", TokenRole.READ, 0, value=value)
        with pytest.raises(Refused) as refused:
            commands.create_token(conn, "bob", TokenRole.WRITE, 0, value=value)
        assert value not in str(refused.value)
        with pytest.raises(Refused, match="name"):
            commands.create_token(conn, "bob", TokenRole.WRITE, 0, name="a\nb")

    db.write_now(work)


def test_passwords():
    assert PasswordHasher().verify(hash_password("päss wörd"), "päss wörd")
    for bad in ("", "seven77", "x" * 1025):
        with pytest.raises(BadPassword):
            hash_password(bad)


@pytest.mark.parametrize("name", ["a", "A.b-c_d", "x" * 96, "__HF_ADMIN__", "__a--b__", "9"])
def test_names_that_are_fine(name: str):
    check_account_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "x" * 97, ".", "..", "a..b", "-a", "a-", ".a", "a.", "a/b", "a\n", "a\0", "é", "a b",
     "x.git", "X.GIT", "API", "Datasets"],
)  # fmt: skip
def test_names_that_are_not(name: str):
    with pytest.raises(BadName):
        check_account_name(name)


def test_repositories_may_have_reserved_names():
    for name in RESERVED - {".well-known"}:
        check_name(name)


@given(st.text(max_size=12))
def test_any_allowed_name_is_one_plain_segment(name: str):
    try:
        check_name(name)
    except BadName:
        return
    assert name.isascii()
    assert name not in (".", "..")
    assert not set(name) & set("/\\\0\n %?#")

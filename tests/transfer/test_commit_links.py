# SPDX-License-Identifier: Apache-2.0
"""What the commit path gets: files that a repository holds, or that are lent to it."""

import pytest
from sqlalchemy import Connection, insert, select

from hubkeep.db.tables import files, repo_files
from hubkeep.transfer.queries import LinkResult, WantedFile, link_for_commit
from hubkeep.transfer.queries_files import HeldFile, held_files
from tests.transfer.town import Town, sha

pytestmark = pytest.mark.anyio


def commit(town: Town, user: str, repo: str, wanted: dict[bytes, WantedFile]) -> LinkResult:
    actor, seen = town.actor(user), town.seen(user, repo)
    return town.app.db.write_now(
        lambda conn: link_for_commit(conn, seen, actor, wanted, town.time())
    )


def listed(town: Town, repo: str) -> list[HeldFile]:
    return town.app.db.read_now(lambda conn: held_files(conn, town.ids[repo], 0, 100))


def oid(content: bytes) -> bytes:
    return bytes.fromhex(sha(content))


async def test_files_are_found_lent_or_missing(town: Town):
    town.repo("ann/m")
    town.repo("ann/other", private=True)
    town.repo("bob/secret", private=True)
    await town.upload("ann", "ann/m", b"here")
    await town.upload("ann", "ann/other", b"lent")
    await town.upload("bob", "bob/secret", b"secret")
    wanted = {
        oid(b"here"): WantedFile("here.bin", 4, "main"),
        oid(b"lent"): WantedFile("lent.bin", None, "main"),
        oid(b"secret"): WantedFile("secret.bin", 6, "main"),
        oid(b"nowhere"): WantedFile("nowhere.bin", 7, "main"),
    }

    result = commit(town, "ann", "ann/m", wanted)

    assert {key: file.size for key, file in result.found.items()} == {
        oid(b"here"): 4,
        oid(b"lent"): 4,
    }
    assert set(result.missing) == {oid(b"secret"), oid(b"nowhere")}
    names = {(file.filename, file.ref) for file in listed(town, "ann/m")}
    assert names == {("here.bin", "main"), ("lent.bin", "main")}


async def test_a_false_size_is_told_apart(town: Town):
    town.repo("ann/m")
    await town.upload("ann", "ann/m", b"here")
    result = commit(town, "ann", "ann/m", {oid(b"here"): WantedFile("x", 5)})
    assert (result.found, result.missing, result.wrong_size) == ({}, [], [oid(b"here")])


async def test_the_first_commit_names_a_file(town: Town):
    town.repo("ann/m")
    await town.upload("ann", "ann/m", b"here")
    for path in ("first", "second"):
        commit(town, "ann", "ann/m", {oid(b"here"): WantedFile(path, 4, path)})
    (file,) = listed(town, "ann/m")
    assert (file.filename, file.ref) == ("first", "first")


async def test_ten_thousand_files_take_few_statements(town: Town):
    repo = town.repo("ann/m")
    oids = [oid(b"%d" % n) for n in range(10_000)]

    def fill(conn: Connection) -> None:
        conn.execute(insert(files), [{"sha256": o, "size": 1, "created_at": 0} for o in oids])
        held = conn.execute(select(files.c.id, files.c.sha256))
        row = {"repo_id": repo, "pushed_at": 0}
        rows = [{**row, "file_id": n, "oid": o, "public_id": f"{n:024x}"} for n, o in held]
        conn.execute(insert(repo_files), rows)

    town.app.db.write_now(fill)
    wanted = {o: WantedFile(f"{n}.bin", 1) for n, o in enumerate(oids)}
    statements: list[str] = []
    actor, seen = town.actor("ann"), town.seen("ann", "ann/m")

    def work(conn: Connection) -> LinkResult:
        from sqlalchemy import event

        def count(_conn, _cursor, statement: str, *_rest: object) -> None:
            statements.append(statement)

        event.listen(conn, "before_cursor_execute", count)
        try:
            return link_for_commit(conn, seen, actor, wanted, 0)
        finally:
            event.remove(conn, "before_cursor_execute", count)

    result = town.app.db.write_now(work)

    assert len(result.found) == 10_000
    assert len(statements) < 50

# SPDX-License-Identifier: Apache-2.0
"""A checked push on its way into the database: all or nothing, whatever happened meanwhile."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from hubkeep.db.tables import git_objects
from hubkeep.git import store
from hubkeep.git.objects import stage_blob
from hubkeep.git.push.incoming import Refused
from hubkeep.git.queries import commits, insert_ref
from hubkeep.git.queries_objects import count_objects, object_infos
from hubkeep.git.reachable import find_garbage, parts, purge
from hubkeep.git.types import Ref
from tests.git.push.pushing import HandMade, push, taken
from tests.git.workshop import START, Workshop

FILE, FOLDER = b"100644", b"40000"
MAIN = "refs/heads/main"


def purge_all(repo: Workshop) -> None:
    garbage = repo.read(find_garbage)
    for part in parts(garbage, 100):
        repo.write(purge, garbage, part)


@pytest.mark.parametrize("what", ["blob", "tree", "parent", "tip"])
def test_what_was_collected_since_it_was_checked(repo: Workshop, tmp_path: Path, what: str) -> None:
    """The push was checked against a branch that was then deleted, with all that it led to."""
    repo.commit({"kept": b"kept"})
    repo.write(store.create_branch, "old", repo.read(store.resolve, "main").commit, START)
    parent = repo.commit({"gone": b"gone"}, branch="old").oid
    tree = repo.read(commits, [parent])[parent].tree
    made = HandMade()
    tip = {
        "blob": lambda: made.commit(made.tree((FILE, b"a", stage_blob(b"gone").oid))),
        "tree": lambda: made.commit(made.tree((FOLDER, b"a", tree))),
        "parent": lambda: made.commit(made.tree((FILE, b"a", made.blob(b"x"))), parent),
        "tip": lambda: parent,
    }[what]()
    with closing(taken(tmp_path, made.pack)) as incoming:
        checked = repo.read(incoming.check, [tip])
        repo.write(store.delete_branch, "old")
        purge_all(repo)
        before = repo.read(count_objects)
        with pytest.raises(Refused, match="fetch, then push again"):
            repo.write(incoming.write, checked)
        assert repo.read(count_objects) == before


def test_what_was_collected_but_is_in_the_pack_comes_back(repo: Workshop, tmp_path: Path) -> None:
    repo.commit({"kept": b"kept"})
    repo.write(store.create_branch, "old", repo.read(store.resolve, "main").commit, START)
    repo.commit({"gone": b"gone"}, branch="old")
    made = HandMade()
    tip = made.commit(made.tree((FILE, b"a", made.blob(b"gone"))))
    with closing(taken(tmp_path, made.pack)) as incoming:
        checked = repo.read(incoming.check, [tip])
        repo.write(store.delete_branch, "old")
        purge_all(repo)
        repo.write(incoming.write, checked)
    assert stage_blob(b"gone").oid in repo.read(object_infos, [stage_blob(b"gone").oid])


def test_another_object_of_the_same_id_stays(repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    blob = made.blob(b"x")
    tip = made.commit(made.tree((FILE, b"a", blob)))
    with closing(taken(tmp_path, made.pack)) as incoming:
        checked = repo.read(incoming.check, [tip])
        repo.commit({"b": b"x"})

        def tamper(conn: Connection, repo_id: int) -> None:
            mine = (git_objects.c.repo_id == repo_id) & (git_objects.c.oid == blob)
            conn.execute(update(git_objects).where(mine).values(size=7))

        repo.write(tamper)
        with pytest.raises(Refused, match="id of another object"):
            repo.write(incoming.write, checked)
        with pytest.raises(Refused, match="id of another object"):
            repo.read(incoming.check, [tip])


def test_checking_and_writing_may_be_done_again(repo: Workshop, tmp_path: Path) -> None:
    """As the database does after a deadlock."""
    made = HandMade()
    first = made.commit(made.tree((FILE, b"a", made.blob(b"x"))))
    tip = made.commit(made.tree((FILE, b"a", made.blob(b"y"))), first)
    with closing(taken(tmp_path, made.pack)) as incoming:
        repo.read(incoming.check, [tip])
        checked = repo.read(incoming.check, [tip])

        def work(conn: Connection, repo_id: int, *, fail: bool) -> None:
            incoming.write(conn, repo_id, checked)
            insert_ref(conn, repo_id, Ref(MAIN, tip, tip), START)
            if fail:
                raise RuntimeError("again")

        with pytest.raises(RuntimeError, match="again"):
            repo.write(work, fail=True)
        assert repo.read(count_objects) == 0
        repo.write(work, fail=False)
    assert repo.files() == {"a": b"y"}
    assert [row.oid for row in repo.read(store.log, tip, limit=9)] == [tip, first]
    assert not list(tmp_path.glob("in*"))


def test_the_same_push_twice(repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    tip = made.commit(made.tree((FILE, b"a", made.blob(b"x"))))
    assert push(repo, tmp_path, made.pack, {MAIN: tip}).gained == 1
    again = push(repo, tmp_path, made.pack, {MAIN: tip})
    assert (list(again.commits), again.gained) == ([], 0)
    assert again.peeled == {tip: tip}

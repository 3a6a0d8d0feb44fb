# SPDX-License-Identifier: Apache-2.0
"""How commits descend from each other: as the real git says, in few statements."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, insert

from hubkeep.db.tables import git_commits
from hubkeep.git.ancestry import commits_beyond, is_ancestor, merge_bases
from hubkeep.git.errors import ObjectMissing
from hubkeep.git.queries import delete_commits
from tests.git.dags import Dag, shape
from tests.git.native import accepts
from tests.git.workshop import START, Workshop

NOBODY = b"\xee" * 20


def build(repo: Workshop, *parents: list[int]) -> list[bytes]:
    return Dag(repo).add([(each, {}) for each in parents]).oids


@contextmanager
def statements(repo: Workshop) -> Iterator[list[str]]:
    """Collect the statements that reads send."""
    sent: list[str] = []

    def note(conn, cursor, statement, *_: object) -> None:
        sent.append(statement)

    engine = repo.database._read_side.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("seed", range(3))
def test_histories_of_any_shape_are_walked_as_git_does(
    repo: Workshop, tmp_path: Path, seed: int
) -> None:
    choose = random.Random(seed)
    oids = build(repo, *shape(choose, 60))
    native = Dag(repo, oids).native(tmp_path / "bare")
    for _ in range(25):
        wanted = choose.sample(oids, choose.choice([1, 1, 2, 5]))
        had = choose.sample(oids, choose.choice([0, 1, 2, 5]))
        spoken = [*(o.hex() for o in wanted), "--not", *(o.hex() for o in had)]
        said = native.ids("rev-list", "--topo-order", "--reverse", *spoken)
        rows = repo.read(commits_beyond, wanted, [*had, NOBODY])
        assert sorted(row.oid for row in rows) == sorted(said)
        place = {row.oid: i for i, row in enumerate(rows)}
        assert all(place.get(p, -1) < place[row.oid] for row in rows for p in row.parents)
        one, other = choose.choice(oids), choose.choice(oids)
        both = (one.hex(), other.hex())
        truth = accepts("merge-base", "--is-ancestor", *both, cwd=native.folder)
        assert repo.read(is_ancestor, one, other) == truth
        if accepts("merge-base", *both, cwd=native.folder):
            said = native.ids("merge-base", "--all", *both)
            assert repo.read(merge_bases, one, other) == sorted(said)
        else:
            assert repo.read(merge_bases, one, other) == []


def test_a_criss_cross_has_two_bases(repo: Workshop) -> None:
    root, left, right, one, other = build(repo, [], [0], [0], [1, 2], [2, 1])
    assert repo.read(merge_bases, one, other) == sorted([left, right])
    assert repo.read(merge_bases, left, one) == [left]
    assert repo.read(merge_bases, one, one) == [one]
    assert repo.read(is_ancestor, root, other)
    assert not repo.read(is_ancestor, other, root)


def test_what_is_missing_is_said(repo: Workshop) -> None:
    root, middle, head = build(repo, [], [0], [1])
    assert repo.read(commits_beyond, [], [head]) == []
    assert repo.read(commits_beyond, [head], [head, NOBODY]) == []
    for call in (
        lambda: repo.read(commits_beyond, [head, NOBODY], []),
        lambda: repo.read(is_ancestor, NOBODY, head),
        lambda: repo.read(is_ancestor, head, NOBODY),
        lambda: repo.read(merge_bases, head, NOBODY),
    ):
        with pytest.raises(ObjectMissing):
            call()
    repo.write(delete_commits, [root])
    assert [row.oid for row in repo.read(commits_beyond, [head], [middle])] == [head]
    with pytest.raises(ObjectMissing):
        repo.read(commits_beyond, [head], [])


def test_long_histories_take_few_statements(repo: Workshop) -> None:
    """20,000 commits in a line; a branch that was deleted far back; a step forward."""
    oids = [i.to_bytes(20, "big") for i in range(1, 20_001)]
    side = (1 << 100).to_bytes(20, "big")

    def row(oid: bytes, parent: bytes, generation: int) -> dict[str, object]:
        said = {"author": "", "title": "", "message": "", "committed_at": START, "linear": True}
        graph = {"oid": oid, "tree": oid, "parents": parent, "generation": generation}
        return {"repo_id": repo.id, **graph, **said}

    rows = [row(oid, oids[i - 1] if i else b"", i + 1) for i, oid in enumerate(oids)]
    rows.append(row(side, oids[9], 11))
    repo.database.write_now(lambda conn: conn.execute(insert(git_commits), rows))
    with statements(repo) as sent:
        assert [r.oid for r in repo.read(commits_beyond, oids[-1:], oids[-2:-1])] == oids[-1:]
        assert repo.read(commits_beyond, oids[:5], [oids[-1], *oids[:5]]) == []
    assert len(sent) <= 4
    with statements(repo) as sent:
        assert [r.oid for r in repo.read(commits_beyond, oids[-1:], [])] == oids
    assert len(sent) <= 30
    with statements(repo) as sent:
        assert [r.oid for r in repo.read(commits_beyond, [side], oids[-1:])] == [side]
        assert repo.read(merge_bases, side, oids[-1]) == [oids[9]]
        assert not repo.read(is_ancestor, side, oids[-1])
    assert len(sent) <= 60

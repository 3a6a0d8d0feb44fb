# SPDX-License-Identifier: Apache-2.0
"""The history of one path, and what last changed the entries of a folder: as the real git says."""

import random
from pathlib import Path

import pytest

from hubkeep.git import store
from hubkeep.git.errors import ObjectMissing
from tests.git.dags import Dag, Files, shape
from tests.git.workshop import Workshop

PATHS = ("a", "b", "f", "f/x", "f/y", "f/g", "f/g/z", "k")
FILES = ("a", "b", "f/x", "f/y", "f/g/z", "k")


def contents(choose: random.Random, parents: list[Files]) -> Files:
    """Files of a commit: of its parents each, or new; few contents, so that sides agree often."""
    files: dict[str, bytes] = {}
    whole = choose.choice(parents) if parents else {}
    for path in FILES:
        kept = choose.choice(parents).get(path) if choose.random() < 0.6 and parents else None
        old = kept if choose.random() < 0.5 else whole.get(path)
        new = choose.choice([b"1", b"2", None])
        content = new if choose.random() < 0.2 else old
        if content is not None:
            files[path] = content
    if choose.random() < 0.1:
        files = {path: content for path, content in files.items() if not path.startswith("f/")}
        files["f"] = b"a file now"
    return files


def random_history(repo: Workshop, seed: int, count: int) -> Dag:
    choose = random.Random(seed)
    files: list[Files] = []
    plan = []
    for parents in shape(choose, count):
        above = [files[i] for i in parents]
        files.append(contents(choose, above) if choose.random() < 0.9 or not above else above[0])
        plan.append((parents, files[-1]))
    return Dag(repo).add(plan)


def whole_log(repo: Workshop, path: str, start: bytes, limit: int, seconds: float) -> list[bytes]:
    """All pages of a log, one after the other."""
    oids: list[bytes] = []
    waiting = [start]
    while waiting:
        page = repo.read(store.log_of_path, path, waiting, limit, seconds)
        assert len(page.rows) <= limit
        oids += [row.oid for row in page.rows]
        waiting = page.waiting
    return oids


@pytest.mark.parametrize("seed", range(4))
def test_paths_have_the_history_that_git_gives_them(
    repo: Workshop, tmp_path: Path, seed: int
) -> None:
    dag = random_history(repo, seed, 40)
    native = dag.native(tmp_path / "bare")
    choose = random.Random(seed)
    for start in choose.sample(dag.oids[20:], 5):
        for path in (*PATHS, "nothing"):
            said = native.ids("log", "--format=%H", start.hex(), "--", path)
            for limit, seconds in ((100, 9.0), (2, 9.0), (3, 0.0)):
                found = whole_log(repo, path, start, limit, seconds)
                assert sorted(found) == sorted(said), (path, limit)
            place = {oid: i for i, oid in enumerate(found)}
            for oid in found:
                above = native.ids("rev-list", oid.hex(), f"^{oid.hex()}^@", "--", path)
                assert above in ([oid], []), path
            assert all(place[p] > place[c] for c in found for p in _above(native, c, found))


def _above(native, oid: bytes, among: list[bytes]) -> list[bytes]:
    mine = set(native.ids("rev-list", oid.hex())) - {oid}
    return [each for each in among if each in mine]


@pytest.mark.parametrize("seed", range(4, 8))
def test_entries_were_last_changed_where_git_says(
    repo: Workshop, tmp_path: Path, seed: int
) -> None:
    dag = random_history(repo, seed, 40)
    native = dag.native(tmp_path / "bare")
    for start in dag.oids[25:]:
        for folder in ("", "f", "f/g"):
            entry = repo.read(store.entry, repo.tree(start.hex()), folder) if folder else None
            if folder and (entry is None or entry.kind != "directory"):
                continue
            for name, row in repo.read(store.last_commits, start, folder).items():
                path = f"{folder}/{name}" if folder else name
                said = native.ids("log", "-1", "--format=%H", start.hex(), "--", path)
                assert [row.oid] == said, (path, start.hex())


def test_a_folder_from_one_side_may_have_files_from_the_other(repo: Workshop) -> None:
    """Both sides made f/a the same; git goes by the first, though f as a whole is the second's."""
    dag = Dag(repo).add(
        [
            ([], {"f/a": b"1", "f/b": b"1", "k": b"1"}),
            ([0], {"f/a": b"2", "f/b": b"1", "k": b"1"}),
            ([0], {"f/a": b"2", "f/b": b"2", "k": b"1"}),
            ([1, 2], {"f/a": b"2", "f/b": b"2", "k": b"1"}),
            ([3], {"f/a": b"2", "f/b": b"2", "k": b"2"}),
        ]
    )
    for commit in dag.oids[3:]:
        inside = repo.read(store.last_commits, commit, "f")
        assert {name: row.oid for name, row in inside.items()} == {
            "a": dag.oids[1],
            "b": dag.oids[2],
        }
        assert repo.read(store.last_commits, commit, "")["f"].oid == dag.oids[2]
        assert whole_log(repo, "f/a", commit, 9, 9.0) == [dag.oids[1], dag.oids[0]]


def test_what_was_deleted_has_a_history_before(repo: Workshop) -> None:
    plan = [([], {"k": b"1"}), ([0], {"k": b"1", "a": b"1"}), ([1], {"k": b"1"})]
    plan += [([i], {"k": b"%d" % i}) for i in range(2, 101)]
    dag = Dag(repo).add([*plan, ([101], {"k": b"1", "a": b"1"})])
    page = repo.read(store.log_of_path, "a", [dag.oids[-1]], 10)
    assert [dag.oids.index(row.oid) for row in page.rows] == [102, 2, 1]
    assert page.waiting == []
    with pytest.raises(ObjectMissing):
        repo.read(store.log_of_path, "a", [b"\0" * 20], 10)

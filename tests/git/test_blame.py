# SPDX-License-Identifier: Apache-2.0
"""Whose lines are whose, against what the real git prints for people."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from hubkeep.db import Database
from hubkeep.git.blame import Blame, blame, read_runs, unquoted
from hubkeep.git.errors import ObjectMissing
from hubkeep.git.program import GitFailed, Limits
from tests.git.dags import Dag
from tests.git.native import git
from tests.git.workshop import Workshop, new_repo
from tests.harness.hub import on_sqlite

SMALL = {"cpu_seconds": 10, "memory": 3 << 30}


@pytest.fixture
def dag(database: Database) -> Dag:
    return Dag(Workshop(database, new_repo(database)))


def by_line(found: Blame) -> dict[int, bytes]:
    """The commit of each line."""
    return {run.start + number: run.commit for run in found.runs for number in range(run.count)}


def told(folder: Path, commit: bytes, path: str) -> dict[int, bytes]:
    """The same from what git prints with the lines themselves."""
    printed = git("blame", "-l", "-s", "-n", "--root", commit.hex(), "--", path, cwd=folder)
    lines = printed.split(b"\n")[:-1] if printed else []
    return {number: bytes.fromhex(line[:40].decode()) for number, line in enumerate(lines, 1)}


def edited(chance: random.Random, content: bytes) -> bytes:
    """A text after somebody has worked on it, with ends of lines of all sorts."""
    lines = content.splitlines(keepends=True)
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(0, len(lines))
        end = chance.choice([b"\n", b"\n", b"\r\n", b"\r", b"\xff\x00\n"])
        new = [b"%d%s" % (chance.randint(0, 20), end) for _ in range(chance.randint(0, 3))]
        lines[at : at + chance.randint(0, 2)] = new
    text = b"".join(lines)
    return text.removesuffix(b"\n") if chance.random() < 0.2 else text


def random_plan(chance: random.Random) -> list[tuple[Sequence[int], Mapping[str, bytes]]]:
    """Commits on several lines, with merges, and with files that move."""
    plan: list[tuple[Sequence[int], Mapping[str, bytes]]] = [([], {"a": b"1\n2\n3\n4\n5\n"})]
    for number in range(1, 25):
        above = chance.sample(range(number), min(number, chance.choice([1, 1, 1, 2])))
        path, content = next(iter(plan[above[0]][1].items()))
        if chance.random() < 0.2:
            path = chance.choice(["a", "b/ü", 'c"d', "e\nf", "-g"])
        else:
            content = edited(chance, content)
        plan.append((above, {path: content}))
    return plan


@on_sqlite
@pytest.mark.parametrize("seed", range(4))
def test_it_says_what_git_says_of_random_histories(dag: Dag, tmp_path: Path, seed: int) -> None:
    plan = random_plan(random.Random(seed))
    folder = dag.add(plan).native(tmp_path / "r").folder
    for number, (_, files) in list(enumerate(plan))[-8:]:
        path = next(iter(files))
        found = blame(folder, dag.oids[number], path)
        assert by_line(found) == told(folder, dag.oids[number], path)
        assert not found.is_cut
        for run in found.runs:
            if run.before is not None:
                commit, before = run.before
                assert before in plan[dag.oids.index(commit)][1]


@on_sqlite
def test_a_line_leads_to_the_file_as_it_was_before(dag: Dag, tmp_path: Path) -> None:
    old, new = 'old "ü"\n.txt', "new.txt"
    text = b"one\ntwo\nthree\n"
    dag.add([([], {old: text}), ([0], {new: text}), ([1], {new: b"one\n2\nthree\n"})])
    folder = dag.native(tmp_path / "r").folder
    runs = blame(folder, dag.oids[2], new).runs
    assert [(run.start, run.count, run.commit) for run in runs] == [
        (1, 1, dag.oids[0]),
        (2, 1, dag.oids[2]),
        (3, 1, dag.oids[0]),
    ]
    assert [run.before for run in runs] == [None, (dag.oids[1], new), None]
    dag.add([([0], {new: b"one\n2\nthree\n"})])
    moved = blame(dag.native(tmp_path / "s").folder, dag.oids[3], new).runs
    assert moved[1].before == (dag.oids[0], old)


@on_sqlite
def test_an_empty_file_has_no_lines(dag: Dag, tmp_path: Path) -> None:
    folder = dag.add([([], {"a": b""})]).native(tmp_path / "r").folder
    assert blame(folder, dag.oids[0], "a") == Blame([], is_cut=False)


@on_sqlite
def test_what_is_not_there_is_said(dag: Dag, tmp_path: Path) -> None:
    folder = dag.add([([], {"a": b"1\n"})]).native(tmp_path / "r").folder
    with pytest.raises(ObjectMissing):
        blame(folder, b"\xab" * 20, "a")
    with pytest.raises(GitFailed, match="no such path"):
        blame(folder, dag.oids[0], "b")


@on_sqlite
def test_git_is_stopped_when_it_prints_too_much(dag: Dag, tmp_path: Path) -> None:
    lines = [b"%d\n" % number for number in range(200)]
    plan = [([], {"a": b"".join(lines)})]
    for number in range(0, 200, 2):
        lines[number] = b"new %d\n" % number
        plan.append(([number // 2], {"a": b"".join(lines)}))
    folder = dag.add(plan).native(tmp_path / "r").folder
    whole = by_line(blame(folder, dag.oids[-1], "a"))
    cut = blame(folder, dag.oids[-1], "a", Limits(**SMALL, file_bytes=8 << 10))
    some = by_line(cut)
    assert cut.is_cut
    assert 10 < len(some) < len(whole) == 200
    assert some.items() <= whole.items()


def test_names_are_read_as_git_quotes_them() -> None:
    assert unquoted(rb'"a\"b\\c\n\303\274\t"') == b'a"b\\c\n\xc3\xbc\t'
    assert unquoted(b"plain") == b"plain"
    assert unquoted(b'"') == b'"'


def test_something_else_than_blame_is_refused() -> None:
    with pytest.raises(GitFailed):
        list(read_runs([b"author x\n"]))

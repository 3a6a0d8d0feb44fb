# SPDX-License-Identifier: Apache-2.0
"""Many writers at once: each commit is there afterwards, one behind the other."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from hubkeep.git import store
from hubkeep.git.errors import BranchMoved
from tests.git.workshop import START, Workshop

WRITERS = 6
EACH = 6


@pytest.mark.parametrize("branches", [1, WRITERS])
def test_no_update_is_lost(repo: Workshop, branches: int) -> None:
    base = repo.commit({"base": b""}).oid
    names = [f"b{number % branches}" for number in range(WRITERS)]
    for name in sorted(set(names)):
        repo.write(store.create_branch, name, base, START)

    def write(number: int) -> None:
        for i in range(EACH):
            repo.commit({f"{number}/{i}": b"%d" % i}, branch=names[number])

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(write, range(WRITERS)))
    for name in set(names):
        head = repo.read(store.resolve, name).commit
        writers = names.count(name)
        assert repo.read(store.count_commits, head) == 1 + writers * EACH
        assert len(repo.files(name)) == 1 + writers * EACH


def test_of_writers_that_expect_one_parent_one_wins(repo: Workshop) -> None:
    base = repo.commit({"base": b""}).oid.hex()

    def write(number: int) -> bool:
        try:
            repo.commit({"file": b"%d" % number}, expected_parent=base)
        except BranchMoved:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as threads:
        assert sum(threads.map(write, range(WRITERS))) == 1


def test_of_first_commits_one_makes_the_branch(repo: Workshop) -> None:
    def write(number: int) -> None:
        repo.commit({f"{number}": b""})

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(write, range(WRITERS)))
    assert len(repo.files()) == WRITERS

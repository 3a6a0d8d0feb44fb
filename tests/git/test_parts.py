# SPDX-License-Identifier: Apache-2.0
"""Two trees compared in parts: together they say what one comparison says."""

import pytest

from hubkeep.git import compare as comparing
from hubkeep.git import store
from hubkeep.git.objects import pointer_bytes
from tests.git.workshop import Workshop


@pytest.mark.parametrize(("files", "ahead"), [(1, 1), (3, 2), (5000, 64)])
def test_parts_say_what_the_whole_says(
    repo: Workshop, monkeypatch: pytest.MonkeyPatch, files: int, ahead: int
) -> None:
    monkeypatch.setattr(comparing, "_FILES", files)
    monkeypatch.setattr(comparing, "_AHEAD", ahead)
    old = {f"{folder}/{number}.txt": b"x" * number for folder in "abc" for number in range(4)}
    repo.commit(
        {**old, "same/deep/er": b"s", "was-file": b"f", "m.bin": pointer_bytes(b"1" * 32, 10**9)}
    )
    before = repo.tree()
    new = {"a/1.txt": b"longer", "d/e/f/new": b"n", "was-file/now-folder": b"g"}
    pointers = {"m.bin": pointer_bytes(b"2" * 32, 10**6), "again": pointer_bytes(b"1" * 32, 10**9)}
    repo.commit({**new, **pointers}, delete=["b/2.txt", "c", "was-file"])
    for one, other in ((before, repo.tree()), (store.EMPTY_TREE, repo.tree()), (before, before)):
        whole = repo.read(store.compare, one, other)
        parts = repo.database.read_now(
            lambda conn, one=one, other=other: list(
                store.compare_in_parts(conn, repo.id, one, other)
            )
        )
        assert sum(part.grown for part in parts) == sum(change.grown for change in whole)
        modified = [path for part in parts for path in part.modified]
        assert sorted(modified) == [each.path for each in whole if each.status == "modified"]
        others = [path for part in parts for path in part.added_or_deleted]
        assert sorted(others) == [each.path for each in whole if each.status != "modified"]

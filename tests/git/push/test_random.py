# SPDX-License-Identifier: Apache-2.0
"""Random histories, with merges, made by the real git and pushed in several goes."""

import itertools
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from hubkeep.db import Database
from hubkeep.git import store
from hubkeep.git.bare import write_bare_repository
from hubkeep.git.folders import Trees
from hubkeep.git.last_commits import decode_record, last_commit, record_of
from hubkeep.git.queries import commits, last_changes
from tests.git.native import git, lines
from tests.git.push.pushing import Clone, push
from tests.git.workshop import Workshop, new_repo

numbers = itertools.count()
Files = Mapping[str, bytes]
paths = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map("/".join)
changes = st.dictionaries(paths, st.sampled_from([b"", b"1", b"2", None]), max_size=4)


@dataclass(frozen=True)
class Step:
    """A commit to be made: parents count back from it; None as a content deletes a path."""

    parents: tuple[int, ...]
    changes: Mapping[str, bytes | None]


steps = st.lists(
    st.builds(
        Step,
        st.lists(st.integers(1, 4), max_size=3, unique=True).map(tuple),
        changes,
    ),
    min_size=1,
    max_size=12,
)


def stream_of(history: list[Step]) -> bytes:
    """The history for `git fast-import`, each commit under a tag of its number."""
    trees: list[dict[str, bytes]] = []
    out: list[bytes] = []
    for number, step in enumerate(history):
        parents = [number - back for back in step.parents if back <= number]
        files = dict(trees[parents[0]]) if parents else {}
        for parent in parents[1:]:
            files |= {p: c for p, c in trees[parent].items() if not clashes(files, p)}
        for path, content in step.changes.items():
            if content is None:
                files.pop(path, None)
            elif not clashes(files, path):
                files[path] = content
        trees.append(files)
        out.append(b"reset refs/heads/n%d\n\n" % number)
        out.append(b"commit refs/heads/n%d\nmark :%d\n" % (number, number + 1))
        out.append(b"committer Ann <ann@example.org> %d +0000\n" % (1_790_000_000 + number))
        text = b"number %d" % number
        out.append(b"data %d\n%b\n" % (len(text), text))
        for place, parent in enumerate(parents):
            out.append(b"%b :%d\n" % (b"merge" if place else b"from", parent + 1))
        out.append(b"deleteall\n")
        for path, content in files.items():
            head = (path.encode(), len(content), content)
            out.append(b"M 100644 inline %b\ndata %d\n%b\n" % head)
    return b"".join(out)


def clashes(files: Files, path: str) -> bool:
    """Whether a path is a folder of another, or the other way round."""
    above = {"/".join(path.split("/")[:n]) for n in range(1, path.count("/") + 1)}
    return any(other in above or other.startswith(f"{path}/") for other in files)


def check_records(conn: Connection, repo_id: int, oids: list[bytes]) -> None:
    rows = commits(conn, repo_id, oids)
    stored = last_changes(conn, repo_id, oids)
    assert len(rows) == len(oids)
    for oid, row in rows.items():
        parents = [(each, rows[each].tree) for each in row.parents]
        expected = record_of(Trees(conn, repo_id), oid, row.tree, parents)
        assert decode_record(stored[oid]) == expected


def check_as_git(repo: Workshop, bare: Path, tip: bytes) -> None:
    row = repo.read(commits, [tip])[tip]
    listed = lines(git("ls-tree", "-rt", "--name-only", tip.hex(), cwd=bare))
    for path in listed:
        expected = git("log", "-1", "--format=%H", tip.hex(), "--", path, cwd=bare).decode()
        assert repo.read(last_commit, row, path).hex() == expected.strip(), path


def run(repo: Workshop, folder: Path, history: list[Step], goes: list[int]) -> None:
    clone = Clone.new(folder / "clone")
    clone.git("fast-import", "--quiet", stdin=stream_of(history))
    for go in sorted({min(go, len(history) - 1) for go in goes} | {len(history) - 1}):
        names = [f"refs/heads/n{number}" for number in range(go + 1)]
        data = clone.pack(*names)
        push(repo, folder, data, {name: clone.oid(name) for name in names})
    refs = {ref.name: ref.commit for ref in repo.read(store.refs)}
    assert refs == {name: clone.oid(name) for name in names}
    oids = sorted(set(refs.values()))
    repo.read(check_records, oids)
    bare = folder / "bare.git"
    repo.read(write_bare_repository, bare)
    assert git("fsck", "--full", "--strict", "--no-dangling", cwd=bare) == b""
    check_as_git(repo, bare, refs[names[-1]])
    for name in names[-3:]:
        count = git("rev-list", "--count", name, cwd=bare).decode().strip()
        assert str(repo.read(store.count_commits, refs[name])) == count


def test_what_both_sides_of_a_merge_did(sqlite_repo: Workshop, tmp_path: Path) -> None:
    """The merge has a folder as one side has it, and in it a file that is the other side's."""
    history = [
        Step((), {"a/b": b"1", "a/c": b"1"}),
        Step((1,), {"a/b": b"2"}),
        Step((2,), {"a/b": b"2", "a/c": b"2"}),
        Step((2, 1), {}),
        Step((1,), {"c": b"1"}),
        Step((1,), {"a/c": b""}),
    ]
    run(sqlite_repo, tmp_path, history, [1, 3])


def run_many(url: str, examples: int) -> None:
    with closing(Database(url)) as database:

        @settings(
            max_examples=examples,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(history=steps, goes=st.lists(st.integers(0, 11), max_size=2))
        def check(history: list[Step], goes: list[int]) -> None:
            repo = Workshop(database, new_repo(database, f"r{next(numbers)}"))
            with TemporaryDirectory() as folder:
                run(repo, Path(folder), history, goes)

        check()


def test_random_histories(sqlite_url: str) -> None:
    run_many(sqlite_url, 20)


def test_random_histories_on_postgresql(postgresql_url: str) -> None:
    run_many(postgresql_url, 6)

# SPDX-License-Identifier: Apache-2.0
"""Random histories: against a model made of dicts, and then against the real git."""

import itertools
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hubkeep.db import Database
from hubkeep.git import store
from hubkeep.git.bare import write_bare_repository
from hubkeep.git.changes import CopyPath
from hubkeep.git.errors import PathConflict, PathMissing, RefExists
from hubkeep.git.reachable import find_garbage
from tests.git.native import accepts, git, lines
from tests.git.workshop import ALICE, START, Workshop, new_repo

Files = dict[str, bytes]
numbers = itertools.count()
segments = st.sampled_from(["a", "a.b", "a-b", "b", "0", "caf\u00e9"])
paths = st.lists(segments, min_size=1, max_size=4).map("/".join)
contents = st.binary(max_size=3)
names = st.sampled_from(["main", "dev", "x/y", "x"])


def clashes(files: Files) -> bool:
    """Whether one of the paths is a folder of another."""
    folders = {path[:i] for path in files for i, char in enumerate(path) if char == "/"}
    return any(path in folders for path in files)


class History(RuleBasedStateMachine):
    """The model: for each branch its files and, for each of them, the commit that changed it."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.repo = Workshop(self.database, new_repo(self.database, f"r{next(numbers)}"))
        self.branches: dict[str, tuple[bytes, Files, dict[str, bytes]]] = {}
        self.tags: dict[str, bytes] = {}
        self.repo.commit({"a": b"", "b/a": b"0"})
        oid = self.repo.read(store.resolve, "main").commit
        self.branches["main"] = (oid, {"a": b"", "b/a": b"0"}, {"a": oid, "b/a": oid})

    def _landed(self, branch: str, made: bytes, files: Files) -> None:
        _, before, last = self.branches[branch]
        kept = {p: at for p, at in last.items() if p in files and files[p] == before[p]}
        self.branches[branch] = (made, files, dict.fromkeys(files, made) | kept)

    @rule(data=st.data(), put=st.dictionaries(paths, contents, max_size=4))
    def commit(self, data: st.DataObject, put: Files) -> None:
        branch = data.draw(st.sampled_from(sorted(self.branches)))
        head, files, _ = self.branches[branch]
        known = sorted(files) + sorted({p.rpartition("/")[0] for p in files if "/" in p})
        delete = data.draw(st.lists(st.sampled_from(known), max_size=2)) if known else []
        wanted = dict(files)
        missing = False
        for path in delete:
            inside = [p for p in wanted if p == path or p.startswith(path + "/")]
            missing = missing or not inside
            for each in inside:
                del wanted[each]
        wanted |= put
        if missing:
            with pytest.raises(PathMissing):
                self.repo.commit(put, delete, branch=branch)
        elif clashes(wanted):
            with pytest.raises(PathConflict):
                self.repo.commit(put, delete, branch=branch)
        else:
            made = self.repo.commit(put, delete, branch=branch, expected_parent=head.hex()[:9])
            assert made.is_noop == (wanted == files)
            self._landed(branch, made.oid, wanted)

    @rule(data=st.data(), to=paths)
    def copy(self, data: st.DataObject, to: str) -> None:
        branch = data.draw(st.sampled_from(sorted(self.branches)))
        other = data.draw(st.sampled_from(sorted(self.branches)))
        source = data.draw(st.sampled_from(sorted(self.branches[other][1]) or ["gone"]))
        files = dict(self.branches[branch][1])
        change = CopyPath(source, self.repo.tree(f"refs/heads/{other}"), to)
        if source == "gone":
            with pytest.raises(PathMissing):
                self.repo.change([change], branch=branch)
            return
        files[to] = self.branches[other][1][source]
        if clashes(files):
            with pytest.raises(PathConflict):
                self.repo.change([change], branch=branch)
            return
        self._landed(branch, self.repo.change([change], branch=branch).oid, files)

    @rule(data=st.data(), name=names)
    def branch(self, data: st.DataObject, name: str) -> None:
        start = data.draw(st.sampled_from(sorted(self.branches)))
        if any(
            n == name or n.startswith(name + "/") or name.startswith(n + "/") for n in self.branches
        ):
            with pytest.raises(RefExists):
                self.repo.write(store.create_branch, name, self.branches[start][0], START)
        else:
            self.repo.write(store.create_branch, name, self.branches[start][0], START)
            self.branches[name] = self.branches[start]

    @rule(name=names.filter(lambda name: name != "main"))
    def delete_branch(self, name: str) -> None:
        known = self.branches.pop(name, None) is not None
        assert self.repo.write(store.delete_branch, name) == known

    @precondition(lambda self: len(self.tags) < 4)
    @rule(data=st.data(), message=st.sampled_from([None, "signed\nand sealed"]))
    def tag(self, data: st.DataObject, message: str | None) -> None:
        commit = self.branches[data.draw(st.sampled_from(sorted(self.branches)))][0]
        name = f"v{len(self.tags)}"
        self.repo.write(store.create_tag, name, commit, tagger=ALICE, at=START, message=message)
        self.tags[name] = commit

    @rule(data=st.data())
    def squash(self, data: st.DataObject) -> None:
        branch = data.draw(st.sampled_from(sorted(self.branches)))
        files = self.branches[branch][1]
        made = self.repo.squash(branch=branch, title="squashed")
        self.branches[branch] = (made, files, dict.fromkeys(files, made))

    @rule()
    def purge(self) -> None:
        self.repo.collect(3)
        assert self.repo.read(find_garbage).objects == ()

    @invariant()
    def reads_as_the_model(self) -> None:
        refs = {ref.name: ref.commit for ref in self.repo.read(store.refs)}
        assert refs == {f"refs/heads/{n}": b[0] for n, b in self.branches.items()} | {
            f"refs/tags/{n}": oid for n, oid in self.tags.items()
        }
        for name, (oid, files, last) in self.branches.items():
            found = self.repo.read(store.resolve, f"refs/heads/{name}")
            assert found.commit == oid
            assert self.repo.files(f"refs/heads/{name}") == files
            for folder in {p.rpartition("/")[0] for p in files}:
                rows = self.repo.read(store.last_commits, oid, folder)
                prefix = f"{folder}/" if folder else ""
                for entry, row in rows.items():
                    if prefix + entry in files:
                        assert row.oid == last[prefix + entry]

    def teardown(self) -> None:
        if self.branches:
            with TemporaryDirectory() as folder:
                check_with_git(self.repo, Path(folder) / "bare.git")
        super().teardown()


def check_with_git(repo: Workshop, folder: Path) -> None:
    """Write the repository out; git must find it sound and read the same from it."""
    repo.read(write_bare_repository, folder)
    assert git("fsck", "--full", "--strict", "--no-dangling", cwd=folder) == b""
    for ref in repo.read(store.refs):
        found = repo.read(store.resolve, ref.name)
        assert lines(git("rev-parse", ref.name, ref.name + "^{commit}", cwd=folder)) == [
            ref.oid.hex(),
            ref.commit.hex(),
        ]
        listed = [
            f"{entry.mode:06o} blob {entry.oid.hex()}\t{entry.path}"
            for entry in repo.read(store.all_files, found.tree)
        ]
        assert lines(git("-c", "core.quotePath=no", "ls-tree", "-r", ref.name, cwd=folder)) == (
            sorted(listed, key=lambda line: line.partition("\t")[2].encode())
        )
        log = [
            f"{row.oid.hex()} {row.committed_at // 1000} {row.author} {row.title}"
            for row in repo.read(store.log, ref.commit, limit=10_000)
        ]
        assert lines(git("log", "--format=%H %ct %an <%ae> %s", ref.name, cwd=folder)) == log
        assert repo.read(store.count_commits, ref.commit) == len(log)
    assert accepts("rev-parse", "HEAD^{commit}", cwd=folder)


def run_against(url: str, examples: int, steps: int) -> None:
    with closing(Database(url)) as database:
        machine: Callable[[], History] = type("Machine", (History,), {"database": database})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_random_histories_on_sqlite(sqlite_url: str) -> None:
    run_against(sqlite_url, examples=15, steps=25)


def test_random_histories_on_postgresql(postgresql_url: str) -> None:
    run_against(postgresql_url, examples=4, steps=15)

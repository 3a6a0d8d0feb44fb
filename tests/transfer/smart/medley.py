# SPDX-License-Identifier: Apache-2.0
"""One repository that is written to in all ways at once, and a model of what should be in it."""

import random
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from hubkeep.db import Database
from hubkeep.db.migrate import migrate
from hubkeep.db.tables import repos
from hubkeep.git.reachable import find_garbage, parts, purge
from hubkeep.kit.time import now
from tests.harness.hub import LiveHub, running_hub
from tests.harness.world import seed
from tests.transfer.smart.native import GitClient, Remote, WorkCopy, make_client, make_remote

Files = dict[str, bytes]

PATHS = ("a", "b.txt", "d/x", "d/y", "d/e/z", "d/e/f/g", "d-e", "caf\u00e9/\u6a21")
BRANCHES = ("main", "dev", "x/y", "w")
TAGS = ("v1", "v2", "t/1")


@dataclass(frozen=True)
class Made:
    """A commit: its files and what was before it."""

    files: Files
    parents: tuple[str, ...]


@dataclass
class Medley:
    """The repository, somebody's git, and the model: what each branch and tag is at."""

    remote: Remote
    copy: WorkCopy
    database: Database
    commits: dict[str, Made] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, tuple[str, str]] = field(default_factory=dict)
    """What a tag holds, and the commit that it leads to."""
    here: set[str] = field(default_factory=set)
    """Commits that the local copy has."""
    count: int = 0

    def begin(self) -> None:
        """Learn what a new repository holds."""
        tip = self.remote.refs()["refs/heads/main"]
        self.note(tip, {".gitattributes": self.remote.read(".gitattributes")}, ())
        self.branches["main"] = tip

    def note(self, oid: str, files: Files, parents: tuple[str, ...]) -> None:
        """Remember a commit."""
        self.commits[oid] = Made(files, parents)

    def files(self, branch: str) -> Files:
        """The files that a branch should have."""
        return self.commits[self.branches[branch]].files

    def change(self, files: Mapping[str, bytes], chance: random.Random) -> tuple[Files, list[str]]:
        """Some files to write, and some to delete; contents are new, or were there before."""
        self.count += 1
        old = sorted(set(files.values())) or [b""]
        paths = chance.sample(PATHS, chance.randint(1, 3))
        fresh = {
            path: chance.choice(old) if chance.random() < 0.2 else b"%d\n" % (self.count * 10 + n)
            for n, path in enumerate(paths)
        }
        may_go = sorted(set(files) - set(fresh) - {".gitattributes"})
        gone = chance.sample(may_go, min(len(may_go), chance.choice((0, 0, 1, 2))))
        return fresh, gone

    # --- by the API

    def commit(self, branch: str, chance: random.Random) -> None:
        """Commit through the API."""
        files = self.files(branch)
        fresh, gone = self.change(files, chance)
        answer = self.remote.commit(fresh, rev=branch, delete=tuple(gone))
        assert answer.status_code == 200, answer.text
        after = {path: data for path, data in (files | fresh).items() if path not in gone}
        oid = answer.json()["commitOid"]
        if oid != self.branches[branch]:  # the change may be none
            self.note(oid, after, (self.branches[branch],))
        assert self.commits[oid].files == after
        self.branches[branch] = oid

    def squash(self, branch: str) -> None:
        """Replace a branch's history by one commit."""
        files = self.files(branch)
        self._post(f"super-squash/{branch.replace('/', '%2F')}", {})
        oid = self.remote.refs()[f"refs/heads/{branch}"]
        self.note(oid, files, ())
        self.branches[branch] = oid

    def merge(self, into: str, source: str) -> None:
        """Have the hub merge a branch into another; git must come to the same end."""
        ours, theirs = self.branches[into], self.branches[source]
        self.fetch(ours, theirs)
        tried = self.copy.run("merge-tree", "--write-tree", ours, theirs, check=False)
        answer = self._post(
            f"merge/{into.replace('/', '%2F')}", {"source": source}, (200, 409, 422)
        )
        if answer == 422:  # after a squash or a forced push
            assert self.copy.run("merge-base", ours, theirs, check=False).code == 1
            return
        if answer == 409:
            assert tried.code == 1, (tried, "the hub sees a conflict where git sees none")
            return
        oid = self.remote.refs()[f"refs/heads/{into}"]
        self.branches[into] = oid
        if oid in (ours, theirs):
            return
        self.fetch(oid)
        assert self.copy.run("rev-parse", f"{oid}^1", f"{oid}^2").out.split() == [ours, theirs]
        assert tried.code == 0, (tried, "git sees a conflict where the hub sees none")
        assert self.copy.tip(f"{oid}^{{tree}}") == tried.out.split()[0]
        self.note(oid, self.listed(oid), (ours, theirs))

    def revert(self, branch: str) -> None:
        """Have the hub take the last commit of a branch back."""
        tip = self.branches[branch]
        parents = self.commits[tip].parents
        if len(parents) != 1 or self.commits[parents[0]].files == self.files(branch):
            return
        self._post(f"revert/{branch.replace('/', '%2F')}", {"commit": tip})
        oid = self.remote.refs()[f"refs/heads/{branch}"]
        self.note(oid, self.commits[parents[0]].files, (tip,))
        self.branches[branch] = oid

    def _post(self, path: str, body: object, expect: tuple[int, ...] = (200,)) -> int:
        answer = self.remote.call("POST", f"{self.remote.api}/{path}", json=body)
        assert answer.status_code in expect, (path, answer.status_code, answer.text)
        return answer.status_code

    # --- by git

    def fetch(self, *oids: str) -> None:
        """Have commits in the local copy."""
        if not self.here.issuperset(oids):
            self.copy.run("fetch", "-q", "--prune", "origin", "+refs/*:refs/hub/*")
            self.here.update(oids)

    def build(self, files: Mapping[str, bytes], parents: tuple[str, ...]) -> str:
        """Make a commit in the local copy and return its id."""
        self.fetch(*parents)
        self.count += 1
        who = f"Alice <alice@example.org> {1_790_000_000 + self.count} +0000"
        words = [
            f"commit refs/made/{self.count}\nmark :1\ncommitter {who}\ndata 1\nx\n".encode(),
            *(
                f"{'merge' if number else 'from'} {oid}\n".encode()
                for number, oid in enumerate(parents)
            ),
            b"deleteall\n",
        ]
        for path, data in files.items():
            words.append(f'M 100644 inline "{path}"\ndata {len(data)}\n'.encode() + data + b"\n")
        words.append(b"get-mark :1\n")
        done = self.copy.run("fast-import", "--quiet", "--force", stdin=b"".join(words))
        oid = done.out.split()[0]
        self.note(oid, dict(files), parents)
        self.here.add(oid)
        return oid

    def follow_up(self, branch: str, chance: random.Random) -> str:
        """Make a commit on top of a branch."""
        files = self.files(branch)
        fresh, gone = self.change(files, chance)
        after = {path: data for path, data in (files | fresh).items() if path not in gone}
        return self.build(after, (self.branches[branch],))

    def push(self, *refspecs: str, options: tuple[str, ...] = ()) -> None:
        """Push; the caller notes what becomes of the refs."""
        self.copy.run("push", "-q", *options, "origin", *refspecs)

    def push_branch(self, branch: str, oid: str, *options: str) -> None:
        """Push a commit to a branch."""
        self.push(f"{oid}:refs/heads/{branch}", options=options)
        self.branches[branch] = oid

    def is_stale(self, branch: str, chance: random.Random) -> None:
        """A push from where the branch was before is refused, and changes nothing."""
        parents = self.commits[self.branches[branch]].parents
        if not parents:
            return
        oid = self.build(self.change({}, chance)[0], parents[:1])
        ran = self.copy.run("push", "origin", f"{oid}:refs/heads/{branch}", check=False)
        assert ran.code != 0
        assert "rejected" in ran.err, ran.err

    def merge_here(self, into: str, source: str) -> None:
        """Merge in the local copy, what both changed as in `into`, and push that."""
        ours, theirs = self.branches[into], self.branches[source]
        if ours != theirs:
            self.push_branch(
                into, self.build(self.files(source) | self.files(into), (ours, theirs))
            )

    def tag(self, name: str, branch: str, depth: int) -> None:
        """Push a tag: of a commit, annotated, or of other annotated tags."""
        commit = oid = self.branches[branch]
        self.fetch(commit)
        for level in range(depth):
            kind = "tag" if level else "commit"
            text = (
                f"object {oid}\ntype {kind}\ntag {name}\n"
                f"tagger Alice <alice@example.org> {1_790_000_000 + self.count} +0000\n\nx\n"
            )
            oid = self.copy.run("mktag", stdin=text.encode()).out.strip()
        self.push(f"{oid}:refs/tags/{name}", options=("--force",))
        self.tags[name] = (oid, commit)

    # --- upkeep

    def collect(self) -> None:
        """Delete for good what no ref leads to, as the job does once its time has come."""
        query = select(repos.c.id).where(repos.c.path == self.remote.path)
        repo_id = self.database.read_now(lambda conn: conn.execute(query).scalar_one())
        garbage = self.database.read_now(lambda conn: find_garbage(conn, repo_id))
        for part in parts(garbage, 7):
            self.database.write_now(lambda conn, part=part: purge(conn, repo_id, garbage, part))

    def lose_cache(self) -> None:
        """Delete what fetches are served from."""
        shutil.rmtree(self.remote.hub.data / "git-cache", ignore_errors=True)

    # --- what must hold

    def listed(self, oid: str) -> Files:
        """The files of a commit in the local copy."""
        rows = self.copy.run("ls-tree", "-r", "-z", oid).out.split("\0")[:-1]
        paths = {row.partition("\t")[2]: row.split()[2] for row in rows}
        contents: dict[str, bytes] = {}
        for path, blob in paths.items():
            contents[path] = self.copy.run("cat-file", "blob", blob).out.encode()
        return contents

    def check(self, folder: Path) -> None:
        """A fresh mirror is sound, and it, the API and the model say the same."""
        git = self.copy.git
        shutil.rmtree(folder, ignore_errors=True)
        git.run("clone", "-q", "--mirror", git.url(self.remote), str(folder))
        assert git.run("fsck", "--full", "--strict", cwd=folder).out == ""
        words = "%(refname) %(objectname)"
        shown = git.run("for-each-ref", f"--format={words}", cwd=folder).out.splitlines()
        wanted = {f"refs/heads/{name}": oid for name, oid in self.branches.items()}
        held = wanted | {f"refs/tags/{name}": oid for name, (oid, _) in self.tags.items()}
        assert dict(line.split() for line in shown) == held
        led = wanted | {f"refs/tags/{name}": oid for name, (_, oid) in self.tags.items()}
        assert self.remote.refs() == led
        for name, oid in self.branches.items():
            self._check_branch(folder, name, oid)

    def _check_branch(self, folder: Path, name: str, oid: str) -> None:
        git = self.copy.git
        entries = self.remote.tree(name, expand="true")
        rows = git.run("ls-tree", "-r", "-t", "-z", oid, cwd=folder).out.split("\0")[:-1]
        blobs = {row.partition("\t")[2]: row.split()[2] for row in rows}
        assert {path: entry["oid"] for path, entry in entries.items()} == blobs
        files = self.files(name)
        assert {p for p, entry in entries.items() if entry["type"] == "file"} == set(files)
        for path, data in files.items():
            stored = git.run("hash-object", "--stdin", stdin=data).out.strip()
            assert entries[path]["oid"] == stored, (name, path)
        for path, entry in entries.items():
            last = git.run("log", "-1", "--format=%H", oid, "--", path, cwd=folder).out.strip()
            assert entry["lastCommit"]["id"] == last, (name, path)


@contextmanager
def served(folder: Path, database_url: str) -> Iterator[LiveHub]:
    """A hub of its own, on a database that is made ready for it."""
    with closing(Database(database_url)) as database:
        migrate(database)
        database.write_now(lambda conn: seed(conn, now()))
    env = {"HUBKEEP_DATABASE_URL": database_url}
    with running_hub(folder / "hub", "--no-job-worker", env=env) as hub:
        yield hub


def client_of(hub: LiveHub, folder: Path) -> GitClient:
    """Alice's git."""
    return make_client(hub, folder / "home", hub.token)


@contextmanager
def medley(hub: LiveHub, folder: Path) -> Iterator[Medley]:
    """A new repository on the hub, with somebody who writes to it."""
    git = client_of(hub, folder)
    remote = make_remote(hub)
    with closing(Database(hub.database_url)) as database:
        one = Medley(remote, git.begin(remote), database)
        one.begin()
        yield one

# SPDX-License-Identifier: Apache-2.0
"""Clone and fetch with the real git, in all the ways in which it asks."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from hubkeep.db import Database
from hubkeep.db.tables import repos
from hubkeep.git.queries import insert_ref
from hubkeep.git.types import Ref
from tests.harness.hub import LiveHub
from tests.transfer.smart.native import GitClient, Remote, WorkCopy, make_client, make_remote

VERSIONS = pytest.mark.parametrize("version", [0, 1, 2])
OLD_AND_NEW = pytest.mark.parametrize("version", [0, 2])
NewRemote = Callable[..., Remote]


class Library:
    """A repository with merges and tags, which tests only read, and the work copy it came from."""

    def __init__(self, hub: LiveHub, home: Path) -> None:
        self.remote = make_remote(hub, empty=True)
        self.source = make_client(hub, home, hub.token).begin(self.remote)
        self.lines = [self._commit(number) for number in range(6)]
        self.source.run("tag", "light", self.lines[1])
        self.source.run("tag", "-a", "-m", "noted", "noted", self.lines[2])
        self.source.run("tag", "-a", "-m", "twice", "twice", "noted")
        self.source.run("checkout", "-q", "-b", "side", self.lines[3])
        self.side = self.source.commit({"side.txt": b"side\n"}, "beside")
        self.source.run("checkout", "-q", "main")
        self.source.run("merge", "-q", "--no-ff", "-m", "together", "side")
        self.source.push("main", "side", "--tags")
        self.tip = self.source.tip()

    def _commit(self, number: int) -> str:
        files = {
            "a.txt": b"line %d\n" % number,
            f"deep/er/{number}.txt": b"%d\n" % number,
            "large.txt": b"x" * 5000 + b"%d" % number,
            "only-deep": b"/deep/\n",
        }
        when = f"2026-01-0{number + 1}T12:00:00Z"
        dated = self.source.git.with_env(GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)
        return WorkCopy(dated, self.source.folder).commit(files, f"number {number}")

    def objects(self, copy: WorkCopy) -> set[str]:
        """The objects that a copy has at hand."""
        listed = copy.run("rev-list", "--objects", "--all", "--missing=print").out.splitlines()
        return {line.split()[0] for line in listed if not line.startswith("?")}


@pytest.fixture(scope="module")
def library(live_hub: LiveHub, tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library(live_hub, tmp_path_factory.mktemp("library"))


def is_whole(copy: WorkCopy) -> bool:
    """Whether git finds nothing wrong in a copy."""
    return copy.run("fsck", "--full", "--strict").err == ""


def count(copy: WorkCopy, *revs: str) -> int:
    """The number of commits that a copy has."""
    return int(copy.run("rev-list", "--count", *(revs or ("HEAD",))).out)


@VERSIONS
def test_all_versions_of_the_protocol_clone_and_fetch(
    git: GitClient, library: Library, version: int
) -> None:
    speaking = f"protocol.version={version}"
    copy = git.clone(library.remote, "-c", speaking, "--branch", "side")
    assert copy.tip() == library.side
    assert copy.tip("origin/main") == library.tip
    assert copy.tip("twice^{commit}") == library.lines[2]
    copy.run("checkout", "-q", "main")
    assert (copy.folder / "a.txt").read_bytes() == b"line 5\n"
    assert is_whole(copy)


def test_a_mirror_has_all_refs_and_is_whole(git: GitClient, library: Library) -> None:
    mirror = git.clone(library.remote, "--mirror")
    told = git.run("ls-remote", "--refs", library.remote.url).out
    names = mirror.run("for-each-ref", "--format=%(objectname)\t%(refname)").out
    assert sorted(names.splitlines()) == sorted(told.splitlines())
    assert {line.split("/", 1)[1] for line in told.splitlines()} == {
        "heads/main",
        "heads/side",
        "tags/light",
        "tags/noted",
        "tags/twice",
    }
    assert is_whole(mirror)


@OLD_AND_NEW
def test_shallow_clones_deepen(git: GitClient, library: Library, version: int) -> None:
    copy = git.clone(library.remote, "-c", f"protocol.version={version}", "--depth", "1")
    assert count(copy) == 1
    copy.run("fetch", "-q", "--deepen", "2")
    assert 1 < count(copy) < 8
    copy.run("fetch", "-q", "--depth", "1")
    assert count(copy) == 1
    copy.run("fetch", "-q", "--unshallow")
    assert count(copy) == 8
    assert is_whole(copy)


@OLD_AND_NEW
def test_shallow_by_date_and_by_ref(git: GitClient, library: Library, version: int) -> None:
    speaking = f"protocol.version={version}"
    recent = git.clone(library.remote, "-c", speaking, "--shallow-since=2026-01-04T00:00:00Z")
    assert count(recent) == 5
    beyond = git.clone(library.remote, "-c", speaking, "--shallow-exclude=noted")
    assert count(beyond) == 5
    nowhere = git.run(
        "-c", speaking, "clone", "--shallow-exclude=missing", library.remote.url, "no", check=False
    )
    assert nowhere.code != 0


FILTERS = ["blob:none", "blob:limit=100", "tree:0", "tree:2", "combine:blob:none+tree:1"]


@pytest.mark.parametrize("wanted", [*FILTERS, "sparse:oid=main:only-deep"])
def test_what_a_filter_leaves_out_comes_when_it_is_needed(
    git: GitClient, library: Library, wanted: str
) -> None:
    copy = git.clone(library.remote, "--no-checkout", f"--filter={wanted}")
    whole = library.objects(library.source)
    at_first = library.objects(copy)
    assert at_first < whole
    copy.run("checkout", "-q", "main")
    assert (copy.folder / "large.txt").read_bytes().endswith(b"x5")
    assert (copy.folder / "deep/er/0.txt").read_bytes() == b"0\n"
    copy.run("log", "-p", "--all")
    assert at_first < library.objects(copy) <= whole


def test_a_partial_clone_works_in_the_old_protocol_too(git: GitClient, library: Library) -> None:
    copy = git.clone(library.remote, "-c", "protocol.version=0", "--filter=blob:none")
    assert (copy.folder / "a.txt").read_bytes() == b"line 5\n"


def test_one_branch_alone(git: GitClient, library: Library) -> None:
    copy = git.clone(library.remote, "--single-branch", "--branch", "side", "--no-tags")
    assert copy.run("branch", "-r").out.split() == ["origin/side"]
    assert count(copy, "--all") == 5


@OLD_AND_NEW
def test_a_commit_is_fetched_by_its_id(git: GitClient, library: Library, version: int) -> None:
    copy = git.begin(library.remote)
    middle = library.lines[3]
    copy.run("-c", f"protocol.version={version}", "fetch", "-q", "--depth=1", "origin", middle)
    assert copy.tip("FETCH_HEAD") == middle


@pytest.mark.parametrize("plural", ["models", "datasets", "spaces", "kernels"])
def test_all_kinds_of_repositories_by_both_of_their_addresses(
    git: GitClient, new_remote: NewRemote, plural: str
) -> None:
    remote = new_remote(plural, **({"sdk": "static"} if plural == "spaces" else {}))
    plain = git.run("ls-remote", remote.url).out
    assert plain.splitlines()[0].endswith("HEAD")
    assert git.run("ls-remote", f"{remote.url}.git").out == plain


def test_pull_requests_are_fetched_by_name_and_not_by_default(
    git: GitClient, remote: Remote
) -> None:
    copy = git.clone(remote)
    asked = copy.commit({"pr.txt": b"asked\n"})
    copy.push("HEAD:refs/heads/draft")
    with closing(Database(remote.hub.database_url)) as db:
        ref = Ref("refs/pr/1", bytes.fromhex(asked), bytes.fromhex(asked))
        mine = select(repos.c.id).where(repos.c.path == remote.path)
        db.write_now(lambda conn: insert_ref(conn, conn.execute(mine).scalar_one(), ref, 1))
    copy.push("--delete", "draft")
    stranger = git.clone(remote)
    assert stranger.run("for-each-ref", "refs/pr").out == ""
    stranger.run("fetch", "-q", "origin", "refs/pr/1:asked")
    assert stranger.tip("asked") == asked


def test_a_moved_repository_is_found_by_its_old_name(
    git: GitClient, remote: Remote, library: Library
) -> None:
    copy = git.clone(remote)
    new = f"{remote.path}-moved"
    body = {"fromRepo": remote.path, "toRepo": new, "type": "model"}
    remote.call("POST", "/api/repos/move", json=body).raise_for_status()
    moved = Remote(remote.hub, new)
    made = moved.commit({"later.txt": b"later\n"}).raise_for_status().json()["commitOid"]
    copy.run("pull", "-q")
    assert copy.tip() == made


@OLD_AND_NEW
def test_a_repository_without_branches_is_cloned_with_a_warning(
    git: GitClient, new_remote: NewRemote, version: int
) -> None:
    remote = new_remote(empty=True)
    ran = git.run("-c", f"protocol.version={version}", "clone", remote.url, "nothing")
    assert "cloned an empty repository" in ran.err


def test_each_commit_is_fetched_as_soon_as_it_is_made(git: GitClient, remote: Remote) -> None:
    copy = git.clone(remote)
    for number in range(14):  # enough to have packs put together meanwhile
        made = remote.commit({"a.txt": b"%d\n" % number, f"d/{number}": b"%d" % number})
        copy.run("pull", "-q", "--ff-only")
        assert copy.tip() == made.json()["commitOid"]
    assert is_whole(copy)
    assert is_whole(git.clone(remote, "--mirror"))


@OLD_AND_NEW
def test_what_was_taken_back_is_not_given_out_by_its_id(
    git: GitClient, remote: Remote, version: int
) -> None:
    speaking = f"protocol.version={version}"
    secret = remote.commit({"secret.txt": b"the password\n"}).json()["commitOid"]
    copy = git.clone(remote, "-c", speaking)
    blob = copy.tip("HEAD:secret.txt")
    remote.commit({}, delete=("secret.txt",)).raise_for_status()
    body = {"message": "as if it had never been"}
    remote.call("POST", f"{remote.api}/super-squash/main", json=body).raise_for_status()
    copy.run("fetch", "-q")
    assert copy.tip("origin/main") != secret
    stranger = git.begin(remote)
    for oid in (secret, blob):
        ran = stranger.run("-c", speaking, "fetch", "origin", oid, check=False)
        assert ran.code != 0
        assert "not our ref" in ran.err


def test_a_deleted_branch_takes_its_commits_along(git: GitClient, remote: Remote) -> None:
    copy = git.clone(remote)
    gone = copy.commit({"draft.txt": b"draft\n"})
    copy.push("HEAD:refs/heads/draft")
    assert "draft" in git.run("ls-remote", remote.url).out
    copy.push("--delete", "draft")
    stranger = git.begin(remote)
    assert "not our ref" in stranger.run("fetch", "origin", gone, check=False).err
    assert is_whole(git.clone(remote, "--mirror"))

# SPDX-License-Identifier: Apache-2.0
"""Locks with the real git-lfs: two people at work on files that cannot be merged."""

import json
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from tests.harness.hub import LiveHub
from tests.transfer.smart.native import GitClient, Remote, WorkCopy, make_client
from tests.transfer.smart.people import People

pytestmark = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")


@pytest.fixture
def alice(git: GitClient, remote: Remote) -> WorkCopy:
    return working(git, remote)


@pytest.fixture
def bob(live_hub: LiveHub, remote: Remote, tmp_path: Path) -> WorkCopy:
    People(live_hub).join("acme", "bob")
    client = make_client(live_hub, tmp_path / "bob", live_hub.tokens.bob)
    return working(client, remote)


def working(client: GitClient, remote: Remote) -> WorkCopy:
    """A clone whose pushes ask for locks."""
    client.set_up_lfs()
    copy = client.clone(remote)
    copy.run("config", "lfs.locksverify", "true")
    return copy


@pytest.fixture
def remote(live_hub: LiveHub, git: GitClient) -> Remote:
    """A repository of acme's, which alice administers, with two files that can be locked."""
    made = Remote(live_hub, f"acme/locked-{uuid4().hex[:12]}")
    body = {"organization": "acme", "name": made.path.partition("/")[2]}
    assert made.call("POST", "/api/repos/create", json=body).status_code == 200
    copy = working(git, made)
    copy.run("lfs", "track", "--lockable", "*.bin")
    copy.commit({"a folder/x.bin": b"x" * 100, "y.bin": b"y"})
    copy.push()
    return made


def locks(copy: WorkCopy, *options: str) -> dict[str, str]:
    """Who holds which path, as git-lfs lists it."""
    listed = json.loads(copy.run("lfs", "locks", "--json", *options).out)
    return {one["path"]: one["owner"]["name"] for one in listed}


def test_a_file_is_locked_listed_and_unlocked(alice: WorkCopy, bob: WorkCopy):
    alice.run("lfs", "lock", "a folder/x.bin")
    bob.run("lfs", "lock", "y.bin")
    both = {"a folder/x.bin": "alice", "y.bin": "bob"}
    assert locks(alice) == locks(bob) == both
    assert locks(bob, "--path", "y.bin") == {"y.bin": "bob"}
    assert len(locks(bob, "--limit", "1")) == 1

    taken = bob.run("lfs", "lock", "a folder/x.bin", check=False)
    assert taken.code != 0
    assert "is locked by alice already" in taken.err

    verified = alice.run("lfs", "locks", "--verify").out.splitlines()
    assert [line[0] for line in verified] == ["O", " "]
    assert "a folder/x.bin" in verified[0]

    alice.run("lfs", "unlock", "a folder/x.bin")
    assert locks(bob) == {"y.bin": "bob"}
    alice.run("lfs", "lock", "a folder/x.bin")


def test_others_locks_are_forced_by_who_administers(alice: WorkCopy, bob: WorkCopy):
    alice.run("lfs", "lock", "a folder/x.bin")
    bob.run("lfs", "lock", "y.bin")
    refused = bob.run("lfs", "unlock", "--force", "a folder/x.bin", check=False)
    assert refused.code != 0
    assert "is locked by alice" in refused.err
    assert "is locked by bob" in alice.run("lfs", "unlock", "y.bin", check=False).err
    alice.run("lfs", "unlock", "--force", "y.bin")
    assert locks(bob) == {"a folder/x.bin": "alice"}


def test_a_push_of_what_another_has_locked_is_held_back(alice: WorkCopy, bob: WorkCopy):
    alice.run("lfs", "lock", "y.bin")

    bob.folder.joinpath("y.bin").unlink()  # files that can be locked are read-only without a lock
    bob.commit({"y.bin": b"bob's"})
    held = bob.refused()
    assert "* y.bin - alice" in held.out

    alice.run("lfs", "unlock", "y.bin")
    bob.push()


def test_more_locks_than_a_page_has_are_listed_all(alice: WorkCopy, remote: Remote):
    for n in range(5):
        made = remote.call("POST", f"{remote.web}.git/info/lfs/locks", json={"path": f"f{n}"})
        assert made.status_code == 201
    assert list(locks(alice)) == [f"f{n}" for n in range(5)]
    assert len(locks(alice, "--limit", "3")) == 3


def test_locks_of_a_repository_that_has_moved(alice: WorkCopy, remote: Remote):
    alice.run("lfs", "lock", "y.bin")
    new = f"{remote.path}-moved"
    body = {"fromRepo": remote.path, "toRepo": new, "type": "model"}
    assert remote.call("POST", "/api/repos/move", json=body).status_code == 200
    assert locks(alice) == {"y.bin": "alice"}
    alice.run("lfs", "lock", "a folder/x.bin")
    alice.run("lfs", "unlock", "y.bin")
    assert locks(alice) == {"a folder/x.bin": "alice"}

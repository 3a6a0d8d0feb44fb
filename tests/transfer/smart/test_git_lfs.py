# SPDX-License-Identifier: Apache-2.0
"""The real git-lfs against a live hub: what a person does with large files, from end to end."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfer.smart.native import GitClient, Remote, WorkCopy

pytestmark = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")

MIB = 1 << 20
LARGE = os.urandom(MIB) * 5
POINTER = b"version https://git-lfs.github.com/spec/v1\n"


@pytest.fixture
def person(git: GitClient) -> GitClient:
    """Alice, who has git-lfs set up."""
    git.set_up_lfs()
    return git


def tracking(person: GitClient, remote: Remote) -> WorkCopy:
    """A clone in which `*.dat` goes through git-lfs."""
    copy = person.clone(remote)
    copy.run("lfs", "track", "*.dat")
    return copy


def push(copy: WorkCopy, *options: str) -> str:
    return copy.run("push", *options, "origin", "HEAD").err


def stored(copy: WorkCopy, content: bytes) -> Path:
    """Where git-lfs keeps a file's bytes in a clone."""
    oid = hashlib.sha256(content).hexdigest()
    return copy.folder / ".git/lfs/objects" / oid[:2] / oid[2:4] / oid


def test_large_files_are_pushed_cloned_and_read_by_the_api(person: GitClient, remote: Remote):
    copy = tracking(person, remote)
    files = {"weights.dat": LARGE, "a folder/ünïcode.dat": b"other" * 1000, "notes.txt": b"small"}
    copy.commit(files)
    push(copy)

    clone = person.signed_in("").clone(remote)
    assert {name: (clone.folder / name).read_bytes() for name in files} == files
    assert clone.run("lfs", "fsck").out.strip() == "Git LFS fsck OK"
    assert remote.read("weights.dat") == LARGE
    tree = remote.tree()
    assert tree["weights.dat"]["lfs"]["size"] == len(LARGE)
    assert "lfs" not in tree["notes.txt"]
    assert remote.info(expand="usedStorage")["usedStorage"] >= len(LARGE)


def test_a_new_version_leaves_the_old_one_as_it_was(person: GitClient, remote: Remote):
    copy = person.clone(remote)
    copy.commit({"model.bin": LARGE})  # the repository's own .gitattributes track it
    push(copy)
    copy.commit({"model.bin": LARGE + b"2"})
    push(copy)
    clone = person.clone(remote)
    assert (clone.folder / "model.bin").read_bytes() == LARGE + b"2"
    assert remote.read("model.bin", copy.tip("HEAD~1")) == LARGE


def test_files_are_fetched_when_they_are_wanted(person: GitClient, remote: Remote):
    copy = tracking(person, remote)
    copy.commit({"one.dat": b"one" * MIB, "two.dat": b"two" * MIB})
    push(copy)

    lazy = person.with_env(GIT_LFS_SKIP_SMUDGE="1").clone(remote)
    lazy = WorkCopy(person, lazy.folder)
    one, two = lazy.folder / "one.dat", lazy.folder / "two.dat"
    assert one.read_bytes().startswith(POINTER)

    lazy.run("lfs", "pull", "--include", "one.dat")
    assert one.read_bytes() == b"one" * MIB
    assert two.read_bytes().startswith(POINTER)
    lazy.run("lfs", "fetch")
    assert two.read_bytes().startswith(POINTER)
    lazy.run("lfs", "checkout")
    assert two.read_bytes() == b"two" * MIB


def test_what_was_pruned_is_fetched_again(person: GitClient, remote: Remote):
    copy = tracking(person, remote)
    old, new = os.urandom(MIB), os.urandom(MIB)
    copy.commit({"x.dat": old})
    push(copy)
    copy.commit({"x.dat": new})
    push(copy)
    copy.run("config", "lfs.fetchrecentcommitsdays", "0")
    copy.run("config", "lfs.fetchrecentrefsdays", "0")
    copy.run("config", "lfs.pruneoffsetdays", "0")
    copy.run("lfs", "prune", "--verify-remote")
    assert not stored(copy, old).exists()
    copy.run("checkout", "-q", "HEAD~1")
    assert (copy.folder / "x.dat").read_bytes() == old


def test_a_broken_download_goes_on_where_it_was(person: GitClient, remote: Remote):
    copy = tracking(person, remote)
    copy.commit({"x.dat": LARGE})
    push(copy)
    lazy = person.with_env(GIT_LFS_SKIP_SMUDGE="1").clone(remote)
    traced = WorkCopy(person.with_env(GIT_TRACE="1", GIT_CURL_VERBOSE="1"), lazy.folder)
    oid = hashlib.sha256(LARGE).hexdigest()
    partial = lazy.folder / f".git/lfs/incomplete/{oid}.part"
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_bytes(LARGE[: 2 * MIB])
    told = traced.run("lfs", "pull").err
    assert f"Range: bytes={2 * MIB}-" in told
    assert "206 Partial Content" in told
    assert (lazy.folder / "x.dat").read_bytes() == LARGE


def test_all_files_of_all_branches_go_to_another_repository(
    person: GitClient, new_remote: Callable[..., Remote]
):
    first, second = new_remote(), new_remote(private=True, empty=True)
    copy = tracking(person, first)
    contents = [os.urandom(1000) for _ in range(3)]
    for content in contents:
        copy.commit({"x.dat": content})
    copy.run("push", "origin", "HEAD", "HEAD~1:refs/heads/older")
    copy.run("remote", "add", "mirror", second.url)
    copy.run("lfs", "push", "--all", "mirror")
    copy.run("push", "mirror", "HEAD:main", "HEAD~1:refs/heads/older")
    shutil.rmtree(copy.folder / ".git/lfs/objects")
    copy.run("lfs", "fetch", "--all", "mirror")
    assert all(stored(copy, content).exists() for content in contents)


@pytest.mark.parametrize("how", ["helper", "url"])
def test_a_private_repository_by_what_git_remembers_of_a_password(
    person: GitClient, new_remote: Callable[..., Remote], how: str
):
    remote = new_remote(private=True)
    owner = person.signed_in(person.token, how)
    copy = tracking(owner, remote)
    copy.commit({"x.dat": LARGE})
    push(copy)
    assert (owner.clone(remote).folder / "x.dat").read_bytes() == LARGE
    stranger = person.signed_in("")
    refused = stranger.run("clone", remote.url, "stranger", check=False)
    assert refused.code != 0


def test_a_file_goes_to_an_address_that_needs_no_token_and_is_verified(
    person: GitClient, remote: Remote
):
    traced = person.signed_in(person.token, "helper")
    traced = traced.with_env(GIT_TRACE="1", GIT_CURL_VERBOSE="1")
    copy = tracking(traced, remote)
    copy.commit({"x.dat": os.urandom(1000)})
    told = push(copy)
    sent = re.findall(r"^> ((?:PUT|POST) \S*) HTTP/1.1\n((?:> .*\n)*)", told, re.MULTILINE)
    signed = {path.split("/")[2]: head for path, head in sent if "/lfs/" in path[:11]}
    asked = {path.rpartition("/")[2]: head for path, head in sent if "/info/lfs/" in path}
    assert signed.keys() == {"objects", "verify"}
    assert not any("Authorization" in head for head in signed.values())
    # git-lfs asks for locks by itself, and tells its user if they are not spoken.
    assert {"batch", "verify"} <= asked.keys()
    assert any("Authorization: Basic" in head for head in asked.values())
    assert "locking API" not in told


def test_a_token_that_only_reads_fetches_and_is_refused_with_the_reason(
    person: GitClient, remote: Remote
):
    copy = tracking(person, remote)
    copy.commit({"x.dat": LARGE})
    push(copy)
    reader = person.signed_in(person.hub.tokens.alice_read, "helper")
    clone = reader.clone(remote)
    assert (clone.folder / "x.dat").read_bytes() == LARGE
    clone.commit({"y.dat": os.urandom(1000)})
    told = clone.run("lfs", "push", "origin", "HEAD", check=False)
    assert told.code != 0
    assert "role 'read'" in told.err


def test_files_over_the_part_size_by_the_program_of_huggingface_hub(
    person: GitClient, remote: Remote
):
    """`hf lfs-enable-largefiles` has git-lfs send files in parts, small ones beside them too."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    person = person.with_env(PATH=path, HF_ENDPOINT=remote.hub.url)
    copy = tracking(person, remote)
    enabled = ["hf", "lfs-enable-largefiles", "."]
    subprocess.run(enabled, cwd=copy.folder, env=person.env, check=True, capture_output=True)
    copy.run("config", "lfs.concurrenttransfers", "2")
    files = {"large.dat": os.urandom(MIB) * 70, "small.dat": b"small" * 100}
    copy.commit(files)
    traced = WorkCopy(person.with_env(GIT_TRACE="1"), copy.folder)
    told = push(traced)
    assert 'adapter "multipart"' in told
    shutil.rmtree(copy.folder / ".git/lfs/objects")
    for name in files:
        (copy.folder / name).unlink()
    copy.run("checkout", "-f")
    assert {name: (copy.folder / name).read_bytes() for name in files} == files

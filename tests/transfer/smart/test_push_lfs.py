# SPDX-License-Identifier: Apache-2.0
"""Large files in pushes, with the real git-lfs: sent, forgotten, or committed as they are."""

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.transfer.smart.native import GitClient, Remote, WorkCopy

pytestmark = pytest.mark.skipif(not shutil.which("git-lfs"), reason="git-lfs is not installed")

MEBIBYTE = 1 << 20


@pytest.fixture
def copy(git: GitClient, remote: Remote) -> WorkCopy:
    """A work copy that hands `*.bin` to git-lfs."""
    git.set_up_lfs()
    copy = git.begin(remote)
    copy.commit({".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    return copy


def test_large_files_are_linked_and_counted(copy: WorkCopy, remote: Remote):
    used = remote.info()["usedStorage"]
    content = os.urandom(3000)
    copy.commit({"weights.bin": content, "small.txt": b"12345"})
    copy.push("--force", "main")
    assert remote.read("weights.bin") == content
    entry = remote.tree()["weights.bin"]
    assert (entry["size"], entry["lfs"]["size"]) == (3000, 3000)
    grown = remote.info()["usedStorage"] - used
    assert grown == 3000 + 5 + len(b"*.bin filter=lfs diff=lfs merge=lfs -text\n")
    listed = remote.call("GET", f"{remote.api}/lfs-files").json()
    assert [(each["filename"], each["ref"]) for each in listed] == [
        ("weights.bin", "refs/heads/main")
    ]


def test_pointers_without_their_files_are_refused_until_these_come(copy: WorkCopy, remote: Remote):
    before = remote.refs()
    content = os.urandom(2000)
    copy.commit({"weights.bin": content})
    forgetful = WorkCopy(copy.git.with_env(GIT_LFS_SKIP_PUSH="1"), copy.folder)
    refused = forgetful.refused("--force", "main")
    assert "[remote rejected] main -> main (pre-receive hook declined)" in refused.err
    assert "1 LFS file(s) are missing on the hub" in refused.remote
    assert "weights.bin (sha256 " in refused.remote
    assert remote.refs() == before
    command = re.search(r"git (lfs push --all origin)", refused.remote)
    assert command is not None
    copy.run(*command[1].split())
    forgetful.push("--force", "main")
    assert remote.read("weights.bin") == content


def test_a_pointer_with_a_wrong_size_is_refused(copy: WorkCopy, remote: Remote):
    content = os.urandom(2000)
    copy.commit({"weights.bin": content})
    copy.push("--force", "main")
    pointer = copy.run("cat-file", "blob", "HEAD:weights.bin").out
    copy.run("rm", "-q", "--cached", ".gitattributes")
    (copy.folder / ".gitattributes").unlink()
    forgetful = WorkCopy(copy.git.with_env(GIT_LFS_SKIP_PUSH="1"), copy.folder)
    forgetful.commit({"weights.bin": pointer.replace("size 2000", "size 2001").encode()})
    refused = forgetful.refused("--force", "main")
    assert "say another size than their file has" in refused.remote
    assert "weights.bin" in refused.remote


def test_a_file_of_somebody_elses_is_not_had_for_its_hash(
    copy: WorkCopy, remote: Remote, git: GitClient
):
    """Bob knows the hash of a private file of alice's, and can write its pointer."""
    remote.call("PUT", f"{remote.api}/settings", json={"private": True}).raise_for_status()
    copy.commit({"weights.bin": os.urandom(2000)})
    copy.push("--force", "main")
    pointer = copy.run("cat-file", "blob", "HEAD:weights.bin").out.encode()
    token = remote.hub.tokens.bob
    name = f"bobs-{remote.path.rpartition('/')[2]}"
    remote.call("POST", "/api/repos/create", token, json={"name": name}).raise_for_status()
    bobs = Remote(remote.hub, f"bob/{name}")
    thief = git.signed_in(token).begin(bobs)
    thief.commit({"weights.bin": pointer})
    assert "are missing on the hub" in thief.refused("--force", "main").remote


def test_a_large_file_in_git_is_refused_and_mended_by_the_command_that_is_told(
    copy: WorkCopy, remote: Remote
):
    before = remote.refs()
    content = os.urandom(MEBIBYTE) * 11
    copy.commit({"big file.dat": content, "notes.txt": b"1"}, "a large file")
    refused = copy.refused("--force", "main")
    assert "big file.dat has 11 MiB; files over 10 MiB go through git-lfs" in refused.remote
    assert remote.refs() == before
    line = next(line for line in refused.remote.splitlines() if "git lfs migrate" in line)
    for command in line.split("&&"):
        copy.run(*shlex.split(command)[1:])
    copy.push("--force", "main")
    assert remote.tree()["big file.dat"]["lfs"]["size"] == 11 * MEBIBYTE
    assert remote.read("big file.dat") == content


def test_a_file_that_the_api_brought_is_in_a_push_already(
    copy: WorkCopy, remote: Remote, tmp_path: Path
):
    """Its pointer is enough: the repository holds the file."""
    content = os.urandom(5000)
    copy.commit({"weights.bin": content})
    copy.push("--force", "main")
    forgetful = WorkCopy(copy.git.with_env(GIT_LFS_SKIP_PUSH="1"), copy.folder)
    forgetful.commit({"again.bin": content})
    used = remote.info()["usedStorage"]
    forgetful.push("main")
    assert remote.read("again.bin") == content
    assert remote.info()["usedStorage"] == used

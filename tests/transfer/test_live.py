# SPDX-License-Identifier: Apache-2.0
"""Large files through the real server: the stock client, git-lfs, and connections that break."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import insert, select

from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.db.tables import accounts, repos
from hubkeep.kit.ids import new_id
from tests.harness.hub import LiveHub

STOCK_UPLOAD = """
import sys
from huggingface_hub import CommitOperationAdd
from huggingface_hub.lfs import lfs_upload, post_lfs_batch_info
repo, *paths = sys.argv[1:]
files = {}
for path in paths:
    added = CommitOperationAdd(path, path)
    files[added.upload_info.sha256.hex()] = added
actions, errors, transfer = post_lfs_batch_info(
    [added.upload_info for added in files.values()], token=None, repo_type="model", repo_id=repo
)
assert not errors, errors
for action in actions:
    lfs_upload(files[action["oid"]], action)
print(transfer, sum("actions" in action for action in actions))
"""


@pytest.fixture
def repo(live_hub: LiveHub, request: pytest.FixtureRequest) -> str:
    """A repository of alice's, for one test alone."""
    path = f"alice/{request.node.name.replace('_', '-')}"
    with closing(Database(Config(data=live_hub.data).database)) as db:

        def work(conn) -> None:
            alice = conn.execute(select(accounts.c.id).where(accounts.c.name == "alice"))
            conn.execute(
                insert(repos).values(
                    public_id=new_id(),
                    type="model",
                    owner_id=alice.scalar_one(),
                    path=path,
                    path_key=path,
                    private=True,
                    created_at=0,
                    last_modified=0,
                )
            )

        db.write_now(work)
    return path


@pytest.fixture
def client(live_hub: LiveHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=live_hub.url, timeout=60) as client:
        yield client


def batch(client: httpx2.Client, hub: LiveHub, repo: str, content: bytes, **more: object) -> dict:
    """The batch answer's object for one file."""
    oid = hashlib.sha256(content).hexdigest()
    body = {"operation": "upload", "objects": [{"oid": oid, "size": len(content)}], **more}
    answer = client.post(
        f"/{repo}.git/info/lfs/objects/batch",
        json=body,
        headers={"Authorization": f"Bearer {hub.token}"},
    )
    return answer.raise_for_status().json()["objects"][0]


def test_the_stock_client_sends_files_whole_and_in_parts(
    live_hub: LiveHub, repo: str, client: httpx2.Client, tmp_path: Path
):
    small, large = os.urandom(1000), os.urandom(1 << 20) * 70
    for name, content in (("small", small), ("large", large)):
        (tmp_path / name).write_bytes(content)

    def upload() -> str:
        command = [sys.executable, "-c", STOCK_UPLOAD, repo, "small", "large"]
        done = subprocess.run(
            command, cwd=tmp_path, env=live_hub.client_env, check=True, capture_output=True
        )
        return done.stdout.decode().strip()

    assert upload() == "multipart 2"
    assert upload() == "basic 0"
    for content in (small, large):
        found = batch(client, live_hub, repo, content, operation="download")
        href = found["actions"]["download"]["href"]
        whole = client.get(href)
        part = client.get(href, headers={"Range": "bytes=500-"})
        assert (whole.status_code, whole.content == content) == (200, True)
        assert (part.status_code, part.content == content[500:]) == (206, True)


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_git_lfs_pushes_and_pulls(live_hub: LiveHub, repo: str, tmp_path: Path):
    parts = urlsplit(live_hub.url)
    url = f"http://alice:{live_hub.token}@{parts.netloc}/{repo}.git"
    content = os.urandom(1 << 20)
    env = {
        **os.environ,
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }

    def git(folder: str, *words: str) -> None:
        subprocess.run(["git", *words], cwd=tmp_path / folder, env=env, check=True)

    git("", "config", "--global", "user.email", "alice@example.org")
    git("", "config", "--global", "user.name", "Alice")
    git("", "lfs", "install")
    git("", "init", "-q", "here")
    git("here", "lfs", "track", "*.bin")
    (tmp_path / "here" / "a.bin").write_bytes(content)
    git("here", "add", ".")
    git("here", "commit", "-qm", "A file")
    git("here", "remote", "add", "origin", url)
    git("here", "lfs", "push", "--object-id", "origin", hashlib.sha256(content).hexdigest())
    git("", "clone", "-q", "here", "there")
    git("there", "remote", "set-url", "origin", url)
    git("there", "lfs", "pull")

    assert (tmp_path / "there" / "a.bin").read_bytes() == content


@pytest.mark.parametrize("cut", [0, 1, 100_000, 299_999])
def test_a_connection_cut_at_any_byte_leaves_nothing(
    live_hub: LiveHub, repo: str, client: httpx2.Client, cut: int
):
    content = os.urandom(300_000)
    href = urlsplit(batch(client, live_hub, repo, content)["actions"]["upload"]["href"])
    with socket.create_connection((href.hostname, href.port)) as raw:
        head = f"PUT {href.path} HTTP/1.1\r\nHost: {href.netloc}\r\nContent-Length: 300000\r\n\r\n"
        raw.sendall(head.encode() + content[:cut])

    assert "upload" in batch(client, live_hub, repo, content)["actions"]
    found = batch(client, live_hub, repo, content, operation="download")
    assert found["error"]["code"] == 404
    assert client.put(href.geturl(), content=content).status_code == 200


def test_a_refusal_is_read_although_the_body_was_not(
    live_hub: LiveHub, repo: str, client: httpx2.Client
):
    content = os.urandom(1000)
    href = batch(client, live_hub, repo, content)["actions"]["upload"]["href"]

    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield bytes(1 << 20)

    answer = client.put(href, content=pieces(), headers={"Content-Length": str(100 << 20)})

    assert answer.status_code == 400
    assert "size" in answer.json()["error"]


STOCK_DELETION = """
from huggingface_hub import HfApi
from huggingface_hub.errors import EntryNotFoundError
api, repo = HfApi(), "alice/cleaned"
api.create_repo(repo)
for name in ("a.bin", "b.txt", "c.bin"):
    api.upload_file(path_or_fileobj=name.encode(), path_in_repo=name, repo_id=repo)
api.create_branch(repo, branch="side")
api.upload_file(path_or_fileobj=b"side", path_in_repo="d.bin", repo_id=repo, revision="side")
listed = list(api.list_lfs_files(repo))
assert {one.filename for one in listed} == {"a.bin", "c.bin", "d.bin"}, listed
on_main = [one for one in listed if one.ref in ("main", "refs/heads/main")]
assert len(on_main) == 2
api.permanently_delete_lfs_files(repo, on_main)
assert [one.filename for one in api.list_lfs_files(repo)] == ["d.bin"]
assert set(api.list_repo_files(repo)) == {".gitattributes", "b.txt"}
assert set(api.list_repo_files(repo, revision="side")) == {".gitattributes", "b.txt", "d.bin"}
info = api.repo_info(repo, files_metadata=True)
assert {one.rfilename for one in info.siblings} == {".gitattributes", "b.txt"}
assert len(api.list_repo_commits(repo)) == 4
try:
    api.hf_hub_download(repo, "a.bin")
except EntryNotFoundError:
    pass
else:
    raise AssertionError("a.bin is still there")
with open(api.hf_hub_download(repo, "d.bin", revision="side"), "rb") as file:
    assert file.read() == b"side"
"""


def test_the_stock_client_deletes_files_for_good(live_hub: LiveHub, tmp_path: Path):
    command = [sys.executable, "-c", STOCK_DELETION]
    subprocess.run(command, cwd=tmp_path, env=live_hub.client_env, check=True)

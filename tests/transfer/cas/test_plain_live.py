# SPDX-License-Identifier: Apache-2.0
"""Files that are stored as chunks, from a real server to curl: in full, in bounded memory, cut."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from bench.processes import family
from hubkeep.xet.chunks import Scheme
from tests.harness.hub import LiveHub, running_hub, seed_folder
from tests.transfer.cas.live import live_shelf, make_repo
from tests.transfer.cas.plainly import damaged_at, named, repeated
from tests.transfer.cas.shelf import Shelf
from tests.transfer.cas.stored import key_of

CURL = ("curl", "--silent", "--show-error", "--noproxy", "*", "--fail")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A hub of its own: nobody else makes it take memory."""
    data = tmp_path_factory.mktemp("plain") / "hub"
    seed_folder(data)
    with running_hub(data, "--no-job-worker") as hub:
        make_repo(hub, "m")
        yield hub


@pytest.fixture
def shelf(hub: LiveHub) -> Iterator[Shelf]:
    with live_shelf(hub) as shelf:
        yield shelf


def address(hub: LiveHub, said: dict[str, object]) -> str:
    """Where git-lfs gets a file that a batch names so."""
    body = {"operation": "download", "objects": [said], "hash_algo": "sha256"}
    answer = httpx.post(f"{hub.url}/alice/m.git/info/lfs/objects/batch", json=body).json()
    return answer["objects"][0]["actions"]["download"]["href"]


def most_memory(hub: LiveHub) -> int:
    """The most bytes that each of the server's processes has had, in all."""
    total = 0
    for pid in family(hub.process.pid):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                total += int(line.split()[1]) << 10
    return total


@pytest.mark.parametrize("scheme", [Scheme.NONE, Scheme.LZ4])
def test_a_gigabyte_takes_no_memory(hub: LiveHub, shelf: Shelf, scheme: Scheme):
    chunk = os.urandom if scheme is Scheme.NONE else bytes
    xorb = shelf.xorb([chunk(1 << 17) for _ in range(256)], scheme)
    said = repeated(shelf, "alice/m", xorb, 32)
    assert said["size"] == 1 << 30
    url = address(hub, said)
    before = most_memory(hub)
    with subprocess.Popen([*CURL, url], stdout=subprocess.PIPE) as curl:
        assert curl.stdout is not None
        assert hashlib.file_digest(curl.stdout, "sha256").hexdigest() == said["oid"]
    assert curl.returncode == 0
    assert most_memory(hub) - before < 32 << 20


def test_a_client_that_takes_nothing_is_not_sent_to(hub: LiveHub, shelf: Shelf):
    xorb = shelf.xorb([os.urandom(1 << 17) for _ in range(128)], Scheme.NONE)
    url = address(hub, repeated(shelf, "alice/m", xorb, 16))
    before = most_memory(hub)
    with httpx.stream("GET", url) as slow:
        pieces = slow.iter_raw()
        next(pieces)
        for number in range(4):  # meanwhile the hub has time for others
            span = f"{number << 20}-{(64 << 20) - 1}"
            assert len(curl("--range", span, url)) == (64 - number) << 20
        assert most_memory(hub) - before < 32 << 20


def test_what_breaks_on_the_way_is_cut_off(hub: LiveHub, shelf: Shelf):
    stored = [shelf.xorb([os.urandom(1 << 17) for _ in range(64)], Scheme.NONE) for _ in range(2)]
    file = shelf.file("alice/m", [xorb.term(0, 64) for xorb in stored])
    url = address(hub, named(shelf.db, file))
    assert curl(url) == file.content
    os.truncate(hub.data / "blobs" / "blobs" / key_of(stored[1].name), 5 << 20)
    cut = subprocess.run([*CURL, url], capture_output=True, check=False)
    assert cut.returncode == 18  # the transfer was closed before its end
    assert cut.stdout == file.content[: len(cut.stdout)]
    assert damaged_at(shelf, stored[1])
    told = httpx.get(url)
    assert (told.status_code, "damaged" in told.text) == (500, True)
    assert curl("--range", "0-99", url) == file.content[:100]


def test_git_lfs_pulls_a_file_in_chunks(hub: LiveHub, shelf: Shelf, tmp_path: Path):
    stored = shelf.random(4, 5, most=8, size=90_000)
    file = shelf.file("alice/m", [xorb.term(0, len(xorb.chunks)) for xorb in stored])
    said = named(shelf.db, file)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n"
    (tmp_path / "w.bin").write_text(pointer.format(**said))
    (tmp_path / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    env = {**os.environ, "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    for words in (
        ["init", "--quiet"],
        ["lfs", "install", "--local"],
        ["add", "w.bin", ".gitattributes"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "a pointer"],
        ["remote", "add", "origin", f"{hub.url}/alice/m.git"],
        ["lfs", "pull"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "w.bin").read_bytes() == file.content


def curl(*arguments: str) -> bytes:
    return subprocess.run([*CURL, *arguments], capture_output=True, check=True).stdout

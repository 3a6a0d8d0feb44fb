# SPDX-License-Identifier: Apache-2.0
"""A hub whose disk is full: writing is answered 507, reading goes on, and nothing is half there."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from hubkeep.xet.hashes import to_text
from hubkeep.xet.xorb import Scheme, encode_xorb, read_xorb
from tests.clients.wire import ndjson
from tests.harness.hub import ROOT as CHECKOUT
from tests.harness.hub import seed_folder
from tests.harness.world import ALICE
from tests.xet.made import file_of, shard, xorb_block

Upload = Callable[[httpx.Client, bytes], httpx.Response]
MiB = 1 << 20
CHUNK = 64 << 10
DISK = 24 * MiB
# A file system of its own for the hub, seen by nobody else and gone with it.
MOUNT = 'mount -t tmpfs -o size="$1" none "$2" && cp -a "$3/." "$2/" && shift 3 && exec "$@"'
ISOLATED = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"]


def can_mount(disk: Path, seeded: Path) -> bool:
    """Whether this machine lets a process have a file system of its own."""
    if shutil.which("unshare") is None:
        return False
    probe = [*ISOLATED, str(DISK), str(disk), str(seeded), "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small(tmp_path: Path) -> Iterator[httpx.Client]:
    """A hub on a disk of 24 MiB, and a client of alice's."""
    disk, seeded = tmp_path / "disk", tmp_path / "seeded"
    disk.mkdir()
    seed_folder(seeded)
    if not can_mount(disk, seeded):
        pytest.skip("this machine does not let processes mount a file system of their own")
    serve = [sys.executable, "-m", "hubkeep", "serve", "--data", str(disk), "--port", "0", "--json"]
    with subprocess.Popen(
        [*ISOLATED, str(DISK), str(disk), str(seeded), *serve, "--no-job-worker"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "src"), "TMPDIR": str(tmp_path)},
    ) as server:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        headers = {"Authorization": f"Bearer {ALICE}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
            yield client
        server.terminate()


def upload_by_lfs(client: httpx.Client, content: bytes) -> httpx.Response:
    spec = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    body = {"operation": "upload", "objects": [spec]}
    batch = client.post("/alice/m.git/info/lfs/objects/batch", json=body)
    if batch.status_code != 200:
        return batch
    return client.put(batch.json()["objects"][0]["actions"]["upload"]["href"], content=content)


def upload_by_xet(client: httpx.Client, content: bytes) -> httpx.Response:
    got = client.get("/api/models/alice/m/xet-write-token/main").raise_for_status().json()
    headers = {"Authorization": f"Bearer {got['accessToken']}"}
    chunks = (content[at : at + CHUNK] for at in range(0, len(content), CHUNK))
    body = encode_xorb(chunks, Scheme.NONE)
    name, index = read_xorb(body)
    url = f"{got['casUrl']}/v1/xorbs/default/{to_text(name)}"
    sent = client.post(url, content=body, headers=headers)
    if sent.status_code != 200:
        return sent
    file = file_of(name, index, hashlib.sha256(content).digest())
    block = shard([file], [xorb_block(name, index)])
    return client.post(f"{got['casUrl']}/v1/shards", content=block, headers=headers)


def commit_large(client: httpx.Client, path: str, content: bytes) -> httpx.Response:
    oid = hashlib.sha256(content).hexdigest()
    value = {"path": path, "algo": "sha256", "oid": oid, "size": len(content)}
    return client.post("/api/models/alice/m/commit/main", content=ndjson(("lfsFile", value)))


@pytest.mark.parametrize("upload", [upload_by_lfs, upload_by_xet])
def test_writing_is_answered_507_and_reading_goes_on(small: httpx.Client, upload: Upload) -> None:
    small.post("/api/repos/create", json={"name": "m"}).raise_for_status()
    kept = os.urandom(MiB)
    upload(small, kept).raise_for_status()
    commit_large(small, "kept.bin", kept).raise_for_status()
    answers = [upload(small, os.urandom(2 * MiB)) for _ in range(DISK // MiB)]
    full = [answer for answer in answers if answer.status_code != 200]
    assert full
    for answer in full:
        assert answer.status_code == 507, answer.text
        assert "disk is full" in answer.json()["error"]
        assert answer.headers["x-error-message"]
    # What is left goes byte by byte, until not even a row fits.
    for size in (256 << 10, 32 << 10, 4 << 10, 1 << 10):
        while upload(small, os.urandom(size)).status_code == 200:
            pass
    content = ("file", {"path": "a.txt", "content": "x" * 200_000})
    commit = small.post("/api/models/alice/m/commit/main", content=ndjson(content))
    assert commit.status_code in (200, 507), commit.text
    assert small.get("/alice/m/resolve/main/kept.bin").content == kept
    assert small.get("/readyz").status_code == 200
    paths = {entry["path"] for entry in small.get("/api/models/alice/m/tree/main").json()}
    assert paths == {".gitattributes", "kept.bin", *(["a.txt"] if commit.is_success else [])}

# SPDX-License-Identifier: Apache-2.0
"""The `hf` command and curl, as their users type them."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.hub import LiveHub

Hf = Callable[..., str]


def curl(*arguments: str) -> bytes:
    """Run curl without proxies; its standard output."""
    command = ["curl", "--location", "--silent", "--show-error", "--noproxy", "*", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small model on disk."""
    folder = tmp_path / "model"
    (folder / "onnx").mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "onnx" / "model.onnx").write_bytes(os.urandom(150_000))
    return folder


def test_a_model_goes_up_and_comes_down(hf: Hf, repo_id: str, folder: Path, tmp_path: Path) -> None:
    assert "alice" in hf("auth", "whoami")
    hf("repos", "create", repo_id, "--private")
    hf("upload", repo_id, str(folder), ".")
    hf("upload", repo_id, str(folder / "config.json"), "copies/config.json")
    hf("download", repo_id, "--local-dir", str(tmp_path / "down"))
    down = tmp_path / "down"
    assert (down / "copies" / "config.json").read_text() == '{"model_type": "bert"}'
    original = (folder / "onnx" / "model.onnx").read_bytes()
    assert (down / "onnx" / "model.onnx").read_bytes() == original
    assert repo_id in hf("models", "ls", "--author", "alice", "--limit", "100", "--quiet")
    assert json.loads(hf("models", "info", repo_id))["private"] is True
    hf("repos", "branch", "create", repo_id, "dev")
    hf("repos", "tag", "create", repo_id, "v1", "-m", "first")
    assert "v1" in hf("repos", "tag", "list", repo_id)
    hf("repos", "delete-files", repo_id, "copies/*")
    hf("repos", "settings", repo_id, "--public")
    hf("repos", "delete", repo_id, "--yes")
    assert repo_id not in hf("models", "ls", "--author", "alice", "--limit", "100", "--quiet")


def test_curl_reads_parts_and_goes_on(
    hf: Hf, live_hub: LiveHub, repo_id: str, folder: Path, tmp_path: Path
) -> None:
    hf("repos", "create", repo_id)
    hf("upload", repo_id, str(folder), ".")
    content = (folder / "onnx" / "model.onnx").read_bytes()
    url = f"{live_hub.url}/{repo_id}/resolve/main/onnx/model.onnx"
    assert curl(url) == content
    assert curl("--range", "0-0", url) == content[:1]
    assert curl("--range", "149990-", url) == content[149_990:]
    assert curl("--range", "-7", url) == content[-7:]
    assert curl("--range", "100-199", url) == content[100:200]
    beyond = curl("--range", "150000-", "--write-out", "%{http_code}", "--output", "/dev/null", url)
    assert beyond == b"416"
    half = tmp_path / "half.onnx"
    half.write_bytes(content[:70_000])
    curl("--continue-at", "-", "--output", str(half), url)
    assert half.read_bytes() == content
    head = curl("--head", url).decode().lower()
    assert f'x-linked-etag: "{hashlib.sha256(content).hexdigest()}"' in head
    assert f"content-length: {len(content)}" in head
    etag = next(line for line in head.splitlines() if line.startswith("etag:")).partition(":")[2]
    known = ("--header", f"If-None-Match:{etag}", "--write-out", "%{http_code}")
    assert curl(*known, "--output", "/dev/null", url) == b"304"
    changed = ("--header", 'If-Range: "other"', "--range", "0-9")
    assert curl(*changed, url) == content

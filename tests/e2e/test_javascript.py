# SPDX-License-Identifier: Apache-2.0
"""@huggingface/hub on Node, with its defaults: it sends and reads by Xet."""

import io
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, hf_hub_download

from tests.e2e.hub import EndToEndHub, xet_hash

SCRIPT = Path(__file__).with_name("javascript") / "client.js"
SIZE = 3_000_000

Node = Callable[..., Any]


@pytest.fixture
def node() -> Node:
    """Make a call on Node, and return what comes of it."""

    def call(name: str, repo: str, **options: object) -> Any:
        said = json.dumps([name, {"repo": repo, **options}])
        command = ["node", "--no-warnings", SCRIPT, said]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return call


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A file whose bytes are half of them the same, as of tensors."""
    path = tmp_path / "weights.safetensors"
    content = bytearray(os.urandom(SIZE))
    content[1::2] = b"\x3c" * len(content[1::2])
    path.write_bytes(content)
    return path


def test_what_it_sends_by_xet_everybody_reads(
    hub: EndToEndHub, node: Node, weights: Path, cache: Path, tmp_path: Path
) -> None:
    repo = hub.name("javascript")
    node("create", repo, private=True)
    notes = tmp_path / "notes.txt"
    notes.write_text("some notes")
    node("upload", repo, files={"w.safetensors": str(weights), "notes.txt": str(notes)})
    assert xet_hash(repo, "w.safetensors")
    for number in range(2):  # into an empty cache, and once more with an edited copy
        down = hf_hub_download(repo, "w.safetensors", cache_dir=cache / str(number))
        assert Path(down).read_bytes() == weights.read_bytes()
        weights.write_bytes(weights.read_bytes()[:2_000_000] + b"edited")
        node("upload", repo, files={"w.safetensors": str(weights)})
    assert Path(hf_hub_download(repo, "notes.txt", cache_dir=cache)).read_text() == "some notes"
    assert node("list", repo)["w.safetensors"] == xet_hash(repo, "w.safetensors")


def test_with_xet_turned_off_it_sends_whole_files(
    hub: EndToEndHub, node: Node, weights: Path, cache: Path
) -> None:
    repo = HfApi().create_repo(hub.name("javascript-lfs")).repo_id
    node("upload", repo, files={"w.safetensors": str(weights)}, useXet=False)
    assert xet_hash(repo, "w.safetensors") is None
    down = hf_hub_download(repo, "w.safetensors", cache_dir=cache)
    assert Path(down).read_bytes() == weights.read_bytes()


@pytest.mark.parametrize("way", ["xet", "lfs"])
@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_it_reads_what_others_have_sent(
    hub: EndToEndHub, node: Node, weights: Path, tmp_path: Path, way: str, kind: str
) -> None:
    content = weights.read_bytes()
    repo = HfApi().create_repo(hub.name("read"), repo_type=kind, private=True).repo_id
    source = weights if way == "xet" else io.BytesIO(content)
    HfApi().upload_file(
        path_or_fileobj=source, path_in_repo="w.safetensors", repo_id=repo, repo_type=kind
    )
    assert bool(xet_hash(repo, "w.safetensors", kind)) == (way == "xet")
    name, into = repo if kind == "model" else f"datasets/{repo}", tmp_path / "down"
    of_file = {"path": "w.safetensors", "into": str(into)}
    for options in ({}, {"xet": False}):
        assert node("download", name, **of_file, **options) == SIZE
        assert into.read_bytes() == content
        for start, end in ((0, 1), (70_000, 1_500_000), (SIZE - 5, SIZE)):
            node("download", name, **of_file, **options, start=start, end=end)
            assert into.read_bytes() == content[start:end]
    info = node("info", name, path="w.safetensors")
    assert (info["size"], info["xet"]) == (SIZE, xet_hash(repo, "w.safetensors", kind))
    assert node("info", name, path="no.bin") is None

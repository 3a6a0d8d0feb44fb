# SPDX-License-Identifier: Apache-2.0
import time

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubkeep.cards.facts import Facts, FileAtHead, describe
from hubkeep.cards.front_matter import split_front_matter
from hubkeep.cards.headers import FileHeader


def files(*paths: str) -> list[FileAtHead]:
    return [FileAtHead(path, 1) for path in paths]


def model(card=None, paths=(), config=None, headers=None, **more) -> Facts:
    return describe("model", card or {}, files(*paths), config, headers or {}, **more)


def weights(**parameters: int) -> FileHeader:
    return FileHeader("safetensors", parameters=parameters, total=sum(parameters.values()))


BERT = """---
language: en
tags:
- exbert
license: apache-2.0
datasets:
- bookcorpus
- wikipedia
---

# BERT base model (uncased)

Introduced in [this paper](https://arxiv.org/abs/1810.04805v2) and first released
in <a href="https://github.com/google-research/bert">this repository</a>.
"""


def test_the_tags_of_a_well_known_model():
    matter = split_front_matter(BERT)
    names = "pytorch_model.bin tf_model.h5 flax_model.msgpack rust_model.ot model.onnx"
    facts = model(
        matter.data,
        ["config.json", *names.split(), "model.safetensors", "coreml/fill-mask/m.mlpackage/x"],
        {"architectures": ["BertForMaskedLM"], "model_type": "bert"},
        body=matter.body,
    )
    assert facts.tags == [
        *("transformers", "pytorch", "tf", "jax", "rust", "coreml", "onnx", "safetensors", "bert"),
        *("fill-mask", "exbert", "en", "dataset:bookcorpus", "dataset:wikipedia"),
        *("arxiv:1810.04805", "license:apache-2.0", "region:us"),
    ]
    assert (facts.library_name, facts.pipeline_tag) == ("transformers", "fill-mask")
    assert facts.description == (
        "BERT base model (uncased) Introduced in this paper and first released in this repository."
    )


def test_the_tags_of_a_quantised_chat_model():
    card = {
        "base_model": "meta-llama/Llama-3.1-8B-Instruct",
        "license": "llama3.1",
        "language": ["en", "de"],
        "tags": ["facebook", "llama-3"],
        "co2_eq_emissions": "0.5 kg",
        "model-index": [{"name": "x", "results": []}],
    }
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "auto_map": {"AutoModel": "modeling.X"},
        "quantization_config": {"quant_method": "GPTQ", "bits": 4, "group_size": 128},
    }
    facts = model(
        card,
        ["config.json", "model.safetensors"],
        config,
        tokenizer_config={"eos_token": {"content": "<|eot|>"}, "chat_template": "{{ x }}"},
    )
    parent = "meta-llama/Llama-3.1-8B-Instruct"
    assert facts.tags == [
        *("transformers", "safetensors", "llama", "text-generation", "facebook", "llama-3"),
        *("conversational", "en", "de", f"base_model:{parent}", f"base_model:quantized:{parent}"),
        *("license:llama3.1", "model-index", "co2_eq_emissions"),
        *("custom_code", "4-bit", "gptq", "region:us"),
    ]
    assert facts.emissions_grams == 500.0
    assert facts.config == {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "auto_map": {"AutoModel": "modeling.X"},
        "quantization_config": {"quant_method": "gptq", "bits": 4},
        "tokenizer_config": {"eos_token": "<|eot|>", "chat_template": "{{ x }}"},
    }


@pytest.mark.parametrize(
    ("card", "paths", "config", "library", "task"),
    [
        ({"library_name": "timm"}, [], {}, "timm", "image-classification"),
        ({"tags": ["spacy"]}, ["config.json"], {"model_type": "x"}, "spacy",
         "token-classification"),
        ({}, ["a.nemo"], {}, "nemo", None),
        ({"tags": ["lora"]}, ["model_index.json"], {}, "diffusers", "text-to-image"),
        ({"tags": ["diffusers:DDPMPipeline"]}, ["model_index.json"], {}, "diffusers",
         "unconditional-image-generation"),
        ({}, ["adapter_config.json"], {}, "peft", None),
        ({}, ["config_sentence_transformers.json"], {"architectures": ["BertModel"]},
         "sentence-transformers", "feature-extraction"),
        ({}, ["config_sentence_transformers.json"], {}, "sentence-transformers",
         "sentence-similarity"),
        ({}, ["config.json"], {"model_type": "x"}, "transformers", None),
        ({}, ["config.json"], {}, None, None),
        ({}, ["q4.gguf"], {}, "gguf", None),
        ({"tags": ["text-to-speech"]}, [], {}, None, "text-to-speech"),
        ({"pipeline_tag": "my-own"}, [], {}, None, "my-own"),
        ({}, ["config.json"], {"architectures": ["WhisperForConditionalGeneration"]},
         "transformers", "automatic-speech-recognition"),
        ({}, ["config.json"], {"architectures": ["Qwen2VLForConditionalGeneration"]},
         "transformers", "image-text-to-text"),
        ({}, ["config.json"], {"architectures": ["T5ForConditionalGeneration"]},
         "transformers", "text2text-generation"),
        ({}, ["config.json"], {"architectures": ["HubertForSequenceClassification"]},
         "transformers", "audio-classification"),
        ({}, ["config.json"], {"architectures": ["GPT2LMHeadModel"]},
         "transformers", "text-generation"),
    ],
)  # fmt: skip
def test_library_and_task_are_inferred(card, paths, config, library, task):
    facts = model(card, paths, config)
    assert (facts.library_name, facts.pipeline_tag) == (library, task)


def test_weights_in_folders_do_not_name_a_framework():
    facts = model({}, ["unet/pytorch_model.bin", "checkpoint-5/tf_model.h5", "x/y.safetensors"])
    assert facts.tags == ["safetensors", "region:us"]


def test_parameters_of_one_file_before_all_others():
    headers = {"model.safetensors": weights(F32=3), "other.safetensors": weights(F32=5)}
    facts = model(paths=headers, headers=headers)
    assert facts.num_parameters == 3


def test_parameters_are_summed_over_shards():
    headers = {
        "consolidated-00001-of-00001.safetensors": weights(F16=100),
        "model-00001-of-00002.safetensors": weights(F16=1, F32=2),
        "model-00002-of-00002.safetensors": weights(F16=4),
        "sub/model.safetensors": weights(F32=50),
    }
    facts = model(paths=headers, headers=headers)
    assert facts.safetensors is not None
    assert facts.safetensors.parameters == {"F16": 5, "F32": 2}
    assert facts.safetensors.total == 7


@pytest.mark.parametrize(
    "headers",
    [
        {"model-00001-of-00002.safetensors": weights(F16=1)},
        {"model-00001-of-99999.safetensors": weights(F16=1)},
        {"model.safetensors": FileHeader("safetensors", error="bad")},
        {"a.safetensors": weights(F32=1), "b.safetensors": FileHeader("safetensors", error="x")},
        {"sub/model.safetensors": weights(F32=1)},
    ],
)
def test_no_count_rather_than_a_wrong_one(headers):
    assert model(paths=headers, headers=headers).safetensors is None


def test_the_gguf_model_of_a_repository():
    first = FileHeader("gguf", {"Q4_K": 7}, 7, "llama", 8192, "Q4_K_M", "{{ x }}", "<s>", "</s>")
    headers = {
        "a-mmproj.gguf": FileHeader("gguf", total=1),
        "b-bad.gguf": FileHeader("gguf", error="bad"),
        "m-00001-of-00002.gguf": first,
        "m-00002-of-00002.gguf": FileHeader("gguf", {"Q4_K": 5}, 5),
    }
    facts = model({"pipeline_tag": "text-generation"}, headers, headers=headers)
    assert facts.gguf is not None
    assert (facts.gguf.total, facts.gguf.architecture) == (12, "llama")
    assert facts.gguf.context_length == 8192
    assert facts.num_parameters == 12
    assert "conversational" in facts.tags


def test_a_dataset():
    card = {
        "task_categories": ["question-answering"],
        "language": ["en"],
        "license": "mit",
        "pretty_name": "My set",
        "tags": ["medical"],
        "dataset_info": {
            "features": [{"name": "q", "dtype": "string"}, {"name": "n", "dtype": "int64"}],
            "splits": [{"name": "train", "num_examples": 900}, {"num_examples": 300}],
        },
    }
    paths = files("README.md", "data/train-0.parquet", "data/train-1.parquet", "x/metadata.csv")
    facts = describe("dataset", card, paths, None, {}, body="Text, arXiv:2009.03300.")
    assert facts.tags == [
        *("task_categories:question-answering", "language:en", "license:mit"),
        *("size_categories:1K<n<10K", "format:parquet", "modality:tabular", "modality:text"),
        *("arxiv:2009.03300", "medical", "region:us"),
    ]
    assert facts.pretty_name == "My set"
    assert facts.description == "Text, arXiv:2009.03300."


@pytest.mark.parametrize(
    ("paths", "kind"),
    [
        (["a.jpg", "b.png", "metadata.csv"], "imagefolder"),
        (["a.wav"], "audiofolder"),
        (["a.jsonl"], "json"),
        (["a.tar"], "webdataset"),
        (["dataset_infos.json", "script.py"], None),
    ],
)
def test_formats_of_datasets(paths, kind):
    assert describe("dataset", {}, files(*paths), None, {}).file_format == kind


def test_a_space():
    card = {
        "title": "A\u202etitle\n",
        "emoji": "🎁",
        "colorFrom": "red",
        "tags": ["demo"],
        "sdk": "static",
        "sdk_version": 4.1,
        "app_file": "index.html",
        "models": ["gpt2"],
    }
    facts = describe("space", card, files("index.html"), None, {})
    assert facts.tags == ["static", "demo", "region:us"]
    assert (facts.sdk, facts.sdk_version, facts.app_file) == ("static", "4.1", "index.html")
    assert (facts.title, facts.emoji, facts.color_from) == ("Atitle", "🎁", "red")
    assert facts.models == ["gpt2"]


def test_a_broken_card_leaves_what_the_files_say():
    matter = split_front_matter("---\na: [\n---\ntext")
    facts = describe(
        "model", matter.data, files("config.json"), {"model_type": "t5"}, {}, matter.error
    )
    assert facts.card_data is None
    assert facts.card_error is not None
    assert facts.tags == ["transformers", "t5", "region:us"]


def test_everything_is_bounded_and_clean():
    card = {"tags": [f"t{n}" for n in range(10_000)], "license": "x" * 10_000, "title": "a\0b"}
    facts = model(card)
    assert len(facts.tags) == 500
    assert facts.tags[-1] == "region:us"
    assert all(len(tag) <= 256 and tag.isprintable() for tag in facts.tags)
    assert facts.license == "x" * 256


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = (
    "license tags language base_model base_model_relation model-index library_name pipeline_tag "
    "datasets metrics co2_eq_emissions sdk title emoji models task_categories dataset_info "
    "size_categories architectures model_type auto_map quantization_config tokenizer_config "
    "bos_token chat_template features splits"
)
CARDS = st.dictionaries(st.sampled_from(NAMES.split()), JSONISH, max_size=6)
SOME_PATHS = (
    "config.json adapter_config.json model.safetensors model-00001-of-00001.safetensors a.gguf "
    "a-00001-of-00002.gguf x/y.parquet a.png /"
)
PATHS = st.lists(st.sampled_from(SOME_PATHS.split()))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(["model", "dataset", "space", "kernel"]), CARDS, PATHS, CARDS, st.text())
def test_any_card_is_described_and_can_be_stored(repo_type, card, paths, config, body):
    headers = {path: weights(F32=1) for path in paths}
    facts = describe(
        repo_type, card, files(*paths), config, headers, body=body, tokenizer_config=config
    )
    assert facts.tags[-1] == "region:us"
    indexed = msgspec.structs.replace(facts, card_data=None, model_index=None)
    stored = msgspec.json.encode(indexed)
    assert msgspec.json.decode(stored, type=Facts) == indexed
    assert b"\\u0000" not in stored


def test_a_typical_card_takes_less_than_two_milliseconds():
    readme = BERT + "Some text about the model, with a [link](https://example.org).\n" * 200
    paths = files("config.json", *(f"model-{n}.bin" for n in range(30)))

    def once() -> float:
        start = time.perf_counter()
        matter = split_front_matter(readme)
        describe("model", matter.data, paths, {"model_type": "bert"}, {}, body=matter.body)
        return time.perf_counter() - start

    assert min(once() for _ in range(30)) < 0.002

# SPDX-License-Identifier: Apache-2.0
import pytest

from hubkeep.cards.base_models import MAX_BASE_MODELS, base_models, is_repo_id


def relations(card, **more):
    return [(parent.id, parent.relation) for parent in base_models(card, **more)]


@pytest.mark.parametrize(
    ("card", "paths", "relation"),
    [
        ({}, [], "finetune"),
        ({"base_model_relation": "quantized"}, [], "quantized"),
        ({"base_model_relation": "nonsense", "library_name": "peft"}, [], "adapter"),
        ({"library_name": "peft"}, [], "adapter"),
        ({}, ["adapter_config.json"], "adapter"),
        ({"tags": ["lora"]}, [], "adapter"),
        ({}, ["model-Q4_K_M.gguf"], "quantized"),
        ({"tags": ["GPTQ"]}, [], "quantized"),
        ({"tags": "mergekit"}, [], "merge"),
        ({"tags": ["merge", "gguf"]}, [], "quantized"),
    ],
)
def test_the_relation_is_stated_or_follows(card, paths, relation):
    assert relations({**card, "base_model": "a/b"}, paths=paths) == [("a/b", relation)]


def test_a_quantised_configuration_means_quantized():
    config = {"quantization_config": {"quant_method": "awq"}}
    assert relations({"base_model": "a/b"}, config=config) == [("a/b", "quantized")]


def test_several_parents_are_a_merge():
    assert relations({"base_model": ["a/b", "c/d"]}) == [("a/b", "merge"), ("c/d", "merge")]


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        ("gpt2", ["gpt2"]),
        ("https://huggingface.co/a/b", ["a/b"]),
        (["a/b", "a/b"], ["a/b"]),
        (["me/this", "ME/This", "a/b"], ["a/b"]),
        (["", None, 3.5, {"x": 1}, "a/b/c", "../x", "a b", "./x", "a/-b"], ["3.5"]),
        (None, []),
        ({"a": "b"}, []),
    ],
)
def test_only_ids_of_others_are_kept(written, ids):
    found = base_models({"base_model": written}, own_id="me/this")
    assert [parent.id for parent in found] == ids


def test_their_number_is_bounded():
    found = base_models({"base_model": [f"a/m{n}" for n in range(10_000)]})
    assert len(found) == MAX_BASE_MODELS


@pytest.mark.parametrize("text", ["a/b", "gpt2", "A.b-c_d/0.1-x", "__u__/m", "a" * 96])
def test_ids(text):
    assert is_repo_id(text)


@pytest.mark.parametrize(
    "text", ["", "/", "a/", "a//b", "a--b", "a..b", ".a", "a/b\n", "é/b", "a" * 97]
)
def test_no_ids(text):
    assert not is_repo_id(text)

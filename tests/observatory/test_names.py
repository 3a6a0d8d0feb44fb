# SPDX-License-Identifier: Apache-2.0
"""What names tell of sizes, and what only looks as if they did."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.observatory.names import parameters_of_name


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("meta-llama/Llama-2-7b-hf", 7),
        ("meta-llama/Meta-Llama-3-70B", 70),
        ("Qwen/Qwen1.5-0.5B-Chat", 0.5),
        ("Qwen/Qwen2-72B-Instruct-GPTQ-Int4", 72),
        ("upstage/SOLAR-10.7B-v1.0", 10.7),
        ("tiiuae/falcon-180B", 180),
        ("x/Llama-3.1-405B", 405),
        ("x/deepseek-r1_671b", 671),
        ("mistralai/Mixtral-8x7B-v0.1", 56),
        ("mistralai/Mixtral-8x22B", 176),
        ("TheBloke/openbuddy-mixtral-7bx8-v16.3-32k-GGUF", 56),
        ("x/Yi-2x34B", 68),
        ("x/beyonder-4x7.5b", 30),
        ("x/mistral7b_instruct", 7),
        ("x/gptj6b-sft", 6),
        ("bigscience/bloom-7b1", 7.1),
        ("BlinkDL/rwkv-1b5", 1.5),
        ("TinyLlama/TinyLlama-1.1B-intermediate-step-1431k-3T", 1.1),
        ("x/TinyLlama-1.1B-955k-token-2T", 1.1),
        ("x/mpt-1b-redpajama-200b-hf-style", 1),
        ("x/Sheared-LLaMA-1.3B-50B-tokens", 1.3),
        ("x/internlm2_5-7b-chat-1m", 7),
        ("x/Qwen3-235B-A22B", 235),
        ("x/Llama-2-7b-4bit", 7),
        ("x/airoboros-13b-3.0bpw-h6-exl2", 13),
        ("x/wizard-13b.Q4_0.gguf", 13),
        ("facebook/opt-125m", 0.125),
        ("EleutherAI/pythia-70m-deduped", 0.07),
        ("x/TinyStories-33M", 0.033),
        ("x/SmolLM-135M-8bit", 0.135),
        ("x/wav2vec-350m-to-7b", 7),
        ("x/tiny-.5b", 0.5),
        ("x/llama38b_sft", 8),
        ("x/llama213b", 13),
        ("x/llama65b", 65),
    ],
)
def test_sizes(name: str, billions: float):
    assert parameters_of_name(name) == round(billions * 1e9)


@pytest.mark.parametrize(
    "name",
    [
        "gpt2",
        "x/pretrained-on-300b",
        "x/lm-300b-tokens",
        "x/lm-50b-tokens",
        "x/babylm-100m",
        "x/context-1m",
        "x/whisper-large-4bit",
        "x/whisper-3.0bpw",
        "x/Qwen3-A3B",
        "x/gemma-3n-E2B",
        "x/y34b",
        "7b/model",
        "timm/vit_large_patch14_clip_224.laion2b_ft_in12k",
        "timm/eva02_large.merged2b_ft_inat21",
        "tkcho/brand-e8befc43974222b75b8c890561a49aab",
        "yashss/tuned_6e878407-2323-4bc6-977b-3f3f8853936b",
        "x/ahx-beta-4517b32",
        "x/9bmf8c2",
        "x/8btest",
        "x/gpt2-cc12m",
        "x/OpenLLaMA-Reproduce-436.21B",
        "x/0b",
        "x/00b",
        "x/99999b",
        "x/9000b",
        "x/1.2.b",
        "x/b",
        "x/1\uff13b",
        "",
    ],
)
def test_what_is_no_size(name: str):
    assert parameters_of_name(name) is None


@given(st.text(st.sampled_from("0123456789.xbBmM-_/aAetok") | st.characters(), max_size=120))
def test_any_name_is_taken(name: str):
    size = parameters_of_name(name)
    assert size is None or 0 < size <= 2_000_000_000_000

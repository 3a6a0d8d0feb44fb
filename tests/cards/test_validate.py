# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubkeep.cards.validate import EMPTY, MAX_MESSAGES, validate_card

RESULT = """model-index:
- name: m
  results:
  - task: {type: image-classification}
    dataset: {type: beans, name: Beans}
    metrics: [{type: accuracy, value: 0.9}]"""


def check(block, repo_type="model"):
    return validate_card(f"---\n{block}\n---\n# text", repo_type)


@pytest.mark.parametrize(
    "block",
    [
        "license: mit",
        "license: [mit, apache-2.0]",
        "license: other\nlicense_name: mine\nlicense_link: LICENSE",
        "language: no\ntags: [a]\ndatasets: glue\nmetrics: acc\nlibrary_name: pytorch",
        "language: [en, multilingual, code]\npipeline_tag: text-classification",
        "base_model: [a/b, gpt2]\nbase_model_relation: merge",
        "co2_eq_emissions: {emissions: 1, source: x}",
        "meaning_of_life: 42",
        RESULT,
    ],
)
def test_sound_model_cards(block):
    found = check(block)
    assert (found.errors, found.warnings) == ([], [])


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("license: asdf", '"license" must be one of [apache-2.0, mit, '),
        ("license: [mit, asdf]", '"license[1]" must be one of ['),
        ("license: {a: b}", '"license" must be one of ['),
        ("license: 2", '"license" must be one of ['),
        ("tags: {a: b}", '"tags" must be an array'),
        ("tags: 3", '"tags" must be an array'),
        ("tags: [a, null]", '"tags[1]" must be a string'),
        ("datasets: [1]", '"datasets[0]" must be a string'),
        ("language: english", '"language" with value "english" is not valid. It must be an ISO'),
        ("language: [en, EN]", '"language[1]" with value "EN" is not valid'),
        ("base_model: a b c", '"base_model" with value "a b c" is not valid'),
        ("base_model: {a: b}", '"base_model" must be an array'),
        ("base_model_relation: child", '"base_model_relation" must be one of [finetune'),
        ("pipeline_tag: [x]", '"pipeline_tag" must be a string'),
        ("model-index: x", '"model-index" must be an array'),
        ("model-index: [x]", '"model-index[0]" must be of type object'),
        ("model-index: [{results: []}]", '"model-index[0].name" is required'),
        ("model-index: [{name: m}]", '"model-index[0].results" is required'),
        (RESULT.replace("name: Beans", "nom: x"), '.results[0].dataset.name" is required'),
        (RESULT.replace("value", "v"), '.results[0].metrics[0].value" is required'),
        (RESULT.replace("metrics", "m"), '.results[0].metrics" is required'),
        ("a: [", "Invalid YAML metadata"),
        ("- a", "Invalid YAML metadata"),
    ],
)
def test_errors_of_model_cards(block, message):
    assert message in "\n".join(check(block).errors)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("license: other", '"license_name" is missing'),
        ("pipeline_tag: guess-my-age", "not in the list of tasks"),
        ("datasets: [a b]", "Use the id of a dataset"),
        ("co2_eq_emissions: lots", "cannot be read as an amount"),
    ],
)
def test_warnings_of_model_cards(block, message):
    found = check(block)
    assert found.errors == []
    assert message in "\n".join(found.warnings)


@pytest.mark.parametrize("content", ["", "# title", "---\n---\n", "---\n# nothing\n---\n"])
@pytest.mark.parametrize("repo_type", ["model", "dataset", "space", "kernel"])
def test_a_missing_block_is_a_warning(content, repo_type):
    found = validate_card(content, repo_type)
    assert (found.errors, found.warnings) == ([], [EMPTY])


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("sdk: flask", '"sdk" must be one of [gradio, docker, static, streamlit]'),
        ("colorFrom: mauve", '"colorFrom" must be one of [red, '),
        ("colorTo: [red]", '"colorTo" must be one of [red, '),
        ("emoji: hello", '"emoji" must be an emoji'),
        ("app_file: ../x.py", '"app_file" must be a path within the repository'),
        ("app_port: 70000", '"app_port" must be a valid port'),
        ("pinned: maybe", '"pinned" must be a boolean'),
        ("title: [x]", '"title" must be a string'),
        ("short_description: " + "x" * 61, "less than or equal to 60"),
    ],
)
def test_errors_of_spaces(block, message):
    assert message in "\n".join(check(block, "space").errors)


def test_a_sound_space():
    block = "title: x\nemoji: 🎁\ncolorFrom: red\ncolorTo: blue\nsdk: docker\napp_port: 7860"
    found = check(block + "\npinned: false\nmodels: [gpt2]\nlicense: mit", "space")
    assert (found.errors, found.warnings) == ([], [])


@pytest.mark.parametrize("emoji", ["🎁", "👨‍👩‍👧", "🇳🇴", "1️⃣", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👍🏽"])
def test_emoji(emoji):
    assert check(f"sdk: static\nemoji: {emoji}", "space").errors == []


def test_a_dataset_card():
    block = "language: [en]\ntask_categories: [robot-dancing]\nconfigs: [{config_name: a}, {}]"
    found = check(block, "dataset")
    assert found.errors == ['"configs[1].config_name" is required']
    assert "robot-dancing" in found.warnings[0]


def test_messages_are_bounded():
    found = check(f"tags: [{', '.join(['1'] * 1000)}]")
    assert len(found.errors) == MAX_MESSAGES


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
NAMES = (
    "license tags language base_model model-index configs sdk emoji app_file co2_eq_emissions "
    "colorFrom app_port pipeline_tag datasets short_description"
)
FIELDS = st.sampled_from(NAMES.split())


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(FIELDS, JSONISH), st.sampled_from(["model", "dataset", "space"]))
def test_any_card_is_checked(card, repo_type):
    validate_card(f"---\n{json.dumps(card)}\n---\n", repo_type)

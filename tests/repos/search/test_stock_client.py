# SPDX-License-Identifier: Apache-2.0
"""The stock client's lists, each argument once, against a hub with its own server process."""

import pytest
from huggingface_hub import HfApi

from tests.harness.hub import LiveHub

CARDS = {
    "model": "license: mit\nlanguage: en\npipeline_tag: fill-mask\ndatasets: squad\ntags: [listed]",
    "dataset": "license: mit\nlanguage: en\ntask_categories: [other]\nsize_categories: [n<1K]",
    "space": "sdk: static\ntags: [listed]\nmodels: [alice/listed-model]\ndatasets: [squad]",
}


@pytest.fixture(scope="module")
def api(live_hub: LiveHub) -> HfApi:
    made = HfApi(endpoint=live_hub.url, token=live_hub.token)
    for kind, card in CARDS.items():
        sdk = "static" if kind == "space" else None
        name = f"alice/listed-{kind}"
        made.create_repo(name, repo_type=kind, space_sdk=sdk)
        made.upload_file(
            path_or_fileobj=f"---\n{card}\n---\n".encode(),
            path_in_repo="README.md",
            repo_id=name,
            repo_type=kind,
        )
    return made


@pytest.mark.parametrize(
    "arguments",
    [
        {"filter": "fill-mask"}, {"filter": ["license:mit", "en"]}, {"author": "alice"},
        {"gated": False}, {"trained_dataset": "squad"}, {"search": "LISTED"},
        {"pipeline_tag": "fill-mask"}, {"full": True}, {"cardData": True}, {"fetch_config": True},
        {"expand": ["author", "likes"]}, {"limit": 1},
        *({"sort": sort} for sort in
          ("created_at", "downloads", "last_modified", "likes", "trending_score")),
    ],
)  # fmt: skip
def test_list_models(api: HfApi, arguments):
    found = list(api.list_models(**{"search": "listed-model", **arguments}))
    assert [one.id for one in found] == ["alice/listed-model"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"filter": "license:mit"}, {"dataset_name": "listed"}, {"language": "en"},
        {"task_categories": "other"}, {"size_categories": "n<1K"}, {"gated": False},
        {"full": True}, {"expand": ["description"]}, {"sort": "likes", "limit": 1},
    ],
)  # fmt: skip
def test_list_datasets(api: HfApi, arguments):
    found = list(api.list_datasets(search="listed-dataset", **arguments))
    assert [one.id for one in found] == ["alice/listed-dataset"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"filter": "listed"}, {"models": "alice/listed-model"}, {"datasets": ["squad"]},
        {"linked": True}, {"full": True}, {"expand": ["sdk"]}, {"sort": "created_at", "limit": 1},
    ],
)  # fmt: skip
def test_list_spaces(api: HfApi, arguments):
    found = list(api.list_spaces(search="listed-space", author="alice", **arguments))
    assert [one.id for one in found] == ["alice/listed-space"]


def test_tags_by_type(api: HfApi):
    assert "license:mit" in [tag["id"] for tag in api.get_model_tags()["license"]]
    assert "language:en" in [tag["id"] for tag in api.get_dataset_tags()["language"]]

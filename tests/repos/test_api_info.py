# SPDX-License-Identifier: Apache-2.0
"""What infos say of a repository, on both databases."""

import base64
import json
from typing import get_args

import pytest
from huggingface_hub import hf_api

from hubkeep.cards.base_models import BaseModel
from hubkeep.cards.facts import Facts
from hubkeep.cards.parameters import SafetensorsFacts
from hubkeep.repos.info_fields import EXPANDABLE
from hubkeep.repos.types import RepoType
from tests.repos.world import World

CARD = {"license": "mit", "widget": [{"text": "hi"}], "citation": "me"}
ABOUT = Facts(
    tags=["mit", "t5"],
    license="mit",
    card_data=CARD,
    pipeline_tag="text-generation",
    library_name="transformers",
    base_models=[BaseModel("ada/parent", "finetune")],
    config={"model_type": "t5", "tokenizer_config": {"mask_token": "<m>"}},
    safetensors=SafetensorsFacts({"F32": 5}, 5),
)


def made(world: World, name: str = "m", **files: str) -> None:
    sent = [
        {"path": path, "content": base64.b64encode(text.encode()).decode()}
        for path, text in files.items()
    ]
    answer = world.call("POST", "/api/repos/create", "ada", json={"name": name, "files": sent})
    assert answer.status_code == 200, answer.text


def test_the_info_of_a_model_says_what_its_card_and_files_do(world: World):
    world.repo("ada/m", about=ABOUT, downloads=3, downloads_all=9, likes=2, trending=0.5)
    info = world.call("GET", "/api/models/ada/m").json()
    assert info["id"] == info["modelId"] == "ada/m"
    assert info["author"] == "ada"
    assert (info["private"], info["gated"], info["disabled"]) == (False, False, False)
    assert (info["downloads"], info["likes"]) == (3, 2)
    assert info["tags"] == ["mit", "t5"]
    assert info["cardData"] == CARD
    assert info["safetensors"] == {"parameters": {"F32": 5}, "total": 5}
    assert info["mask_token"] == "<m>"
    assert info["widgetData"] == [{"text": "hi"}]
    assert info["baseModels"] == {"relation": "finetune", "models": [{"id": "ada/parent"}]}
    assert "downloadsAllTime" not in info
    assert "trendingScore" not in info


def test_a_field_that_has_no_value_is_left_out_unless_it_was_asked_for(world: World):
    world.repo("ada/m")
    assert "cardData" not in world.call("GET", "/api/models/ada/m").json()
    info = world.call("GET", "/api/models/ada/m?expand=cardData&expand=runtime").json()
    assert "runtime" in info["error"] or "must be one of" in info["error"]
    info = world.call("GET", "/api/models/ada/m?expand=cardData&expand=evalResults").json()
    assert info.keys() == {"_id", "id", "cardData", "evalResults"}
    assert info["cardData"] is None


@pytest.mark.parametrize("kind", list(RepoType))
def test_every_field_can_be_expanded_by_itself(world: World, kind: RepoType):
    world.repo("ada/m", kind=kind.value, about=ABOUT)
    for field in EXPANDABLE[kind]:
        info = world.call("GET", f"/api/{kind.plural}/ada/m?expand={field}")
        assert info.status_code == 200
        assert info.json().keys() == {"_id", "id", field}


def test_what_can_be_expanded_is_what_the_client_knows_and_how_large_all_are():
    extra = {"gitalyUid", "xetEnabled", "mainSize"}
    for kind, known in (
        (RepoType.MODEL, hf_api.ExpandModelProperty_T),
        (RepoType.DATASET, hf_api.ExpandDatasetProperty_T),
        (RepoType.SPACE, hf_api.ExpandSpaceProperty_T),
    ):
        assert set(EXPANDABLE[kind]) - extra == set(get_args(known)) - extra
        assert extra <= set(EXPANDABLE[kind])


def test_an_unknown_expand_lists_the_known_ones(world: World):
    world.repo("ada/m")
    answer = world.call("GET", "/api/models/ada/m?expand[]=author&expand[]=foo")
    assert answer.status_code == 400
    assert '"expand" must be one of [author, baseModels, ' in answer.json()["error"]
    assert 'expected one of "author"|"baseModels"|' in answer.json()["error"]


@pytest.mark.parametrize("other", ["blobs=true", "securityStatus=true"])
def test_expand_goes_with_nothing_else(world: World, other: str):
    world.repo("ada/m")
    answer = world.call("GET", f"/api/models/ada/m?expand=author&{other}")
    assert answer.status_code == 400
    assert world.call("GET", f"/api/models/ada/m?{other}").status_code == 200


def test_the_security_status_does_not_claim_a_scan(world: World):
    world.repo("ada/m")
    info = world.call("GET", "/api/models/ada/m?securityStatus=true").json()
    assert info["securityRepoStatus"] == {"scansDone": False, "filesWithIssues": []}


def test_siblings_are_the_files_with_their_sizes_where_asked(world: World):
    made(world, **{"a/b.txt": "hello"})
    info = world.call("GET", "/api/models/ada/m").json()
    assert info["siblings"] == [{"rfilename": ".gitattributes"}, {"rfilename": "a/b.txt"}]
    for _ in range(2):  # the second answer comes out of the cache
        info = world.call("GET", "/api/models/ada/m?blobs=true").json()
        assert info["siblings"][1] == {
            "rfilename": "a/b.txt",
            "size": 5,
            "blobId": "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0",
        }


def commit(world: World, path: str, text: str, revision: str = "main") -> str:
    content = base64.b64encode(text.encode()).decode()
    lines = [
        {"key": "header", "value": {"summary": "change"}},
        {"key": "file", "value": {"path": path, "content": content, "encoding": "base64"}},
    ]
    answer = world.call(
        "POST",
        f"/api/models/ada/m/commit/{revision}",
        "ada",
        content="\n".join(map(json.dumps, lines)).encode(),
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["commitOid"]


def test_a_revision_is_described_as_it_was(world: World):
    made(world, **{"README.md": "---\nlicense: mit\n---\n"})
    old = world.call("GET", "/api/models/ada/m").json()
    new = commit(world, "README.md", "---\nlicense: apache-2.0\n---\n")
    commit(world, "more.txt", "x")
    for name, sha in ((old["sha"], old["sha"]), (old["sha"][:8], old["sha"]), (new, new)):
        info = world.call("GET", f"/api/models/ada/m/revision/{name}").json()
        assert info["sha"] == sha
        assert len(info["siblings"]) == 2
    then = world.call("GET", f"/api/models/ada/m/revision/{old['sha']}").json()
    assert then["cardData"] == {"license": "mit"}
    assert "license:mit" in then["tags"]
    for name in ("main", "HEAD", "refs%2Fheads%2Fmain"):
        head = world.call("GET", f"/api/models/ada/m/revision/{name}").json()
        assert head["cardData"] == {"license": "apache-2.0"}
        assert len(head["siblings"]) == 3


def test_a_missing_revision_is_named_as_such(world: World):
    made(world)
    for name in ("nope", "0" * 40, "refs%2Fpr%2F1"):
        answer = world.call("GET", f"/api/models/ada/m/revision/{name}")
        assert answer.status_code == 404
        assert answer.headers["x-error-code"] == "RevisionNotFound"


def test_auth_check_says_what_a_token_may_do(world: World):
    world.repo("ada/m")
    world.token("ada", "reader", "read")
    statuses = [
        world.call("GET", f"/api/models/ada/m/auth-check{what}", who).status_code
        for what in ("", "/write")
        for who in (None, "ben", "reader", "ada")
    ]
    assert statuses == [200, 200, 200, 200, 401, 403, 403, 200]

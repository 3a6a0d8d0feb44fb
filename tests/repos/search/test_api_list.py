# SPDX-License-Identifier: Apache-2.0
"""Lists over HTTP: parameters, pages, links, and who sees what."""

from urllib.parse import parse_qs, urlsplit

import pytest

from hubkeep.cards.base_models import BaseModel
from hubkeep.cards.facts import Facts
from tests.harness.hub import BASE, TestHub
from tests.repos.world import World


@pytest.fixture
def world(hub: TestHub) -> World:
    made = World(hub)
    made.user("ada")
    made.user("ben")
    made.user("boss", is_admin=True)
    made.org("lab", ada="admin", ben="read")
    return made


def ids(world: World, path: str, who: str | None = None) -> list[str]:
    answer = world.call("GET", path, who)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()]


def test_a_private_repository_is_listed_to_who_may_read_it(world: World):
    world.repo("ada/open")
    world.repo("ada/closed", private=True, about=Facts(tags=["secret"]))
    world.repo("lab/closed", private=True)
    seen = {
        None: {"ada/open"},
        "ben": {"ada/open", "lab/closed"},
        "ada": {"ada/open", "ada/closed", "lab/closed"},
        "boss": {"ada/open", "ada/closed", "lab/closed"},
    }
    for who, expected in seen.items():
        assert set(ids(world, "/api/models", who)) == expected
        for query in ("search=closed", "filter=secret", "author=ada"):
            assert set(ids(world, f"/api/models?{query}", who)) <= expected
    assert ids(world, "/api/models?search=clo", "ada") == ["lab/closed", "ada/closed"]
    assert ids(world, "/api/models?author=ADA", "ben") == ["ada/open"]


def test_tags_of_private_repositories_are_nowhere(world: World):
    world.repo("ada/open", about=Facts(tags=["license:mit", "en", "odd"]))
    world.repo("ada/closed", private=True, about=Facts(tags=["license:secret", "en"]))
    found = world.call("GET", "/api/models-tags-by-type", "ada").json()
    assert found["license"] == [{"id": "license:mit", "label": "mit", "type": "license"}]
    assert [tag["id"] for tag in found["language"]] == ["en"]
    assert [tag["id"] for tag in found["other"]] == ["odd"]
    assert "secret" not in str(found)
    assert all(
        tags == [] for tags in world.call("GET", "/api/datasets-tags-by-type").json().values()
    )


def test_the_link_is_absolute_and_keeps_what_was_asked(world: World):
    for number in range(5):
        world.repo(f"ada/bert-{number}", about=Facts(tags=["a b", "en"]), likes=number)
    asked = (
        "search=BERT&filter=a%20b&filter=en&sort=likes&direction=1&limit=2&expand=likes&expand=sha"
    )
    answer = world.call("GET", f"/api/models?{asked}")
    link = answer.links["next"]["url"]
    assert link.startswith(f"{BASE}/api/models?")
    kept = parse_qs(urlsplit(link).query)
    assert kept.pop("cursor")
    assert kept == parse_qs(asked)
    found = [one["likes"] for one in answer.json()]
    while "next" in answer.links:
        answer = world.call("GET", answer.links["next"]["url"])
        found += [one["likes"] for one in answer.json()]
    assert found == [0, 1, 2, 3, 4]
    assert answer.json()[0].keys() == {"_id", "id", "likes", "sha"}


@pytest.mark.parametrize(
    "query",
    [
        "sort=likes30d", "direction=2", "limit=0", "limit=x", "nonsense=1", "expand=nonsense",
        "expand=likes&full=true", "num_parameters=6B", "num_parameters=min:6Q", "inference=cold",
        "gated=perhaps", "cursor=x", "cursor=W10", "cursor=WzEsLTFd", "cursor=WyJhIiwxXQ",
        "cursor=WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTk5OTld", "search=a+b+c+d+e+f+g+h+i+j+k",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_400(world: World, query: str):
    answer = world.call("GET", f"/api/models?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "path", ["models?apps=ollama", "models?expand=siblings", "quicksearch?q=x", "trending"]
)
def test_what_is_not_there_is_501(world: World, path: str):
    answer = world.call("GET", f"/api/{path}")
    assert answer.status_code == 501
    assert answer.headers["X-Error-Code"] == "NotImplemented"


@pytest.mark.parametrize(
    "query",
    [
        "search=%00", "search=%F0%9F%8D%8E", "search=%22%20OR%20%22", "filter=%00", "filter=%22%29",
        "author=%00", "author=nobody", "pipeline_tag=%27", "inference=warm",
        "inference_provider=all", "num_parameters=min:9T,max:1", "num_parameters=max:0",
        "sort=likes&cursor=WzFlMzAwLDFd", "sort=likes&cursor=WzQ2MTE2ODYwMTg0MjczODc5MDQsMV0",
    ],
)  # fmt: skip
def test_what_nothing_fits_is_an_empty_list(world: World, query: str):
    world.repo("ada/m", likes=-(2**31))
    answer = world.call("GET", f"/api/models?{query}")
    assert answer.status_code == 200, answer.text
    if "cursor" not in query:
        assert answer.json() == []


def test_a_bad_token_is_refused(world: World):
    assert world.hub.get("/api/models", token="hf_nobody").status_code == 401


def test_filters_of_each_type(world: World):
    parent = BaseModel(id="hub/base", relation="finetune")
    tags = ["bert", "base_model:hub/base", "base_model:finetune:hub/base", "dataset:squad"]
    about = Facts(tags=tags, pipeline_tag="fill-mask", base_models=[parent], license="mit")
    world.repo("ada/child", about=about, num_parameters=7 * 10**9)
    world.repo("ada/gate", gated="auto")
    world.repo("ada/data", kind="dataset", about=Facts(tags=["language:en", "task_ids:qa"]))
    space = Facts(tags=["gradio"], sdk="gradio", models=["ada/child"], datasets=["ada/data"])
    world.repo("ada/app", kind="space", about=space)
    world.repo("ada/kern", kind="kernel")
    for query in (
        "filter=base_model:finetune:hub/base", "filter=bert,dataset:squad",
        "pipeline_tag=fill-mask", "num_parameters=min:6B,max:128B", "gated=false",
        "search=ada/chi", "filter[]=bert",
    ):  # fmt: skip
        assert ids(world, f"/api/models?{query}") == ["ada/child"], query
    assert ids(world, "/api/models?gated=True") == ["ada/gate"]
    assert ids(world, "/api/datasets?search=ada&search=data&filter=language:en") == ["ada/data"]
    for query in ("models=ada/child", "datasets=ada/data", "linked=true", "filter=gradio"):
        assert ids(world, f"/api/spaces?{query}") == ["ada/app"], query
    assert ids(world, "/api/spaces?models=ada/other") == []
    assert ids(world, "/api/kernels") == ["ada/kern"]


def test_a_deleted_repository_and_a_renamed_one(world: World):
    for name in ("one", "two"):
        body = {"name": name, "type": "model"}
        assert world.call("POST", "/api/repos/create", "ada", body).status_code == 200
    world.call("DELETE", "/api/repos/delete", "ada", {"name": "one", "type": "model"})
    move = {"fromRepo": "ada/two", "toRepo": "ada/three", "type": "model"}
    assert world.call("POST", "/api/repos/move", "ada", move).status_code == 200
    assert ids(world, "/api/models?author=ada") == ["ada/three"]
    assert ids(world, "/api/models?search=two") == []
    assert ids(world, "/api/models?search=thr") == ["ada/three"]
    world.call("PUT", "/api/models/ada/three/settings", "ada", {"private": True})
    assert ids(world, "/api/models?search=thr") == []
    assert ids(world, "/api/models?search=thr", "ada") == ["ada/three"]

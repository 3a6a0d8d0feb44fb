# SPDX-License-Identifier: Apache-2.0
"""What models are made from and what is made from them, and who sees it."""

import pytest

from hubkeep.cards.base_models import BaseModel, Relation
from hubkeep.cards.facts import Facts
from tests.harness.hub import TestHub, on_sqlite
from tests.repos.world import World, secret
from tests.web.html import BROWSER, Element, read_html

pytestmark = on_sqlite


@pytest.fixture
def world(hub: TestHub) -> World:
    made = World(hub)
    made.user("ada")
    made.user("eve")
    return made


def model(
    world: World, path: str, *parents: str, relation: Relation = "finetune", **columns: object
) -> int:
    """Put a model whose card names parents."""
    tags = [tag for one in parents for tag in (f"base_model:{one}", f"base_model:{relation}:{one}")]
    about = Facts(tags=tags, base_models=[BaseModel(one, relation) for one in parents])
    return world.repo(path, about=about, **columns)


def look(world: World, path: str, who: str | None = None) -> Element:
    return read_html(world.hub.get(path, headers=BROWSER, token=secret(who) if who else None))


def family(world: World, path: str, who: str | None = None) -> dict:
    answer = world.hub.get(f"{path}?format=json", token=secret(who) if who else None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def chain(page: dict) -> list[list[tuple[str, str | None]]]:
    return [[(it["id"], it["href"]) for it in one["ancestors"]] for one in page["madeFrom"]]


def test_a_model_says_where_it_comes_from_and_what_comes_from_it(world: World):
    model(world, "ada/oak")
    model(world, "ada/child", "ada/oak")
    model(world, "ada/grandchild", "ada/child", relation="quantized")
    model(world, "ada/lora", "ada/child", relation="adapter")
    seen = look(world, "/ada/child")
    assert seen.link("ada/oak") == "/ada/oak"
    told = family(world, "/ada/child")
    assert {one["name"]: one["count"] for one in told["derived"]} == {
        "Adapters": 1,
        "Quantisations": 1,
    }
    for one in told["derived"]:
        assert len(world.hub.get(f"{one['href']}&format=json").json()["repos"]) == one["count"]
    below = family(world, "/ada/grandchild")
    assert [one["how"] for one in below["madeFrom"]] == ["Quantised from", "Fine-tuned from"]
    assert chain(below) == [[("ada/child", "/ada/child")], [("ada/oak", "/ada/oak")]]


def test_what_is_not_on_this_hub_is_named_without_a_link(world: World):
    model(world, "ada/model", "elsewhere/parent")
    assert chain(family(world, "/ada/model")) == [[("elsewhere/parent", None)]]
    assert "elsewhere/parent" in look(world, "/ada/model").one("ol", class_="ancestors").text


def test_cards_that_name_each_other_in_a_ring_end(world: World):
    model(world, "ada/a", "ada/b")
    model(world, "ada/b", "ada/c")
    model(world, "ada/c", "ada/a")
    assert [one[0][0] for one in chain(family(world, "/ada/a"))] == ["ada/b", "ada/c"]
    model(world, "ada/self", "ada/self")
    assert chain(family(world, "/ada/self")) == []


def test_a_long_line_and_many_parents_are_cut(world: World):
    for number in range(12):
        model(world, f"ada/m{number}", *([f"ada/m{number - 1}"] if number else []))
    assert len(family(world, "/ada/m11")["madeFrom"]) == 6
    model(world, "ada/merge", *(f"ada/m{n}" for n in range(12)), relation="merge")
    (found,) = family(world, "/ada/merge")["madeFrom"]
    assert (len(found["ancestors"]), found["more"]) == (6, 6)
    assert "and 6 more" in look(world, "/ada/merge").text


def test_what_is_private_is_in_no_count_and_in_no_strangers_page(world: World):
    model(world, "ada/secret", private=True)
    model(world, "ada/oak", "ada/secret")
    model(world, "ada/hidden", "ada/oak", private=True)
    for who in (None, "eve"):
        told = family(world, "/ada/oak", who)
        assert told["derived"] == []
        assert chain(told) == [[("ada/secret", None)]]
        shown = family(world, "/ada/oak/derivatives", who)
        assert shown["branches"] == []
        assert "hidden" not in look(world, "/ada/oak/derivatives", who).text
    assert chain(family(world, "/ada/oak", "ada")) == [[("ada/secret", "/ada/secret")]]
    (branch,) = family(world, "/ada/oak/derivatives", "ada")["branches"]
    assert branch["count"] == 0
    assert [one["repo"]["id"] for one in branch["children"]] == ["ada/hidden"]
    assert world.hub.get("/ada/secret/derivatives", headers=BROWSER).status_code == 404


def test_a_model_that_was_renamed_is_still_found_by_what_names_it(world: World):
    model(world, "ada/old")
    model(world, "ada/child", "ada/old")
    body = {"fromRepo": "ada/old", "toRepo": "ada/new", "type": "model"}
    assert world.call("POST", "/api/repos/move", "ada", json=body).status_code == 200
    assert chain(family(world, "/ada/child")) == [[("ada/new", "/ada/new")]]
    assert family(world, "/ada/new")["derived"] == []


def test_the_whole_family_goes_a_level_further(world: World):
    model(world, "ada/oak")
    for number in range(12):
        model(world, f"ada/tune{number}", "ada/oak", downloads=number)
    model(world, "ada/quant", "ada/tune11", relation="quantized")
    (branch,) = family(world, "/ada/oak/derivatives")["branches"]
    assert (branch["name"], branch["count"], len(branch["children"])) == ("Fine-tunes", 12, 10)
    first = branch["children"][0]
    assert first["repo"]["id"] == "ada/tune11"
    assert [(one["name"], one["count"]) for one in first["derived"]] == [("Quantisations", 1)]
    seen = look(world, "/ada/oak/derivatives")
    assert seen.link("All 12 fine-tunes").startswith("/models?filter=")
    assert seen.link("1 quantisation").startswith("/models?filter=")


def test_a_dataset_counts_the_models_that_were_trained_on_it(world: World):
    world.repo("ada/texts", kind="dataset")
    world.repo("ada/model", about=Facts(tags=["dataset:ada/texts"], datasets=["ada/texts"]))
    told = family(world, "/datasets/ada/texts")
    assert [(one["name"], one["count"]) for one in told["derived"]] == [("Models trained on it", 1)]
    assert look(world, "/ada/model").link("ada/texts") == "/datasets/ada/texts"
    (branch,) = family(world, "/datasets/ada/texts/derivatives")["branches"]
    assert [one["repo"]["id"] for one in branch["children"]] == ["ada/model"]


def test_a_space_leads_to_the_models_it_uses(world: World):
    model(world, "ada/model")
    about = Facts(tags=["gradio"], sdk="gradio", models=["ada/model", "else/where"])
    world.repo("ada/app", kind="space", about=about)
    seen = look(world, "/spaces/ada/app")
    assert seen.link("ada/model") == "/ada/model"
    assert "else/where" in seen.text
    assert family(world, "/spaces/ada/app/derivatives")["branches"] == []

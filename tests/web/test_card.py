# SPDX-License-Identifier: Apache-2.0
"""The first page of a repository: its card, what stands beside it, and who sees it."""

import pytest

from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.repos.world import World
from tests.web.html import BROWSER, read_html
from tests.web.shelves import JSON, SCRIPT, page

pytestmark = on_sqlite

CARD = b"""---
license: mit
pipeline_tag: text-classification
library_name: transformers
language: [en, nl]
co2_eq_emissions: 107000
base_model: acme/parent
---
# A *small* model

See [the notes](docs/notes.md) and ![a picture](pictures/one.png).
"""


@pytest.fixture
def world(hub: TestHub) -> World:
    return World(hub)


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    made = Shelf(hub).create()
    assert made.commit({"README.md": CARD}).status_code == 200
    return made


def test_a_card_is_shown_with_its_facts(shelf: Shelf):
    seen = page(shelf, "")
    assert "A small model" in [one.text.removesuffix("#").strip() for one in seen.all("h1")]
    assert seen.link("the notes") == f"{shelf.web}/blob/main/docs/notes.md"
    picture = next(one for one in seen.all("img") if one.attributes["alt"] == "a picture")
    assert picture.attributes["src"] == f"{shelf.web}/preview/main/pictures/one.png"
    facts = {
        name.text: value.text for name, value in zip(seen.all("dt"), seen.all("dd"), strict=True)
    }
    assert facts["Licence"] == "mit"
    assert facts["Languages"] == "en, nl"
    assert "Fine-tuned from acme/parent" in [one.text for one in seen.all("li")]
    assert facts["Emissions"] == "107 kg CO₂e"
    assert "1 000 km in an average new car" in " ".join(one.text for one in seen.all("p"))


def test_what_helps_to_use_it_points_at_this_hub(shelf: Shelf):
    told = {
        one["name"]: one["text"]
        for one in shelf.hub.get(shelf.web, headers=JSON).json()["snippets"]
    }
    assert f'model="{shelf.web[1:]}"' in told["transformers"]
    assert "export HF_ENDPOINT=http://127.0.0.1:8080" in told["hf"]
    assert told["git"] == f"git clone http://127.0.0.1:8080{shelf.web}"


def test_the_data_of_the_page_is_what_it_shows(shelf: Shelf):
    told = shelf.hub.get(f"{shelf.web}?format=json").json()
    assert told["repo"]["id"] == shelf.web[1:]
    assert told["downloads"]["total"] == 0
    assert len(told["downloads"]["byDay"]) == 30
    assert told["mayWrite"] is False
    assert "<em>small</em>" in told["cardHtml"]


@pytest.mark.parametrize(
    "card",
    [
        SCRIPT.encode(),
        f"---\nlicense: '{SCRIPT}'\ntags: ['{SCRIPT}']\n---\n{SCRIPT}".encode(),
        b"---\n[not: yaml\n---\n" + SCRIPT.encode(),
        b"<img src=x onerror=alert(1)>\n\n[x](javascript:alert(1))",
        b"\xff\xfe\x00",
    ],
)
def test_nothing_in_a_card_runs(hub: TestHub, card: bytes):
    made = Shelf(hub).create()
    assert made.commit({"README.md": card}).status_code == 200
    page(made, "")


def test_a_card_that_cannot_be_read_says_so(hub: TestHub):
    made = Shelf(hub).create()
    made.commit({"README.md": b"---\na: [\n---\nstill here\n"})
    seen = page(made, "")
    assert "The card's front matter cannot be read" in seen.text
    assert "still here" in seen.text


def test_an_empty_repository_says_so(hub: TestHub):
    assert "Nothing is here yet" in page(Shelf(hub).create(), "").text


def test_a_repository_without_a_card(hub: TestHub):
    made = Shelf(hub).create()
    made.commit({"notes.txt": b"x"})
    assert "has no card" in page(made, "").text


def test_private_and_missing_pages_look_alike(world: World):
    world.user("ada")
    world.repo("ada/hidden", private=True)
    answers = [world.hub.get(path, headers=BROWSER) for path in ("/ada/hidden", "/ada/nobody")]
    assert [one.status_code for one in answers] == [404, 404]
    assert "www-authenticate" not in answers[0].headers
    texts = [read_html(one, 404).one("main").text for one in answers]
    assert texts[0] == texts[1]

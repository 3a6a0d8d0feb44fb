# SPDX-License-Identifier: Apache-2.0
"""The first page of a repository: its card, what stands beside it, and who sees it."""

from threading import Event

import pytest
from sqlalchemy import insert

from hubkeep.cards.facts import Facts
from hubkeep.db.tables import downloads_daily
from hubkeep.kit.time import day_of
from hubkeep.web import kept, rendered
from hubkeep.web.markdown import Rendered
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
    assert "430 km by car" in " ".join(one.text for one in seen.all("p"))


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


def test_an_empty_repository_tells_who_may_write_how_to_fill_it(hub: TestHub):
    made = Shelf(hub).create()
    assert "git push" not in page(made, "").text
    seen = page(made, "", token=made.token)
    assert "git push" in seen.text
    assert seen.link("Upload files") == f"{made.web}/upload/main"
    assert seen.link("Write a card") == f"{made.web}/new/main?name=README.md"


def test_who_may_write_is_led_to_a_card_that_is_missing_or_wrong(hub: TestHub):
    made = Shelf(hub).create()
    made.commit({"notes.txt": b"x"})
    assert page(made, "", token=made.token).link("Write a card")
    assert not [one for one in page(made, "").all("a") if one.text == "Write a card"]
    made.commit({"README.md": b"---\na: [\n---\n"})
    assert page(made, "", token=made.token).link("edit the card") == (
        f"{made.web}/edit/main/README.md"
    )


def test_a_card_that_is_too_large_is_linked(hub: TestHub):
    made = Shelf(hub).create()
    made.commit({"README.md": b"a line\n\n" * 150_000})
    seen = page(made, "")
    assert "too large to show" in seen.text
    assert seen.link("Read it as it was written") == f"{made.web}/resolve/main/README.md"


def test_a_card_that_takes_long_does_not_keep_its_page_waiting(shelf: Shelf, monkeypatch):
    never = Event()

    def slow(*_: object) -> Rendered:
        never.wait(20)
        return Rendered("<p>at last</p>", [], has_mermaid=False)

    def slow_too(*_: object) -> None:
        never.wait(20)

    monkeypatch.setattr(rendered, "render_markdown", slow)
    monkeypatch.setattr(rendered, "highlight", slow_too)
    monkeypatch.setattr(kept, "PATIENCE", 0.05)
    try:
        seen = page(shelf, "")
        assert "takes long to prepare" in seen.text
        assert "git clone" in seen.text
    finally:
        never.set()
    monkeypatch.setattr(kept, "PATIENCE", 20)
    assert "at last" in page(shelf, "").text


def test_what_was_rendered_once_is_kept_until_the_card_changes(shelf: Shelf, monkeypatch):
    page(shelf, "")
    monkeypatch.setattr(rendered, "render_markdown", None)
    assert "A small model" in page(shelf, "").text
    monkeypatch.undo()
    shelf.commit({"README.md": b"# Another\n"})
    assert "Another" in page(shelf, "").text


def test_states_that_administrators_and_authors_set(world: World):
    world.user("ada")
    world.repo("ada/gated", gated="auto")
    world.repo("ada/closed", disabled=True)
    said = {
        name: read_html(world.hub.get(f"/ada/{name}", headers=BROWSER)).text
        for name in ("gated", "closed")
    }
    assert "This model is gated" in said["gated"]
    assert "This model is disabled" in said["closed"]


def test_an_old_name_leads_to_the_new_one_and_a_deleted_one_nowhere(hub: TestHub):
    made = Shelf(hub).create()
    body = {"fromRepo": "alice/shelf", "toRepo": "alice/rack", "type": "model"}
    assert hub.post("/api/repos/move", token=made.token, json=body).status_code == 200
    moved = hub.get("/alice/shelf", headers=BROWSER)
    assert (moved.status_code, moved.headers["location"]) == (307, "/alice/rack")
    gone = {"name": "rack", "organization": "alice", "type": "model"}
    assert hub.request("DELETE", "/api/repos/delete", token=made.token, json=gone).is_success
    for name in ("shelf", "rack"):
        assert hub.get(f"/alice/{name}", headers=BROWSER).status_code == 404


def test_facts_are_told_in_words_and_lead_on(hub: TestHub):
    made = Shelf(hub).create()
    card = b"""---
license: other
license_name: my-terms
license_link: LICENSE.md
datasets: [nobody/texts]
co2_eq_emissions: {emissions: 2000, source: codecarbon, hardware_used: 8 A100}
model-index:
- name: m
  results:
  - task: {type: text-generation}
    dataset: {name: a set, type: set}
    metrics:
    - {type: accuracy, value: 0.93251}
    - {type: f1, value: [not, a, number]}
  - 7
---
text
"""
    assert made.commit({"README.md": card}).is_success
    seen = page(made, "")
    facts = {one.text: it.text for one, it in zip(seen.all("dt"), seen.all("dd"), strict=True)}
    assert facts["Emissions"] == "2 kg CO₂e"
    assert (facts["Hardware"], facts["Reckoned by"]) == ("8 A100", "codecarbon")
    assert facts["Datasets"] == "nobody/texts"
    assert seen.link("other") == "/models?filter=license%3Aother"
    assert seen.link("my-terms") == f"{made.web}/blob/main/LICENSE.md"
    rows = [one.text for one in seen.one("table", class_="results").all("tr")]
    assert rows == ["Measure Value", "a set text-generation", "accuracy 0.9325"] or rows[1:] == [
        "a set text-generation",
        "accuracy0.9325",
    ]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//evil.example", "data:text/html,x"])
def test_a_licence_leads_nowhere_else(hub: TestHub, link: str):
    made = Shelf(hub).create()
    made.commit({"README.md": f"---\nlicense: other\nlicense_link: '{link}'\n---\nx".encode()})
    seen = page(made, "")
    assert not [one for one in seen.all("a") if "its text" in one.text]


def test_downloads_are_said_in_numbers_too(world: World):
    world.user("ada")
    repo = world.repo("ada/model", downloads=7, downloads_all=1234)
    today = day_of(world.hub.clock())
    rows = [{"repo_id": repo, "day": today - back, "count": n} for back, n in ((0, 2), (3, 5))]
    world.hub.write(lambda conn: conn.execute(insert(downloads_daily), rows))
    seen = read_html(world.hub.get("/ada/model", headers=BROWSER))
    assert "1 234 of all time" in seen.text
    picture = seen.one("svg", role="img")
    assert "most on" in picture.attributes["aria-label"]
    assert picture.attributes["aria-label"].endswith(", 5")
    counts = [one.text for one in seen.all("td", class_="number")]
    assert counts == ["2", "5"]


def test_lines_to_copy_work_for_each_library(world: World):
    world.user("ada")
    for number, library in enumerate(
        ("transformers", "diffusers", "sentence-transformers", "timm", "gguf")
    ):
        about = Facts(tags=[library], library_name=library)
        world.repo(f"ada/m{number}", about=about, private=False)
        told = world.hub.get(f"/ada/m{number}", headers=JSON).json()["snippets"]
        assert told[0]["name"] == library
        compile(told[0]["text"], library, "exec")
        assert 'os.environ["HF_ENDPOINT"] = "http://127.0.0.1:8080"' in told[0]["text"]
        assert [one["name"] for one in told[1:]] == ["hf", "git", "curl"]
    world.repo("ada/data", kind="dataset", gated="auto")
    told = world.hub.get("/datasets/ada/data", headers=JSON).json()["snippets"]
    assert [one["name"] for one in told] == ["datasets", "hf", "git", "curl"]
    assert "$HF_TOKEN" in told[3]["text"]

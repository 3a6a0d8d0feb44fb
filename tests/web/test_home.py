# SPDX-License-Identifier: Apache-2.0
"""The first page: what it shows to whom, and what programs read from it."""

import re

import pytest

from hubkeep.cards.facts import Facts
from tests.harness.hub import BASE, TestHub, on_sqlite
from tests.repos.world import World
from tests.web.html import BROWSER, Element, read_html

pytestmark = on_sqlite


@pytest.fixture
def world(hub: TestHub) -> World:
    made = World(hub)
    known = Facts(tags=["region:us"])
    made.repo("alice/loved", about=known, trending=5.0, downloads=3, created_at=1_000)
    made.repo("alice/used", about=known, trending=1.0, downloads=900, created_at=2_000)
    made.repo("acme/secret-plan", about=known, private=True, trending=9.0, downloads=10**6)
    made.repo("bob/numbers", kind="dataset", about=known, downloads=50, created_at=9_000)
    made.repo("bob/show", kind="space", about=known, created_at=5_000)
    return made


def _home(world: World, who: str | None = None) -> Element:
    return read_html(world.hub.get("/", headers=BROWSER, token=who))


def _shelves(page: Element) -> dict[str, list[str]]:
    return {
        section.one("h2").text: [one.text for one in section.all("a", class_="what")]
        for section in page.one("div", class_="shelves").all("section")
    }


def test_it_shows_what_is_trending_new_and_used(world: World):
    assert _shelves(_home(world)) == {
        "Trending models": ["alice/loved", "alice/used"],
        "Trending datasets": ["bob/numbers"],
        "Trending Spaces": ["bob/show"],
        "New": ["bob/numbers", "bob/show", "alice/used", "alice/loved"],
        "Most downloaded": ["alice/used", "bob/numbers", "alice/loved"],
    }


def test_it_counts_what_is_public(world: World):
    counts = _home(world, world.hub.tokens.alice).one("dl", class_="pairs")
    names, numbers = ([one.text for one in counts.all(tag)] for tag in ("dt", "dd"))
    assert dict(zip(names, numbers, strict=True)) == {"Models": "2", "Datasets": "1", "Spaces": "1"}


def test_who_may_see_what_is_private_finds_it_there(world: World):
    assert _shelves(_home(world, world.hub.tokens.alice))["Trending models"][0] == (
        "acme/secret-plan"
    )
    for who in (None, world.hub.tokens.bob):
        for accept in ("text/html", "application/json"):
            text = world.hub.get("/", headers={"Accept": accept}, token=who).text
            assert "secret-plan" not in text


def test_it_says_how_to_use_the_hub(world: World):
    lines = _home(world).one("aside", class_="facts").one("pre").text
    assert lines == f"export HF_ENDPOINT={BASE} hf download alice/loved"


def test_a_fresh_hub_says_what_to_do_first(hub: TestHub):
    stranger = read_html(hub.get("/", headers=BROWSER))
    assert stranger.one("h1").text == "This hub is empty"
    assert "hubkeep user create alice" in stranger.one("pre").text
    alice = read_html(hub.get("/", headers=BROWSER, token=hub.tokens.alice))
    assert "hf upload alice/my-model ./folder" in alice.one("pre").text
    assert "user create" not in alice.one("pre").text


def test_programs_get_data(world: World):
    for answer in (
        world.hub.get("/", headers={"Accept": "application/json"}),
        world.hub.get("/?format=json", headers=BROWSER),
    ):
        data = answer.json()
        assert data["name"] == "Hubkeep"
        assert data["use"] == f"export HF_ENDPOINT={BASE}"
        assert data["spaces"] == f"{BASE}/api/spaces"
        shown = {one["title"]: [repo["id"] for repo in one["repos"]] for one in data["shelves"]}
        assert shown == _shelves(_home(world))


def test_who_says_nothing_of_what_it_likes_gets_the_page(world: World):
    assert world.hub.get("/", headers={"Accept": "*/*"}).text.startswith("<!doctype html>")


def test_it_leads_to_the_feeds_and_loads_one_script(world: World):
    page = _home(world)
    feeds = [one.attributes["href"] for one in page.all("link", type="application/rss+xml")]
    assert feeds == ["/models/rss.xml", "/datasets/rss.xml", "/spaces/rss.xml"]
    script = page.one("script").attributes["src"]
    parts = re.findall(r'"(/static/js/[^"]+)"', world.hub.get(script).text)
    assert any("suggest" in part for part in parts)
    for part in parts:
        assert world.hub.get(part).headers["content-type"].startswith("text/javascript")


def test_a_parameter_that_is_none_is_named(world: World):
    answer = world.hub.get("/?colour=red", headers=BROWSER)
    assert "Unknown parameter 'colour'" in read_html(answer, 400).one("main").text


@pytest.mark.parametrize(("cookie", "theme"), [("dark", "dark"), ("light", "light"), ("x", None)])
def test_the_theme_is_the_one_that_was_chosen(hub: TestHub, cookie: str, theme: str | None):
    page = read_html(hub.get("/", headers={**BROWSER, "Cookie": f"theme={cookie}"}))
    assert page.one("html").attributes.get("data-theme") == theme

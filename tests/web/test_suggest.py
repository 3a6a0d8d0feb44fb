# SPDX-License-Identifier: Apache-2.0
"""Suggestions while one types, and the list of users and organisations."""

import pytest

from hubkeep.identity import commands
from hubkeep.kit.cursors import encode_cursor
from tests.harness.hub import TestHub, on_sqlite
from tests.repos.world import World
from tests.web.html import BROWSER, read_html

JSON = {"Accept": "application/json"}


@pytest.fixture
def world(hub: TestHub) -> World:
    made = World(hub)
    for number in range(6):
        made.repo(f"alice/bert-{number}", trending=float(number))
    made.repo("acme/bert-secret", private=True, trending=99.0)
    made.repo("bob/bertram", kind="dataset")
    made.repo("bob/albert", kind="space")
    return made


def _suggested(world: World, text: str, who: str | None = None) -> tuple[list[str], list[str]]:
    answer = world.hub.get("/search/suggest", params={"q": text}, headers=JSON, token=who)
    assert answer.status_code == 200, answer.text
    data = answer.json()
    repos = [one["href"] for group in data["repos"] for one in group["found"]]
    return repos, [one["name"] for one in data["people"]]


def test_a_few_of_each_kind_are_suggested(world: World):
    repos, people = _suggested(world, "BERT")
    assert repos == [
        *(f"/alice/bert-{number}" for number in (5, 4, 3, 2)),
        "/datasets/bob/bertram",
        "/spaces/bob/albert",
    ]
    assert people == []
    assert _suggested(world, "alice/bert-3") == (["/alice/bert-3"], [])


def test_people_are_suggested_by_how_their_names_begin(world: World):
    assert _suggested(world, "AL")[1] == ["alice"]
    assert _suggested(world, "lice")[1] == []


def test_only_who_may_see_it_is_told_of_what_is_private(world: World):
    assert _suggested(world, "bert", world.hub.tokens.alice)[0][0] == "/acme/bert-secret"
    for who in (None, world.hub.tokens.bob):
        assert _suggested(world, "secret", who) == ([], [])
        assert "secret" not in str(_suggested(world, "bert", who))


def test_odd_texts_find_nothing_and_break_nothing(world: World):
    for text in ("", "   ", "a\0b", "<script>", "é", "%_", "'", "\U0001f600", "a " * 30):
        repos, people = _suggested(world, text)
        assert not repos or "a" in text
        assert not people or text.strip() == "a"


@on_sqlite
def test_the_list_is_html_whose_options_have_names(world: World):
    change = "Al <b>Ice</b>\u202e"
    world.hub.write(
        lambda conn: commands.create_user(conn, "alfred", world.hub.clock(), fullname=change)
    )
    page = read_html(world.hub.get("/search/suggest?q=al", headers=BROWSER))
    options = page.all("a", role="option")
    assert [one.text for one in options] == [
        "alice/bert-5",
        "alice/bert-4",
        "alice/bert-3",
        "alice/bert-2",
        "bob/albert",
        "alfred Al <b>Ice</b>U+202E",
        "alice Alice",
    ]
    assert {one.attributes["tabindex"] for one in options} == {"-1"}
    assert page.all("b") == []


@on_sqlite
def test_a_text_that_is_too_long_is_refused(world: World):
    assert world.hub.get("/search/suggest?q=" + "a" * 201).status_code == 400


def test_people_are_listed_by_name_in_pages(hub: TestHub):
    names = [f"m{number:02}" for number in range(70)]

    def work(conn) -> None:
        for name in names:
            commands.create_user(conn, name, hub.clock())

    hub.write(work)
    first = hub.get("/users?search=M", headers=JSON).json()
    assert [one["name"] for one in first["people"]] == names[:60]
    assert first["first"] is None
    second = hub.get(first["next"], headers=JSON).json()
    assert [one["name"] for one in second["people"]] == names[60:]
    assert (second["next"], second["first"]) == (None, "/users?search=M")


def test_users_and_organisations_are_told_apart_and_disabled_ones_left_out(hub: TestHub):
    World(hub).disable("bob")
    page = read_html(hub.get("/users", headers=BROWSER))
    lines = [one.text for one in page.one("ol", class_="rows").all("li")]
    assert lines == ["acme Acme organisation", "alice Alice", "root"]
    assert page.one("main").link("acme") == "/acme"


@on_sqlite
def test_a_cursor_of_another_list_is_refused(hub: TestHub):
    for cursor in ("x", encode_cursor([1, 2]), encode_cursor(["a" * 97])):
        answer = hub.get(f"/users?cursor={cursor}", headers=BROWSER)
        assert "the cursor is not one" in read_html(answer, 400).one("main").text
    assert hub.get("/users?cursor=" + encode_cursor(["a\0"]), headers=BROWSER).status_code == 200

# SPDX-License-Identifier: Apache-2.0
"""Likes by a button that needs no script, who gave them, and what somebody likes."""

from collections.abc import Callable

import pytest

from hubkeep.identity import commands
from hubkeep.web import pages_like
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.web.browser import Browser, Seen

More = Callable[[str], Browser]


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


def button(browser: Browser, path: str = "/alice/shelf") -> tuple[str, str, str]:
    """Where the button sends its form, whether it is pressed, and the count beside it."""
    tags = browser.seen(path).tags
    form = next(attrs for tag, attrs in tags if tag == "form" and "data-like" in attrs)
    pressed = next(attrs["aria-pressed"] for _, attrs in tags if "aria-pressed" in attrs)
    count = next(attrs["data-likes"] for _, attrs in tags if "data-likes" in attrs)
    return form["action"], pressed, count


def test_a_like_is_given_once_and_taken_back(alice: Browser, shelf: Shelf, another: More):
    assert button(alice) == ("/alice/shelf/like", "false", "0")
    for _ in range(2):
        answer = alice.post("/alice/shelf/like", next="/alice/shelf/tree/main")
        assert answer.headers["location"] == "/alice/shelf/tree/main"
    assert button(alice, "/alice/shelf/tree/main") == ("/alice/shelf/unlike", "true", "1")
    assert button(another("bob")) == ("/alice/shelf/like", "false", "1")
    for _ in range(2):
        assert alice.post("/alice/shelf/unlike").headers["location"] == "/alice/shelf"
    assert button(alice) == ("/alice/shelf/like", "false", "0")


@on_sqlite
def test_a_stranger_is_led_to_sign_in_and_back(browser: Browser, shelf: Shelf):
    page = browser.seen("/alice/shelf/commits/main")
    assert "/login?next=/alice/shelf/commits/main" in page.links()
    browser.sign_in("alice")
    browser.hub.clock.move(days=40)
    for name in ("shelf", "nothing"):
        answer = browser.post(f"/alice/{name}/like", next=f"/alice/{name}/commits/main")
        assert answer.headers["location"] == f"/login?next=%2Falice%2F{name}%2Fcommits%2Fmain"
    assert Browser(browser.hub).json("/alice/shelf")["repo"]["likes"] == 0


@on_sqlite
def test_a_like_leads_nowhere_else_and_comes_from_here(alice: Browser, shelf: Shelf):
    for target in ("https://example.org/", "//example.org", "/\\example.org"):
        answer = alice.post("/alice/shelf/like", next=target)
        assert answer.headers["location"] == "/alice/shelf"
    assert alice.send("/alice/shelf/unlike", {}).status_code == 403
    assert button(alice)[2] == "1"
    # What the script sends: the API, with the form's token in a header.
    cookie = f"hubkeep={alice.cookies['hubkeep']}"
    api = "/api/models/alice/shelf/like"
    assert alice.hub.delete(api, headers={"Cookie": cookie}).status_code == 401
    headers = {"Cookie": cookie, "X-CSRF-Token": alice.csrf}
    assert alice.hub.delete(api, headers=headers).status_code == 200
    assert button(alice)[2] == "0"


@on_sqlite
def test_who_likes_it_is_listed_page_by_page(
    alice: Browser, shelf: Shelf, another: More, monkeypatch: pytest.MonkeyPatch
):
    assert "Nobody has liked it yet" in alice.seen("/alice/shelf/likers").text
    for name in ("alice", "bob", "root"):
        another(name).post("/alice/shelf/like")
        alice.hub.clock.move(minutes=1)
    assert [one["name"] for one in alice.json("/alice/shelf/likers")["people"]] == [
        "root",
        "bob",
        "alice",
    ]
    monkeypatch.setattr(pages_like, "ROWS", 2)
    first = alice.json("/alice/shelf/likers")
    second = alice.json(first["next"])
    assert [one["name"] for one in second["people"]] == ["alice"]
    assert (second["next"], second["first"]) == (None, "/alice/shelf/likers")
    assert first["next"] in alice.seen("/alice/shelf/likers").links()
    alice.hub.write(lambda conn: commands.set_disabled(conn, "bob", True, alice.hub.clock()))
    assert "bob" not in Seen(alice.get("/alice/shelf/likers").text).text


def test_what_somebody_likes_is_listed_as_far_as_the_visitor_sees_it(alice: Browser, shelf: Shelf):
    Shelf(alice.hub, "alice/words", "datasets").create(private=True)
    alice.post("/alice/shelf/like")
    alice.hub.clock.move(minutes=1)
    alice.post("/datasets/alice/words/like")
    own = alice.json("/ALICE/activity/likes")
    assert [one["webPath"] for one in own["likes"]] == ["datasets/alice/words", "alice/shelf"]
    stranger = Browser(alice.hub)
    assert [one["id"] for one in stranger.json("/alice/activity/likes")["likes"]] == ["alice/shelf"]
    assert "/alice/shelf" in stranger.seen("/alice/activity/likes").links()
    for nobody in ("nobody", "acme"):
        assert stranger.get(f"/{nobody}/activity/likes").status_code == 404


@on_sqlite
def test_the_page_of_a_user_leads_to_all_that_they_like(alice: Browser):
    for number in range(9):
        Shelf(alice.hub, f"alice/m{number}").create()
        alice.post(f"/alice/m{number}/like")
    assert "/alice/activity/likes" in alice.seen("/alice").links()

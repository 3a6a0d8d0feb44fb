# SPDX-License-Identifier: Apache-2.0
"""Deleting and taking back in the browser: what goes is shown first, and is a commit."""

import pytest

from tests.content.shelf import Shelf
from tests.harness.hub import on_sqlite
from tests.web.browser import Browser
from tests.web.desk import Desk, filled
from tests.web.html import read_html
from tests.web.shelves import check_inert

pytestmark = on_sqlite

LINES = b"".join(b"%d\n" % number for number in range(20))


@pytest.fixture
def desk(alice: Browser) -> Desk:
    shelf = Shelf(alice.hub).create()
    shelf.commit({"a.txt": LINES, "d/e/x.txt": b"x\n", "d/y\u202e.txt": b"y\n"})
    return Desk(alice, shelf)


def test_a_file_goes_by_a_commit(desk: Desk) -> None:
    page = desk.open("/delete/main/d/e/x.txt")
    assert page.one("main").link("d/e/x.txt") == "/alice/shelf/blob/main/d/e/x.txt"
    answer = desk.fill("/delete/main/d/e/x.txt", description="Nobody reads it")
    # The folder went with its last file, so the one above is what is left.
    assert answer.headers["location"] == "/alice/shelf/tree/main/d"
    assert desk.shelf.file("d/e/x.txt").status_code == 404
    last = desk.last()
    assert (last["title"], last["message"]) == ("Delete d/e/x.txt", "Nobody reads it")
    desk.open("/delete/main/d/e/x.txt", 404)


def test_a_folder_goes_with_all_in_it(desk: Desk) -> None:
    page = desk.open("/delete/main/d")
    check_inert(page)
    assert "2 files will be gone" in page.one("main").text
    assert desk.fill("/delete/main/d").headers["location"] == "/alice/shelf/tree/main"
    assert desk.shelf.paths() == [".gitattributes", "a.txt"]


def test_of_many_files_the_first_are_named(desk: Desk) -> None:
    desk.shelf.commit({f"many/{number}": b"" for number in range(120)})
    page = desk.open("/delete/main/many")
    assert "120 files" in page.one("main").text
    assert len(page.all("tbody")[0].all("tr")) == 100


def test_a_commit_is_taken_back_by_another(desk: Desk) -> None:
    desk.shelf.commit({"a.txt": LINES.replace(b"3\n", b"three\n", 1)}, summary="Say three")
    oid = desk.shelf.head()
    desk.shelf.commit({"b.txt": b"later\n"})
    path = f"/revert/main?commit={oid}"
    page = desk.open(path)
    assert any("three" in row.text for row in page.all("tr", class_="removed"))
    assert filled(page)["description"] == f"This reverts commit {oid}."
    answer = desk.fill(path)
    last = desk.last()
    assert answer.headers["location"] == f"/alice/shelf/commit/{last['id']}"
    assert last["title"] == 'Revert "Say three"'
    assert last["message"] == f"This reverts commit {oid}."
    assert desk.shelf.file("a.txt").content == LINES
    assert desk.shelf.file("b.txt").status_code == 200
    again = read_html(desk.fill(path, summary="Once more"), 422)
    assert "changes nothing" in again.one("div", role="alert").text
    assert filled(again)["summary"] == "Once more"


def test_what_is_in_the_way_of_taking_back_is_named(desk: Desk) -> None:
    desk.shelf.commit({"a.txt": LINES.replace(b"3\n", b"three\n", 1)})
    oid = desk.shelf.head()
    desk.shelf.commit({"a.txt": LINES.replace(b"3\n", b"drei\n", 1)})
    head = desk.shelf.head()
    page = read_html(desk.fill(f"/revert/main?commit={oid}"), 409)
    notice = page.one("div", role="alert")
    assert "a.txt" in notice.one("ul").text
    assert "content" in notice.one("ul").text
    assert desk.shelf.head() == head


def test_a_commit_of_another_branch_is_told(desk: Desk) -> None:
    hub, token = desk.shelf.hub, desk.shelf.token
    assert hub.post(f"{desk.shelf.api}/branch/dev", token=token, json={}).status_code == 200
    desk.shelf.commit({"dev.txt": b"dev\n"}, rev="dev")
    oid = desk.shelf.head("dev")
    page = desk.open(f"/revert/main?commit={oid}")
    assert "main does not have this commit" in page.one("main").text
    dev = page.one("main").link("dev")
    assert dev == f"/alice/shelf/revert/dev?commit={oid}"
    assert "does not have" not in desk.open(dev.removeprefix("/alice/shelf")).text
    assert desk.fill(f"/revert/dev?commit={oid}").status_code == 303
    assert "dev.txt" not in desk.shelf.paths("dev")
    for commit in ("", "0" * 40, "nowhere"):
        desk.open(f"/revert/main?commit={commit}", 404)
        assert desk.send("/revert/main", commit=commit).status_code == 404

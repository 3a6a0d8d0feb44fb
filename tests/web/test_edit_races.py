# SPDX-License-Identifier: Apache-2.0
"""Two who write at once: nobody's change is written over unseen, and nobody's text is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest

from hubkeep.identity.sessions import form_token
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub
from tests.web.browser import Browser
from tests.web.desk import Desk, fault, filled
from tests.web.html import read_html

COOKIE = "a-browser-that-nobody-is-signed-in-with"
FILES = {"a.txt": b"one\ntwo\nthree\n", "b.txt": b"b\n", "d/x.txt": b"x\n", "d/y.txt": b"y\n"}


@pytest.fixture
def desk(alice: Browser) -> Desk:
    shelf = Shelf(alice.hub).create()
    assert shelf.commit(FILES).status_code == 200
    return Desk(alice, shelf)


def test_who_comes_second_keeps_the_text_and_sees_what_changed(desk: Desk) -> None:
    seen = desk.shelf.head()
    form = filled(desk.open("/edit/main/a.txt"))
    assert desk.shelf.commit({"a.txt": b"ONE\ntwo\nthree\n"}, summary="Shout").status_code == 200
    theirs = desk.shelf.head()
    answer = desk.send("/edit/main/a.txt", **(form | {"text": "one\r\ntwo\r\n3\r\n"}))
    page = read_html(answer, 409)
    assert desk.shelf.head() == theirs
    notice = page.one("div", role="alert")
    assert "a.txt was changed while you wrote" in notice.text
    assert "Shout" in notice.text
    assert notice.link("What changed") == f"/alice/shelf/compare/{seen}..{theirs}"
    assert desk.browser.get(notice.link("What changed")).status_code == 200
    assert any("ONE" in row.text for row in page.all("tr", class_="added"))
    kept = filled(page)
    assert (kept["text"], kept["parent"]) == ("one\r\ntwo\r\n3\r\n", theirs)
    # Having seen it, they may decide; only what is there by then is written over.
    assert desk.shelf.commit({"a.txt": b"yet another\n"}).status_code == 200
    assert desk.again("/edit/main/a.txt", answer).status_code == 409
    answer = desk.again("/edit/main/a.txt", answer, text="ONE\ntwo\n3\n", parent=desk.shelf.head())
    assert answer.status_code == 303
    assert desk.shelf.file("a.txt").content == b"ONE\ntwo\n3\n"


def test_what_others_do_to_other_files_is_no_reason_to_refuse(desk: Desk) -> None:
    form = filled(desk.open("/edit/main/a.txt"))
    assert desk.shelf.commit({"b.txt": b"B\n", "c.txt": b"c\n"}).status_code == 200
    answer = desk.send("/edit/main/a.txt", **(form | {"text": "1\r\n"}))
    assert answer.status_code == 303
    assert desk.shelf.file("a.txt").content == b"1\n"
    assert desk.shelf.file("b.txt").content == b"B\n"
    assert desk.shelf.file("c.txt").content == b"c\n"


def test_a_file_that_went_meanwhile_can_be_put_back(desk: Desk) -> None:
    form = filled(desk.open("/edit/main/a.txt"))
    assert desk.shelf.commit(delete=["a.txt"]).status_code == 200
    answer = desk.send("/edit/main/a.txt", **(form | {"text": "mine\r\n", "path": "z.txt"}))
    assert "a.txt was deleted while you wrote" in read_html(answer, 409).text
    assert "z.txt" not in desk.shelf.paths()
    assert desk.again("/edit/main/a.txt", answer).status_code == 303
    assert desk.shelf.file("z.txt").content == b"mine\n"


def test_a_name_that_was_taken_meanwhile_is_told(desk: Desk) -> None:
    new, moved = filled(desk.open("/new/main")), filled(desk.open("/edit/main/a.txt"))
    assert desk.shelf.commit({"n.txt": b"theirs\n"}).status_code == 200
    for path, form in (("/new/main", new), ("/edit/main/a.txt", moved)):
        answer = desk.send(path, **(form | {"path": "n.txt", "text": "mine"}))
        page = read_html(answer, 422)
        assert "There is a file already" in fault(page, "path")
        assert filled(page)["text"] == "mine"
    assert desk.shelf.file("n.txt").content == b"theirs\n"
    assert desk.shelf.file("a.txt").content == FILES["a.txt"]


def test_a_folder_goes_only_as_it_was_shown(desk: Desk) -> None:
    form = filled(desk.open("/delete/main/d"))
    assert desk.shelf.commit({"d/z.txt": b"new\n"}).status_code == 200
    answer = desk.send("/delete/main/d", **form)
    page = read_html(answer, 409)
    assert "d/z.txt" in page.one("main").text
    assert desk.shelf.file("d/z.txt").status_code == 200
    assert desk.shelf.commit({"b.txt": b"other\n"}).status_code == 200
    assert desk.again("/delete/main/d", answer).status_code == 303
    assert desk.shelf.paths() == [".gitattributes", "a.txt", "b.txt"]


def test_a_commit_that_is_gone_is_one_that_was_not_seen(desk: Desk) -> None:
    form = filled(desk.open("/edit/main/a.txt"))
    for parent in ("", "0" * 40, "main", "x" * 40, "0" * 4000):
        answer = desk.send("/edit/main/a.txt", **(form | {"text": "mine", "parent": parent}))
        assert answer.status_code == 409, parent
    assert desk.shelf.file("a.txt").content == FILES["a.txt"]


@pytest.fixture
def at_once(hub: TestHub) -> Callable[[list[tuple[str, dict[str, str]]]], list[httpx.Response]]:
    """Send forms at once, each with alice's token, and return the answers."""

    def send(forms: list[tuple[str, dict[str, str]]]) -> list[httpx.Response]:
        def one(form: tuple[str, dict[str, str]]) -> httpx.Response:
            headers = {"Accept": "text/html", "Cookie": f"hubkeep-form={COOKIE}"}
            data = {"csrf": form_token(COOKIE), **form[1]}
            return hub.post(form[0], token=hub.tokens.alice, headers=headers, data=data)

        with ThreadPoolExecutor(len(forms)) as threads:
            return list(threads.map(one, forms))

    return send


def test_of_many_at_once_one_is_first(hub: TestHub, at_once: Callable) -> None:
    shelf = Shelf(hub).create()
    shelf.commit(FILES)
    parent = shelf.head()
    forms = [
        (f"{shelf.web}/edit/main/a.txt", {"path": "a.txt", "text": f"{who}", "parent": parent})
        for who in range(5)
    ]
    answers = at_once(forms)
    assert sorted(one.status_code for one in answers) == [303, 409, 409, 409, 409]
    first = [one.status_code for one in answers].index(303)
    assert shelf.file("a.txt").content == f"{first}".encode()
    for who, answer in enumerate(answers):
        assert who == first or filled(read_html(answer, 409))["text"] == f"{who}"


def test_of_many_files_at_once_all_are_taken(hub: TestHub, at_once: Callable) -> None:
    shelf = Shelf(hub).create()
    parent = shelf.head()
    forms = [
        (f"{shelf.web}/new/main", {"path": f"{who}.txt", "text": f"{who}", "parent": parent})
        for who in range(5)
    ]
    assert [one.status_code for one in at_once(forms)] == [303] * 5
    assert shelf.paths() == [".gitattributes", *(f"{who}.txt" for who in range(5))]

# SPDX-License-Identifier: Apache-2.0
"""Blame in the browser: lines and their commits, the way back, and files without lines."""

import pytest

from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.web.html import Element
from tests.web.shelves import SCRIPT, TURN, data, handmade, page

pytestmark = on_sqlite


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


def lines(seen: Element) -> list[tuple[str, str]]:
    """The lines of a page of blame: what the commit beside them says, and the line."""
    said = ""
    found: list[tuple[str, str]] = []
    for row in seen.one("div", class_="blame").all("tr"):
        beside = row.all("td", class_="by")
        if beside:
            said = beside[0].one("a", class_="what").text
        found.append((said, row.all("td")[-1].text))
    return found


def test_each_line_has_its_commit(shelf: Shelf) -> None:
    shelf.commit({"a.py": b"import os\nx = 1\n\nprint(x)\n"}, summary="first")
    before = shelf.head()
    shelf.commit({"a.py": b"import os\r\nx = 1\n\nprint(2 * x)"}, summary="second")
    seen = page(shelf, "/blame/main/a.py")
    assert lines(seen) == [
        ("second", "import os"),
        ("first", "x = 1"),
        ("first", ""),
        ("second", "print(2 * x)"),
    ]
    assert [row.attributes["id"] for row in seen.all("tr")] == ["L1", "L2", "L3", "L4"]
    assert seen.all("span", class_="kn")[0].text == "import"
    assert seen.link("first") == f"{shelf.web}/commit/{before}"
    assert seen.link("alice") == "/alice"
    assert seen.link("File") == f"{shelf.web}/blob/main/a.py"
    assert seen.link("History") == f"{shelf.web}/commits/main/a.py"


def test_the_way_goes_back_before_a_change(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1\n2\n3\n"}, summary="first")
    before = shelf.head()
    shelf.commit({"b.txt": b"1\ntwo\n3\n"}, delete=["a.txt"], summary="second")
    back = page(shelf, "/blame/main/b.txt").all("a", class_="before")
    assert [one.attributes["href"] for one in back] == [f"{shelf.web}/blame/{before}/a.txt"]
    assert lines(page(shelf, f"/blame/{before}/a.txt")) == [("first", t) for t in "123"]


def test_the_newest_lines_are_told_from_the_oldest(shelf: Shelf) -> None:
    text = b""
    for number in range(3):
        text += b"%d\n" % number
        shelf.commit({"a.txt": text})
        shelf.hub.clock.move(days=10)
    runs = data(shelf, "/blame/main/a.txt")["runs"]
    assert [run["age"] for run in runs] == [7, 4, 0]
    cells = page(shelf, "/blame/main/a.txt").all("td", class_="by")
    assert "age-7" in cells[0].attributes["class"]


def test_what_has_no_lines_says_so_and_what_works(shelf: Shelf) -> None:
    handmade(shelf, "odd", [(b"120000", b"link", b"x"), (b"160000", b"module", b"\xab" * 20)])
    large = ("lfsFile", {**shelf.upload(b"x" * 3000), "path": "big.bin"})
    shelf.commit({"a.bin": b"a\n\0", "long.txt": b"x" * ((1 << 20) + 1)}, lines=[large])
    said = {
        "main/a.bin": "A binary file has no lines.",
        "main/big.bin": "stored outside of git",
        "main/long.txt": "too large",
        "odd/link": "A symlink has no lines.",
        "odd/module": "A submodule has no lines.",
    }
    for path, reason in said.items():
        seen = page(shelf, f"/blame/{path}")
        assert reason in seen.one("div", class_="empty").text
        assert seen.link("history") == f"{shelf.web}/commits/{path}"


def test_without_git_the_page_says_so(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.commit({"a.txt": b"1\n"})
    monkeypatch.setattr("hubkeep.git.program.shutil.which", lambda _: None)
    assert "needs git, which is not installed" in page(shelf, "/blame/main/a.txt").text


def test_a_commit_that_nothing_leads_to_says_so(shelf: Shelf) -> None:
    made = shelf.hub.post(f"{shelf.api}/branch/topic", token=shelf.token, json={})
    assert made.status_code == 200, made.text
    shelf.commit({"a.txt": b"1\n"}, rev="topic")
    lost = shelf.head("topic")
    assert shelf.hub.delete(f"{shelf.api}/branch/topic", token=shelf.token).status_code == 200
    assert "No branch and no tag leads to this commit" in page(shelf, f"/blame/{lost}/a.txt").text


def test_what_git_said_is_kept(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.commit({"a.txt": b"1\n"}, summary="first")
    seen = data(shelf, "/blame/main/a.txt")
    monkeypatch.setattr("hubkeep.git.program.shutil.which", lambda _: None)
    assert data(shelf, "/blame/main/a.txt") == seen
    assert [run["commit"]["title"] for run in seen["runs"]] == ["first"]


def test_odd_ends_of_lines_and_empty_files(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1\r2\n3", "b.txt": b""}, summary="first")
    assert [line for _, line in lines(page(shelf, "/blame/main/a.txt"))] == ["1\u240d2", "3"]
    assert "This file is empty." in page(shelf, "/blame/main/b.txt").text


def test_hostile_texts_are_inert(shelf: Shelf) -> None:
    text = f"{SCRIPT} {TURN}x\n"
    shelf.commit({"a.txt": text.encode()}, summary=f"{SCRIPT} {TURN}done")
    assert lines(page(shelf, "/blame/main/a.txt")) == [
        (f"{SCRIPT} U+202Edone", f"{SCRIPT} U+202Ex")
    ]


def test_folders_and_missing_files(shelf: Shelf) -> None:
    shelf.commit({"a/b.txt": b"1"})
    to_folder = shelf.hub.get(f"{shelf.web}/blame/main/a")
    assert to_folder.headers["location"] == f"{shelf.web}/tree/main/a"
    page(shelf, "/blame/main/nowhere", 404)
    page(shelf, "/blame/nowhere/a/b.txt", 404)

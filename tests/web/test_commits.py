# SPDX-License-Identifier: Apache-2.0
"""History, commits, comparisons, branches and tags in the browser."""

import pytest
from sqlalchemy import Connection, update

from hubkeep.db.tables import git_objects
from hubkeep.git.objects import deflate, inflate
from hubkeep.git.queries_objects import object_data
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.transfer.cas.shelf import repo_id
from tests.web.html import BROWSER, Element, read_html
from tests.web.shelves import SCRIPT, TURN, data, handmade, page

pytestmark = on_sqlite

MINUS = "\u2212"


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


def titles(seen: Element) -> list[str]:
    return [one.text for one in seen.all("a", class_="what")]


def rows(seen: Element, number: int = 0) -> list[tuple[str, list[str]]]:
    """The lines of a diff: what they are, and their cells."""
    found = seen.all("section", class_="diff")[number].all("tr")
    return [(row.attributes["class"], [cell.text for cell in row.all("td")]) for row in found]


def branch(shelf: Shelf, name: str, start: str = "main") -> None:
    made = shelf.hub.post(
        f"{shelf.api}/branch/{name}", token=shelf.token, json={"startingPoint": start}
    )
    assert made.status_code == 200, made.text


def follow(shelf: Shelf, path: str) -> list[Element]:
    """The pages of a list, by their links to older ones."""
    pages = [page(shelf, path)]
    while more := pages[-1].all("a", rel="next"):
        answer = shelf.hub.get(more[0].attributes["href"], headers=BROWSER)
        pages.append(read_html(answer))
    return pages


def test_history_comes_in_pages(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubkeep.web.pages_commits.ROWS", 2)
    for n in range(4):
        shelf.commit({"a.txt": str(n).encode()}, summary=f"change {n}", description="why\nso")
    pages = follow(shelf, "/commits/main")
    found = [title for one in pages for title in titles(one)]
    assert found == ["change 3", "change 2", "change 1", "change 0", "initial commit"]
    assert "5 commits" in pages[0].text
    assert pages[1].link("Newer") == f"{shelf.web}/commits/main"
    assert "why so" in pages[0].all("details", class_="more")[0].text


def test_a_path_has_its_own_history(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubkeep.web.pages_commits.ROWS", 1)
    for n in range(3):
        shelf.commit({"a.txt": str(n).encode(), "b.txt": b"x"}, summary=f"change {n}")
    pages = follow(shelf, "/commits/main/a.txt")
    found = [title for one in pages for title in titles(one)]
    assert found == ["change 2", "change 1", "change 0"]
    assert titles(page(shelf, "/commits/main/b.txt")) == ["change 0"]
    assert pages[0].one("nav", aria_label="Path").link("shelf") == f"{shelf.web}/tree/main"


def test_a_commit_says_who_and_what_and_leads_on(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1\n"}, summary="first")
    before = shelf.head()
    shelf.commit({"a.txt": b"2\n"}, summary="second", description="Because\nof that.")
    seen = page(shelf, f"/commit/{shelf.head()}")
    assert seen.one("h2", id="title").text == "second"
    assert "Because of that." in seen.one("pre", class_="more").text
    assert "alice" in seen.text
    assert seen.link(before[:7]) == f"{shelf.web}/commit/{before}"
    assert seen.link("Browse files") == f"{shelf.web}/tree/{shelf.head()}"
    patch = shelf.hub.get(seen.link("Patch"))
    assert "-1\n+2\n" in patch.text


def test_authors_lead_to_their_accounts(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1\n"}, summary="ours")
    handmade(shelf, "odd", [(b"100644", b"a", b"text")])
    for path in ("/commits/main", "/commit/main", "/blob/main/a.txt"):
        assert page(shelf, path).link("alice") == "/alice", path
    seen = page(shelf, "/commits/odd")
    assert "Eve" in seen.text
    assert "Eve" not in [one.text for one in seen.all("a")]


def test_who_commits_what_another_wrote_is_said(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1\n"})
    assert "committed by" not in page(shelf, "/commit/main").text
    oid = bytes.fromhex(shelf.head())

    def work(conn: Connection) -> None:
        ((_, _, size, stored),) = object_data(conn, repo_id(conn, shelf.path), [oid])
        said = inflate(stored, size).replace(b"committer alice <", f"committer {TURN}Bo <".encode())
        changed = update(git_objects).where(git_objects.c.oid == oid)
        conn.execute(changed.values(data=deflate(said), size=len(said)))

    shelf.hub.write(work)
    assert "committed by U+202EBo <" in page(shelf, "/commit/main").text


def test_a_diff_numbers_the_lines_of_both_sides(shelf: Shelf) -> None:
    old = "".join(f"line {n}\n" for n in range(1, 11))
    shelf.commit({"a.txt": old.encode()})
    shelf.commit({"a.txt": old.replace("line 5\n", "new 5\n--- x\n").encode(), "b.txt": b"no end"})
    seen = page(shelf, "/commit/main")
    kinds = [kind for kind, _ in rows(seen)]
    assert kinds == ["hunk", *["same"] * 3, "removed", "added", "added", *["same"] * 3]
    assert rows(seen)[3][1] == ["4", "4", "", "line 4"]
    assert rows(seen)[4][1] == ["5", "", MINUS, "line 5"]
    assert rows(seen)[6][1] == ["", "6", "+", "--- x"]
    assert rows(seen)[7][1] == ["6", "7", "", "line 6"]
    assert rows(seen, 1)[2][1][3] == "No newline at end of file"
    assert f"2 files changed +3 {MINUS}1" in seen.text


def test_what_no_lines_can_tell_is_said_in_words(shelf: Shelf) -> None:
    big, bigger = shelf.upload(b"x" * 3000), shelf.upload(b"y" * 5000)
    lines = [("lfsFile", {**big, "path": "big.bin"}), ("lfsFile", {**big, "path": "plain.txt"})]
    shelf.commit({"image.png": b"\x89PNG\x00", "long.txt": b"x", "gone.txt": b"x"}, lines=lines)
    shelf.commit(
        {
            "image.png": b"\x89PNG\x00\x01",
            "long.txt": b"x" * (2 << 20),
            "empty.txt": b"",
            "plain.txt": b"small",
        },
        delete=["gone.txt"],
        lines=[("lfsFile", {**bigger, "path": "big.bin"})],
    )
    seen = page(shelf, "/commit/main")
    notes = {
        one.one("h2").text: note[0].text
        for one in seen.all("section", class_="diff")
        if (note := one.all("p", class_="diff-note"))
    }
    assert notes == {
        "big.bin": "Large file changed: 3 kB → 5 kB",
        "empty.txt": "An empty file: 0 B",
        "image.png": "Binary, or too large to be compared line by line: 5 B → 6 B",
        "long.txt": "Binary, or too large to be compared line by line: 1 B → 2.1 MB",
        "plain.txt": "No large file any more: 3 kB → 5 B",
    }
    assert "git-lfs.github.com" not in seen.text
    gone = seen.all("section", class_="diff")[2]
    assert gone.link("gone.txt").startswith(
        f"{shelf.web}/blob/{data(shelf, '/commits/main')['days'][0]['commits'][1]['commit']['id']}/"
    )


def test_long_differences_are_cut_and_say_so(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubkeep.web.diffs.MAX_ROWS", 30)
    monkeypatch.setattr("hubkeep.web.diffs.MAX_ROWS_OF_FILE", 20)
    text = "".join(f"{n}\n" for n in range(100)).encode()
    shelf.commit({"a.txt": text, "b.txt": text, "c.txt": text})
    seen = page(shelf, "/commit/main")
    assert [len(one.all("tr")) for one in seen.all("section", class_="diff")] == [20, 10, 0]
    assert seen.text.count("More lines of this file changed than are shown.") == 2
    assert "Not shown: there are too many lines before it" in seen.text
    assert "+300" in seen.text


def test_the_first_commit_has_everything_as_new(shelf: Shelf) -> None:
    first = data(shelf, "/commits/main")["days"][0]["commits"][0]["commit"]["id"]
    seen = page(shelf, f"/commit/{first}")
    assert "the first commit" in seen.text
    assert {kind for kind, _ in rows(seen)} == {"hunk", "added"}
    assert "Patch" not in [one.text for one in seen.all("a")]


def test_hostile_commits_are_text(shelf: Shelf) -> None:
    name = f"{SCRIPT[:7]} {TURN}x.txt"
    content = f"{SCRIPT}{TURN}\r\n\x0c\x1b[31m".encode()
    shelf.commit({name: content}, summary=f"{SCRIPT}{TURN}", description=f"{SCRIPT}{TURN}")
    for path in ("/commit/main", "/commits/main"):
        assert f"{SCRIPT}U+202E" in page(shelf, path).text
    seen = page(shelf, "/commit/main")
    assert "U+202Ex.txt" in seen.one("section", class_="diff").one("h2").text
    assert rows(seen)[1][1][3] == f"{SCRIPT}U+202E"
    href = seen.one("div", class_="diff-head").all("a")[0].attributes["href"]
    file = read_html(shelf.hub.get(href, headers=BROWSER))
    assert SCRIPT in file.one("div", class_="source").text


def test_a_commit_without_a_title_has_a_link(shelf: Shelf) -> None:
    handmade(shelf, "odd", [(b"100644", b"a", b"1")])
    assert titles(page(shelf, "/commits/odd")) == ["by hand"]
    assert data(shelf, "/commit/odd")["commit"]["author"] == "Eve"


def test_two_branches_are_compared_both_ways(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1\n"})
    branch(shelf, "topic%2Fx")
    shelf.commit({"a.txt": b"2\n"}, rev="topic%2Fx")
    shelf.commit({"b.txt": b"3\n"})
    new = page(shelf, "/compare/main...topic%2Fx")
    assert [one.one("h2").text for one in new.all("section", class_="diff")] == ["a.txt"]
    both = page(shelf, "/compare/main..topic%2Fx")
    assert [one.one("h2").text for one in both.all("section", class_="diff")] == ["a.txt", "b.txt"]
    assert both.link("Swap") == f"{shelf.web}/compare/topic%2Fx..main"
    assert shelf.hub.get(both.link("Patch")).status_code == 200
    assert "No file differs." in page(shelf, "/compare/main..main").text


def test_the_form_leads_to_the_comparison(shelf: Shelf) -> None:
    branch(shelf, "topic%2Fx")
    seen = page(shelf, "/compare")
    assert [one.attributes["value"] for one in seen.one("datalist").all("option")] == [
        "main",
        "topic/x",
    ]
    assert seen.one("form", class_="compare").attributes["action"] == f"{shelf.web}/compare"
    went = shelf.hub.get(f"{shelf.web}/compare?old=main&new=topic/x&dots=...")
    assert (went.status_code, went.headers["location"]) == (
        303,
        f"{shelf.web}/compare/main...topic%2Fx",
    )
    assert (
        page(shelf, "/compare?old=main&new=").one("input", id="old").attributes["value"] == "main"
    )


def test_branches_and_tags_are_listed_with_their_heads(shelf: Shelf) -> None:
    branch(shelf, "a%23topic")
    shelf.commit({"a.txt": b"1"}, rev="a%23topic", summary=f"{SCRIPT} on the topic")
    shelf.hub.post(f"{shelf.api}/tag/main", token=shelf.token, json={"tag": "v1", "message": "x"})
    branches, tags = data(shelf, "/refs")["lists"]
    assert [(one["name"], one["isDefault"]) for one in branches["rows"]] == [
        ("main", True),
        ("a#topic", False),
    ]
    assert [one["name"] for one in tags["rows"]] == ["v1"]
    seen = page(shelf, "/refs")
    assert f"{SCRIPT} on the topic" in seen.text
    compared = seen.all("a", aria_label="Compare a#topic with the default branch")
    assert compared[0].attributes["href"] == f"{shelf.web}/compare/main...a%23topic"
    assert seen.link("a#topic") == f"{shelf.web}/tree/a%23topic"


def test_many_branches_come_in_pages(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubkeep.web.pages_refs.ROWS", 2)
    for name in ("a", "b", "c", "d"):
        branch(shelf, name)
    pages = follow(shelf, "/refs")
    assert [titles(one) for one in pages] == [["a", "b"], ["c", "d"], ["main"]]
    assert pages[1].link("First branches") == f"{shelf.web}/refs"


def test_the_menu_of_revisions_knows_where_one_is(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1"})
    commit = shelf.head()
    assert data(shelf, f"/tree/{commit}")["refs"]["name"] == commit[:7]
    refs = data(shelf, f"/blob/{commit[:9]}/a.txt")["refs"]
    assert (refs["kind"], refs["branches"][0]["href"]) == ("commit", f"{shelf.web}/blob/main/a.txt")
    shelf.hub.post(f"{shelf.api}/tag/main", token=shelf.token, json={"tag": "v1"})
    refs = data(shelf, "/tree/v1")["refs"]
    assert (refs["kind"], [one["isCurrent"] for one in refs["tags"]]) == ("tag", [True])

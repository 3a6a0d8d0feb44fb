# SPDX-License-Identifier: Apache-2.0
"""Folders in the browser: what is listed, where it leads, and what is not there."""

import pytest

from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.repos.world import World
from tests.web.browser import Browser
from tests.web.html import BROWSER, Element, read_html
from tests.web.shelves import SCRIPT, TURN, at, data, handmade, page

pytestmark = on_sqlite

ODD = [
    "100%.txt",
    "50%25off.txt",
    "a#b.txt",
    "what?.txt",
    "two  words .txt",
    "größe/日本語.txt",
    "a&b=c;d.txt",
    'it\'s "quoted".txt',
    "<b>.txt",
]
MISSING = [
    "/tree/nowhere",
    "/tree/main/nowhere",
    "/blob/main/nowhere",
    "/blob/main/a.txt/below",
    "/blob/main/a//b",
    "/blob/main/%00",
    "/blob/main/..%2F..%2Fetc%2Fpasswd",
    "/commits/nowhere",
    "/commits/main/nowhere",
    "/commit/nowhere",
    "/commit/" + "0" * 40,
    "/compare/main..nowhere",
]
PAGES = [
    "/tree/main",
    "/blob/main/a.txt",
    "/blame/main/a.txt",
    "/commits/main",
    "/commits/main/a.txt",
    "/commit/main",
    "/compare",
    "/compare/main..main",
    "/refs",
]
BAD_QUERIES = [
    "/tree/main?colour=red",
    "/tree/main?cursor=x",
    "/blob/main/a?plain=perhaps",
    "/blob/main/a?p=-1",
    "/blame/main/a?plain=1",
    "/commits/main?p=-1",
    "/commits/main/a?cursor=x",
    "/commit/main?x",
    "/compare?dots=....",
    "/compare/main?format=xml",
    "/refs?p=1",
]


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


def names(seen: Element) -> list[str]:
    rows = seen.one("table", class_="files").one("tbody").all("tr")
    return [row.all("td")[0].all("a")[0].text for row in rows]


def test_folders_come_first_and_lead_down_and_up(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1", "b/c/d.txt": b"22", "Z/x": b"3"}, summary="some files")
    seen = page(shelf, "/tree/main")
    assert names(seen) == ["Z", "b", ".gitattributes", "a.txt"]
    inside = read_html(shelf.hub.get(seen.link("b"), headers=BROWSER))
    assert names(inside) == ["..", "c"]
    assert inside.link("..") == f"{shelf.web}/tree/main"
    assert inside.link("c") == f"{shelf.web}/tree/main/b/c"
    assert seen.link("a.txt") == f"{shelf.web}/blob/main/a.txt"


def test_each_entry_says_what_changed_it_last(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1", "b/c.txt": b"2"}, summary="first")
    before = shelf.head()
    shelf.commit({"b/c.txt": b"3"}, summary="second")
    rows = {row["name"]: row for row in data(shelf, "/tree/main")["rows"]}
    assert rows["a.txt"]["lastCommit"]["title"] == "first"
    assert rows["b"]["lastCommit"]["title"] == "second"
    assert page(shelf, "/tree/main").link("first") == f"{shelf.web}/commit/{before}"
    above = data(shelf, "/tree/main")["lastCommit"]
    assert (above["title"], above["author"], above["id"]) == ("second", "alice", shelf.head())


def test_sizes_are_those_of_the_files_themselves(shelf: Shelf) -> None:
    big = shelf.upload(b"x" * 2500)
    shelf.commit({"a.txt": b"12"}, lines=[("lfsFile", {**big, "path": "big.bin"})])
    sizes = {
        row["name"]: (row["size"], row["storage"]) for row in data(shelf, "/tree/main")["rows"]
    }
    assert sizes["a.txt"] == (2, None)
    assert sizes["big.bin"] == (2500, "lfs")
    cells = page(shelf, "/tree/main").all("td", class_="size")
    assert "lfs 2.5 kB" in [cell.text for cell in cells]


def test_odd_names_lead_to_their_files(shelf: Shelf) -> None:
    answer = shelf.commit({path: path.encode() for path in ODD})
    assert answer.status_code == 200, answer.text
    for path in ODD:
        folder, _, name = path.rpartition("/")
        seen = page(shelf, f"/tree/main/{at(folder)}" if folder else "/tree/main")
        file = read_html(shelf.hub.get(seen.link(" ".join(name.split())), headers=BROWSER))
        assert " ".join(path.split()) in file.one("div", class_="source").text
        assert shelf.hub.get(file.link("Raw")).content == path.encode()
        history = read_html(shelf.hub.get(file.link("History"), headers=BROWSER))
        assert [one.text for one in history.all("a", class_="what")] == ["a change"]


def test_a_revision_with_slashes_keeps_its_path(shelf: Shelf) -> None:
    shelf.commit({"a/b.txt": b"1"})
    made = shelf.hub.post(f"{shelf.api}/branch/topic%2Fnew", token=shelf.token, json={})
    assert made.status_code == 200
    seen = page(shelf, "/tree/topic%2Fnew/a")
    assert seen.link("b.txt") == f"{shelf.web}/blob/topic%2Fnew/a/b.txt"
    menu = seen.one("details", class_="refs")
    assert menu.link("main") == f"{shelf.web}/tree/main/a"
    assert [one.text for one in menu.all("a", aria_current="true")] == ["topic/new"]


def test_a_file_and_a_folder_lead_to_the_page_that_they_have(shelf: Shelf) -> None:
    shelf.commit({"a/b #1.txt": b"1"})
    to_file = shelf.hub.get(f"{shelf.web}/tree/main/a/b%20%231.txt")
    assert to_file.headers["location"] == f"{shelf.web}/blob/main/a/b%20%231.txt"
    to_folder = shelf.hub.get(f"{shelf.web}/blob/main/a")
    assert (to_folder.status_code, to_folder.headers["location"]) == (
        303,
        f"{shelf.web}/tree/main/a",
    )


def test_what_is_not_there_is_said_by_the_page_for_that(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1"})
    for path in MISSING:
        assert page(shelf, path, 404).one("h1").text == "Nothing is here", path


def test_a_private_repository_is_not_there_for_strangers(hub: TestHub) -> None:
    shelf = Shelf(hub, "alice/unlisted").create(private=True)
    shelf.commit({"a.txt": b"secret"})
    for path in PAGES:
        closed = hub.get(shelf.web + path, headers=BROWSER)
        absent = hub.get(f"/alice/unwanted{path}", headers=BROWSER)
        assert closed.status_code == absent.status_code == 404
        assert closed.text.replace("unlisted", "unwanted") == absent.text
        seen = page(shelf, path, token=shelf.token)
        assert "unlisted" in seen.one("div", class_="repo-head").text


def test_links_and_submodules_are_said_to_be_such(shelf: Shelf) -> None:
    entries = [
        (b"120000", b"link", f"../{SCRIPT}".encode()),
        (b"160000", b"module", b"\xab" * 20),
        (b"100644", b"plain.txt", b"text"),
    ]
    handmade(shelf, "odd", entries)
    kinds = {row["name"]: row["kind"] for row in data(shelf, "/tree/odd")["rows"]}
    assert kinds == {"link": "symlink", "module": "submodule", "plain.txt": "file"}
    assert f"../{SCRIPT}" in page(shelf, "/blob/odd/link").one("div", class_="empty").text
    module = page(shelf, "/blob/odd/module")
    assert "ab" * 20 in module.one("div", class_="empty").text
    assert not [one for one in module.all("a") if one.text in ("Raw", "Download")]


def test_a_readme_is_shown_below_its_folder_and_cannot_do_anything(shelf: Shelf) -> None:
    text = f"---\nlicense: mit\n---\n# Guide\n{SCRIPT}<img src=x onerror=alert(1)>\n\n[next](b.md)"
    shelf.commit({"docs/README.md": text.encode(), "docs/b.md": b"x"})
    prose = page(shelf, "/tree/main/docs").one("article", class_="prose")
    assert prose.text.startswith("Guide")
    assert "license" not in prose.text
    assert prose.link("next") == f"{shelf.web}/blob/main/docs/b.md"


def test_hostile_names_and_messages_are_text(shelf: Shelf) -> None:
    name = f"x{TURN}gpj.exe"
    shelf.commit({name: b"1", f"{SCRIPT[:8]}.txt": b"1"}, summary=f"{SCRIPT} {TURN}done")
    seen = page(shelf, "/tree/main")
    assert "xU+202Egpj.exe" in names(seen)
    assert f"{SCRIPT} U+202Edone" in seen.text


def test_large_folders_come_in_pages(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubkeep.web.pages_tree.ROWS", 3)
    shelf.commit({f"d{n}/x": b"1" for n in range(4)} | {f"f{n}": b"1" for n in range(3)})
    found: list[str] = []
    link: str | None = f"{shelf.web}/tree/main"
    while link:
        seen = read_html(shelf.hub.get(link, headers=BROWSER))
        assert len(names(seen)) <= 3
        found += names(seen)
        more = seen.all("a", rel="next")
        link = more[0].attributes["href"] if more else None
    assert found == ["d0", "d1", "d2", "d3", ".gitattributes", "f0", "f1", "f2"]


def test_an_empty_repository_says_how_to_fill_it(alice: Browser) -> None:
    World(alice.hub).repo("alice/empty")
    shelf = Shelf(alice.hub, "alice/empty")
    assert "Nothing is here yet." in page(shelf, "/tree/main").text
    assert "git clone" not in page(shelf, "/tree/main").text
    lines = [one.text for one in page(shelf, "/tree/main", token=shelf.token).all("pre")]
    assert any("hf upload alice/empty ./folder" in one for one in lines)
    assert any("export HF_ENDPOINT=http://127.0.0.1:8080" in one for one in lines)
    assert any("git push -u origin HEAD:main" in one for one in lines)
    assert data(shelf, "/tree/main")["commit"] is None
    page(shelf, "/tree/main/below", 404)


def test_a_new_repository_says_how_to_fill_it_until_something_is_in_it(shelf: Shelf) -> None:
    def says_how() -> bool:
        return bool(page(shelf, "/tree/main", token=shelf.token).all("h2", id="ways-in"))

    assert says_how()
    shelf.commit({"a.txt": b"1"})
    assert not says_how()


def test_all_files_can_be_had_at_once(hub: TestHub) -> None:
    shelf = Shelf(hub, "alice/rows", "datasets").create()
    shelf.commit({"a.txt": b"1"})
    hub.post(f"{shelf.api}/tag/main", token=shelf.token, json={"tag": "v'1"})
    lines = [one.text for one in page(shelf, "/tree/v'1").one("div", class_="ways").all("pre")]
    assert "hf download alice/rows --repo-type dataset --revision 'v'\"'\"'1'" in lines[0]
    assert "git clone http://127.0.0.1:8080/datasets/alice/rows" in lines[1]
    archive = hub.head(page(shelf, "/tree/v'1").link("zip"))
    assert archive.headers["content-type"] == "application/zip"


def test_parameters_are_never_accepted_in_silence(shelf: Shelf) -> None:
    for path in BAD_QUERIES:
        assert page(shelf, path, 400).one("h1").text == "This address is not right", path

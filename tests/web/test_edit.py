# SPDX-License-Identifier: Apache-2.0
"""Files written in the browser: what is taken, what is said of the rest, and that nothing typed is
lost.
"""

from threading import Event

import pytest

from hubkeep.web import kept, rendered
from tests.content.shelf import Shelf
from tests.harness.hub import on_sqlite
from tests.repos.world import World
from tests.web.browser import Browser
from tests.web.desk import Desk, fault, filled
from tests.web.html import read_html
from tests.web.shelves import SCRIPT, TURN, check_inert, handmade

pytestmark = on_sqlite

ODD = f"</textarea>{SCRIPT}&amp;&lt;\r\n\r\n\"quoted\" 'text' {TURN} ünï\tcode  ".encode()


NAMES = [
    ("", "Give the file a name"),
    ("  ", "Give the file a name"),
    ("../up", "'..'"),
    ("/etc/passwd", "absolute"),
    ("docs/", "empty"),
    ("a//b", "empty"),
    (".git/config", "git's own folder"),
    ("docs/.GIT/x", "git's own folder"),
    (".gitmodules", "submodules"),
    ("a\\b", "backslash"),
    ("a\0b", "control character"),
    ("x" * 300, "255"),
    ("a/" * 70 + "b", "64 levels"),
    ("a.txt", "There is a file already"),
    ("docs", "This is a folder"),
    ("a.txt/b", "needs a folder where the file 'a.txt' is"),
    ("A.TXT", "one file where case"),
    ("weights.safetensors", "large files"),
]


@pytest.fixture
def desk(alice: Browser) -> Desk:
    shelf = Shelf(alice.hub).create()
    made = shelf.commit(
        {
            "README.md": b"---\nlicense: mit\n---\n\n# Old\n",
            "a.txt": b"one\r\ntwo",
            "docs/odd.txt": ODD,
            "docs/b.txt": b"\n\nb\n",
        }
    )
    assert made.status_code == 200
    return Desk(alice, shelf)


def test_a_file_is_changed_by_a_commit_and_its_lines_end_as_before(desk: Desk) -> None:
    answer = desk.fill("/edit/main/a.txt", text="one\ntwo and\nthree")
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/alice/shelf/blob/main/a.txt"
    assert desk.shelf.file("a.txt").content == b"one\r\ntwo and\r\nthree"
    assert desk.last()["title"] == "Update a.txt"
    assert [one["user"] for one in desk.last()["authors"]] == ["alice"]


def test_what_stands_in_the_form_is_the_file(desk: Desk) -> None:
    for path in ("docs/odd.txt", "docs/b.txt", "README.md", ".gitattributes"):
        before, head = desk.shelf.file(path).content, desk.shelf.head()
        answer = desk.fill(f"/edit/main/{path}")
        assert "nothing to commit" in read_html(answer, 422).one("div", role="alert").text
        assert desk.shelf.head() == head
        moved = desk.fill(f"/edit/main/{path}", path=f"{path}.moved", summary="Away")
        assert moved.status_code == 303
        assert desk.shelf.file(f"{path}.moved").content == before
        assert desk.shelf.file(path).status_code == 404
        assert desk.last()["title"] == "Away"


def test_a_file_moves_by_its_path_and_stays_what_it_is(desk: Desk) -> None:
    handmade(desk.shelf, "odd", [(b"100755", b"run", b"#!/bin/sh\n")])
    answer = desk.fill("/edit/odd/run", path="bin/go.sh", text="#!/bin/sh\nls\n")
    assert answer.headers["location"] == "/alice/shelf/blob/odd/bin/go.sh"
    assert desk.last("odd")["title"] == "Rename run to bin/go.sh"
    data = desk.browser.json("/alice/shelf/blob/odd/bin/go.sh")
    assert (data["isExecutable"], data["size"]) == (True, 13)
    assert desk.shelf.paths("odd") == ["bin", "bin/go.sh"]
    assert desk.fill("/edit/odd/bin/go.sh", path="bin").status_code == 422


def test_a_new_file_in_a_folder_that_is_not_there_yet(desk: Desk) -> None:
    form = filled(desk.open("/new/main/docs/more?name=c.txt"))
    assert form["path"] == "docs/more/c.txt"
    words = {"text": "c", "summary": " Say more ", "description": "because\nof it"}
    answer = desk.send("/new/main/docs/more", **(form | words))
    assert answer.headers["location"] == "/alice/shelf/blob/main/docs/more/c.txt"
    assert desk.shelf.file("docs/more/c.txt").content == b"c"
    assert (desk.last()["title"], desk.last()["message"]) == ("Say more", "because\nof it")
    assert desk.browser.get("/alice/shelf/new/main?name=a.txt").headers["location"] == (
        "/alice/shelf/edit/main/a.txt"
    )


def test_a_name_that_cannot_be_is_told_and_what_was_typed_is_kept(desk: Desk) -> None:
    head = desk.shelf.head()
    for path, said in NAMES:
        answer = desk.fill("/new/main", path=path, text="what I wrote\n", description="why")
        page = read_html(answer, 422)
        assert said in fault(page, "path"), path
        kept = filled(page)
        assert (kept["text"], kept["description"]) == ("what I wrote\r\n", "why")
    assert desk.shelf.head() == head


def test_a_text_that_is_too_long_or_no_text_is_told_and_kept(desk: Desk) -> None:
    long = "x" * (1 << 20) + "y"
    page = read_html(desk.fill("/new/main", path="long.txt", text=long), 422)
    assert "1.05 MB" in fault(page, "text")
    assert filled(page)["text"] == long
    assert desk.fill("/new/main", path="long.txt", text="é\n" * 300_000).status_code == 303
    assert len(desk.shelf.file("long.txt").content) == 900_000
    page = read_html(desk.fill("/new/main", path="nul.txt", text="a\0b"), 422)
    assert "NUL" in fault(page, "text")
    assert desk.fill("/new/main", path="b.txt", text="x" * (9 << 20)).status_code == 413
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12\n"
    page = read_html(desk.fill("/new/main", path="pointer", text=pointer), 422)
    assert "must be uploaded before" in page.one("div", role="alert").text


def test_what_a_form_cannot_take_is_said_with_the_way_that_works(desk: Desk) -> None:
    shelf = desk.shelf
    large = shelf.upload(b"w" * 3000)
    files = {"raw": b"a\0b", "utf16": "hé".encode("utf-16"), "big.txt": b"x" * ((1 << 20) + 1)}
    shelf.commit(files, lines=[("lfsFile", {"path": "sub/w.bin", **large})])
    handmade(shelf, "odd", [(b"120000", b"link", b"target")])
    for path, why in (
        ("main/raw", "binary"),
        ("main/utf16", "binary"),
        ("main/big.txt", "1 MiB"),
        ("main/sub/w.bin", "large file"),
        ("odd/link", "symbolic link"),
    ):
        page = desk.open(f"/edit/{path}", 422)
        assert why in page.one("main").text, path
        assert page.one("main").link("Back to the file") == f"/alice/shelf/blob/{path}"
        assert not page.all("textarea")
    page = desk.open("/edit/main/sub/w.bin", 422)
    assert page.link("Upload a new version") == "/alice/shelf/upload/main/sub"
    assert desk.browser.get("/alice/shelf/edit/main/docs").headers["location"] == (
        "/alice/shelf/tree/main/docs"
    )
    desk.open("/edit/main/nowhere", 404)


def test_the_first_commit_of_an_empty_repository_can_be_its_card(alice: Browser) -> None:
    World(alice.hub).repo("alice/empty", kind="dataset")
    desk = Desk(alice, Shelf(alice.hub, "alice/empty", "datasets"))
    page = desk.open("/tree/main")
    card = page.one("main").link("Write the card")
    assert card == "/datasets/alice/empty/new/main?name=README.md"
    answer = desk.fill(card.removeprefix(desk.shelf.web))
    assert answer.headers["location"] == "/datasets/alice/empty/blob/main/README.md"
    assert desk.shelf.paths() == ["README.md"]
    assert b"# empty\n" in desk.shelf.file("README.md").content
    # The first commit is one that the form had not seen, and it is not written over.
    late = filled(read_html(alice.get("/datasets/alice/empty/new/main"))) | {"parent": ""}
    assert desk.send("/new/main", **late).status_code == 422
    assert desk.send("/edit/main/README.md", **(late | {"path": "README.md"})).status_code == 409


def test_a_card_is_looked_at_before_it_is_committed_and_taken_as_it_is(desk: Desk) -> None:
    text = f"---\nlicense: nonsense\n---\n# New {SCRIPT}\n[b](docs/b.txt)\n"
    page = read_html(desk.fill("/edit/main/README.md", text=text, do="preview"))
    check_inert(page)
    shown = page.one("div", id="shown")
    assert shown.link("b") == "/alice/shelf/blob/main/docs/b.txt"
    assert '"license" must be one of' in page.one("div", id="card").text
    assert filled(page)["text"] == text.replace("\n", "\r\n")
    assert desk.last()["title"] == "a change"
    page = read_html(desk.fill("/edit/main/README.md", text=text, do="changes"))
    rows = [row.text for row in page.one("div", id="shown").all("tr", class_="removed")]
    assert any("license: mit" in row for row in rows)
    check_inert(page)
    assert desk.fill("/edit/main/README.md", text=text).status_code == 303
    assert desk.shelf.file("README.md").content == text.encode()
    told = desk.open("/blob/main/README.md").one("main").text
    assert '"license" must be one of' in told


def test_another_text_is_previewed_in_lines(desk: Desk) -> None:
    page = read_html(desk.fill("/new/main", path="x.py", text="def f():\n  1\n", do="preview"))
    assert len(page.one("div", id="shown").all("tr")) == 2
    check_inert(page)


def test_a_preview_that_takes_long_or_is_too_long_is_not_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, render = Event(), rendered.render_markdown

    def slow(*given: object) -> object:
        assert over.wait(20)
        return render(*given)  # ty: ignore

    monkeypatch.setattr(rendered, "render_markdown", slow)
    monkeypatch.setattr(kept, "PATIENCE", 0.05)
    try:
        late = read_html(desk.fill("/new/main", path="x.md", text="# Words", do="preview"))
    finally:
        over.set()
    assert "takes long to prepare" in late.one("div", id="shown").text
    assert filled(late)["text"] == "# Words"
    monkeypatch.setattr(rendered, "render_markdown", None)
    for what in ("preview", "changes"):
        answer = desk.fill("/new/main", path="x.md", text="word " * 210_000, do=what)
        page = read_html(answer, 422)
        assert "a form takes 1 MiB" in fault(page, "text")
        assert not page.one("div", id="shown").text.strip()


def test_what_is_no_branch_is_said_and_the_default_one_offered(desk: Desk) -> None:
    made = desk.shelf.hub.post(
        f"{desk.shelf.api}/tag/main", token=desk.shelf.token, json={"tag": "v1"}
    )
    assert made.status_code == 200
    for rev in ("v1", desk.shelf.head()):
        for path, there in (
            (f"/edit/{rev}/docs/b.txt", "/edit/main/docs/b.txt"),
            (f"/new/{rev}?name=x", "/new/main?name=x"),
            (f"/delete/{rev}/docs", "/delete/main/docs"),
            (f"/revert/{rev}?commit=v1", "/revert/main?commit=v1"),
        ):
            page = desk.open(path, 400)
            assert "not a branch" in page.one("main").text
            assert page.link("Go on with main") == f"/alice/shelf{there}"
    desk.open("/edit/nowhere/a.txt", 404)


def test_the_ways_to_change_something_are_offered_to_who_may(desk: Desk) -> None:
    oid = desk.shelf.head()
    blob = desk.open("/blob/main/docs/b.txt")
    assert blob.link("Edit") == "/alice/shelf/edit/main/docs/b.txt"
    assert blob.link("Delete") == "/alice/shelf/delete/main/docs/b.txt"
    tree = desk.open("/tree/main/docs")
    assert tree.link("New file") == "/alice/shelf/new/main/docs"
    assert tree.link("Delete this folder") == "/alice/shelf/delete/main/docs"
    commit = desk.open(f"/commit/{oid}")
    assert commit.link("Take back") == f"/alice/shelf/revert/main?commit={oid}"
    assert "Edit" not in texts(desk, f"/blob/{oid}/docs/b.txt")
    assert "New file" not in texts(desk, f"/tree/{oid}/docs")
    stranger = Desk(Browser(desk.shelf.hub), desk.shelf)
    for path in ("/blob/main/docs/b.txt", "/tree/main/docs", f"/commit/{oid}"):
        assert not {"Edit", "Delete", "New file", "Take back"} & set(texts(stranger, path))


def texts(desk: Desk, path: str) -> list[str]:
    return [one.text for one in desk.open(path).all("a")]


def test_every_page_is_data_too(desk: Desk) -> None:
    data = desk.browser.json("/alice/shelf/edit/main/a.txt")
    assert (data["text"], data["origin"], data["branch"]) == ("one\ntwo", "a.txt", "main")
    assert data["parent"] == desk.shelf.head()
    assert desk.browser.json("/alice/shelf/delete/main/docs")["count"] == 2
    assert desk.browser.json(f"/alice/shelf/revert/main?commit={desk.shelf.head()}")["diff"]

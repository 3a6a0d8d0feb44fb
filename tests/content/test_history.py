# SPDX-License-Identifier: Apache-2.0
"""The history of a path, and comparisons, through the API."""

from pathlib import Path
from urllib.parse import urlencode

import httpx2 as httpx
import pytest

from hubkeep.content import api_history, comparing
from tests.content.shelf import Shelf
from tests.git.native import git
from tests.web.html import BROWSER


def pages(shelf: Shelf, path: str, **params: object) -> list[dict]:
    """All items of a list, following its links."""
    limit = int(str(params.get("limit", 100)))
    url: str | None = f"{shelf.api}/commits/main/{path}?{urlencode(params)}"
    items: list[dict] = []
    while url is not None:
        got = shelf.hub.get(url, token=shelf.token)
        assert got.status_code == 200, got.text
        assert "X-Total-Count" not in got.headers
        assert len(got.json()) <= limit
        items += got.json()
        url = got.links.get("next", {}).get("url")
    return items


def compare(shelf: Shelf, revisions: str, **params: object) -> httpx.Response:
    return shelf.hub.get(f"{shelf.api}/compare/{revisions}", token=shelf.token, params=params)


def test_a_path_has_a_history_of_its_own(shelf: Shelf) -> None:
    for i in range(5):
        shelf.commit({"f/a": b"%d" % i}, summary=f"<{i}>")
        shelf.commit({"b": b"%d" % i})
    for limit in (1, 2, 5, 100):
        assert [each["title"] for each in pages(shelf, "f/a", limit=limit)] == [
            f"<{i}>" for i in range(4, -1, -1)
        ]
    assert [each["id"] for each in pages(shelf, "f")] == [e["id"] for e in pages(shelf, "f/a")]
    shown = pages(shelf, "f/a", **{"expand[]": "formatted"})[0]
    assert shown["formatted"] == {"title": "&lt;4&gt;", "message": ""}
    assert {*shown} == {"id", "title", "message", "date", "authors", "formatted"}


def test_a_deleted_and_new_path_has_all_of_its_history(shelf: Shelf) -> None:
    shelf.commit({"a": b"1"}, summary="made")
    shelf.commit({}, delete=["a"], summary="deleted")
    shelf.commit({"b": b"1"})
    gone = shelf.hub.get(f"{shelf.api}/commits/main/a", token=shelf.token)
    assert (gone.status_code, gone.headers["X-Error-Code"]) == (404, "EntryNotFound")
    shelf.commit({"a": b"1"}, summary="again")
    assert [each["title"] for each in pages(shelf, "a", limit=1)] == ["again", "deleted", "made"]


@pytest.mark.parametrize(
    "cursor", ["no", "W10", "W1tdXQ", "W1siQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE9Il1d"]
)
def test_cursors_that_are_not_ours_are_refused(shelf: Shelf, cursor: str) -> None:
    url = f"{shelf.api}/commits/main/.gitattributes?cursor={cursor}"
    assert shelf.hub.get(url, token=shelf.token).status_code == 400


def test_three_dots_compare_with_what_is_in_common(shelf: Shelf) -> None:
    shelf.commit({"a": b"1\n"})
    made = shelf.hub.post(f"{shelf.api}/branch/dev", token=shelf.token, json={})
    assert made.status_code < 300
    shelf.commit({"a": b"2\n"})
    shelf.commit({"b": b"1\n"}, rev="dev")
    assert [each["path"] for each in compare(shelf, "main..dev").json()] == ["a", "b"]
    assert [each["path"] for each in compare(shelf, "main...dev").json()] == ["b"]
    for odd in ("main", "..dev", "main..", "main...", "main....dev"):
        assert compare(shelf, odd).status_code in (400, 404)
    shelf.hub.post(f"{shelf.api}/branch/alone", token=shelf.token, json={})
    shelf.hub.post(f"{shelf.api}/super-squash/alone", token=shelf.token, json={})
    answer = compare(shelf, "main...alone")
    assert answer.status_code == 404
    assert "No common ancestor" in answer.json()["error"]


def test_real_git_applies_the_patch(shelf: Shelf, tmp_path: Path) -> None:
    long = b"".join(b"%d\n" % i for i in range(6000))
    before = {
        "deleted": b"gone\n",
        "empty": b"",
        "f/no end": b"a\nb",
        "gets/empty": b"x\n",
        "latin": b"caf\xe9\n",
        "long": long,
        'q"uote': b"1\n",
        "caf\u00e9": b"1\n",
        "turns": b"a file\n",
    }
    after = {
        "empty": b"no more\n",
        "f/no end": b"a\nc",
        "gets/empty": b"",
        "latin": b"caf\xe8\n",
        "long": long.replace(b"\n", b"!\n"),
        'q"uote': b"2\n",
        "caf\u00e9": b"2\n",
        "turns/in": b"a folder\n",
        "new/empty": b"",
        "new/file": b"new",
    }
    shelf.commit(before)
    old = shelf.head()
    shelf.commit({}, delete=before)
    shelf.commit(after)
    raw = compare(shelf, f"{old}..main", raw="true")
    assert raw.headers["content-type"].startswith("text/plain")
    assert "X-HF-Warning" not in raw.headers
    work = tmp_path / "work"
    for path, content in before.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(content)
    git("init", "-q", str(work))
    git("apply", "--whitespace=nowarn", cwd=work, stdin=raw.content)
    found = {
        str(file.relative_to(work)): file.read_bytes()
        for file in work.rglob("*")
        if file.is_file() and ".git" not in file.parts
    }
    assert found == after


def test_binary_files_are_marked_as_git_does(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"\0"})
    old = shelf.head()
    shelf.commit({"a.txt": b"\0\0"})
    raw = compare(shelf, f"{old}..main", raw="true").text
    assert raw.endswith("Binary files a/a.txt and b/a.txt differ\n")
    assert compare(shelf, f"{old}..main").json()[0]["isBinary"] is True


def test_a_long_comparison_is_cut_and_says_so(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "MAX_FILES", 4)
    old = shelf.head()
    shelf.commit({f"f{i}/{j}": b"x\n" for i in range(4) for j in range(2)} | {"f1.x": b"y\n"})
    answer = compare(shelf, f"{old}..main")
    assert [each["path"] for each in answer.json()] == ["f0/0", "f0/1", "f1.x", "f1/0"]
    assert answer.headers["X-HF-Warning"] == api_history._CUT
    assert compare(shelf, f"{old}..main", raw="1").text.count("diff --git") == 4
    monkeypatch.setattr(comparing, "_TOTAL_LIMIT", 10)
    monkeypatch.setattr(comparing, "MAX_FILES", 3000)
    answer = compare(shelf, f"{old}..main")
    assert [bool(each["diff"]) for each in answer.json()] == [True] + [False] * 8
    assert "X-HF-Warning" in answer.headers
    monkeypatch.setattr(comparing, "_TOTAL_LIMIT", 8 << 20)
    monkeypatch.setattr(comparing, "_READ_LIMIT", 3 * (len("x\n") + comparing._LINE))
    answer = compare(shelf, f"{old}..main")
    assert [bool(each["diff"]) for each in answer.json()] == [True] * 3 + [False] * 6
    assert all(each["newOid"] and not each["isBinary"] for each in answer.json())
    assert answer.headers["X-HF-Warning"] == api_history._CUT
    assert compare(shelf, f"{old}..main", raw="1").text.count("diff --git") == 3


def test_many_files_have_one_allowance_of_work_and_beyond_it_are_replaced(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{at}\n" for at in range(9)]
    shelf.commit({f"f{i}": "".join(lines).encode() for i in range(4)})
    lines[1] = lines[7] = "new\n"
    old = shelf.head()
    shelf.commit({f"f{i}": "".join(lines).encode() for i in range(4)})
    whole = compare(shelf, f"{old}..main")
    assert [each["diff"].count("\n-") for each in whole.json()] == [2] * 4
    assert "X-HF-Warning" not in whole.headers
    monkeypatch.setattr(comparing, "_STEPS", 150)
    answer = compare(shelf, f"{old}..main")
    replaced = [each["diff"].count("\n-") > 2 for each in answer.json()]
    assert replaced == sorted(replaced)
    assert (replaced[0], replaced[-1]) == (False, True)
    assert answer.headers["X-HF-Warning"] == api_history._ROUGH
    page = shelf.hub.get(f"{shelf.web}/compare/{old}..main", headers=BROWSER).text
    assert "Too much has changed to compare all of it line by line" in page
    monkeypatch.undo()
    page = shelf.hub.get(f"{shelf.web}/compare/{old}..main", headers=BROWSER).text
    assert "Too much has changed" not in page

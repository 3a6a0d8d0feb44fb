# SPDX-License-Identifier: Apache-2.0
"""Branches, tags, squashing and history."""

import pytest

from tests.content.shelf import Shelf


def _refs(shelf: Shelf) -> dict[str, list[str]]:
    answer = shelf.hub.get(f"{shelf.api}/refs?include_prs=1", token=shelf.token).json()
    return {kind: [item["ref"] for item in items] for kind, items in answer.items()}


def test_branches_come_and_go(shelf: Shelf) -> None:
    start = shelf.head()
    shelf.commit({"a.txt": b"1"})
    url = f"{shelf.api}/branch/feat%2Fx"
    assert shelf.hub.post(url, token=shelf.token, json={"startingPoint": start}).status_code == 200
    assert _refs(shelf)["branches"] == ["refs/heads/feat/x", "refs/heads/main"]
    assert shelf.paths("feat%2Fx") == [".gitattributes"]
    shelf.commit({"b.txt": b"2"}, rev="feat%2Fx")
    assert shelf.paths() == [".gitattributes", "a.txt"]
    again = shelf.hub.post(url, token=shelf.token, json={})
    assert again.status_code == 409
    assert again.json()["error"] == "Reference refs/heads/feat/x already exists"
    assert shelf.hub.delete(url, token=shelf.token).status_code == 200
    gone = shelf.hub.delete(url, token=shelf.token)
    assert gone.status_code == 404
    assert "Invalid rev id" in gone.json()["error"]


def test_the_default_branch_stays(shelf: Shelf) -> None:
    answer = shelf.hub.delete(f"{shelf.api}/branch/main", token=shelf.token)
    assert answer.status_code == 403
    assert answer.json()["error"] == "Cannot delete refs/heads/main"


@pytest.mark.parametrize("name", ["refs%2Fheads%2Fx", "a..b", "x.lock", "-x", "a%20b", "x%7E1"])
def test_bad_branch_names(shelf: Shelf, name: str) -> None:
    answer = shelf.hub.post(f"{shelf.api}/branch/{name}", token=shelf.token, json={})
    assert answer.status_code == 400
    assert "Invalid reference for a branch" in answer.json()["error"]


def test_a_branch_below_another_is_refused(shelf: Shelf) -> None:
    answer = shelf.hub.post(f"{shelf.api}/branch/main%2Fx", token=shelf.token, json={})
    assert answer.status_code == 409


def test_tags_keep_a_revision(shelf: Shelf) -> None:
    first = shelf.head()
    for tag, message in (("v1", None), ("v2", "a release")):
        body = {"tag": tag, "message": message}
        made = shelf.hub.post(f"{shelf.api}/tag/main", token=shelf.token, json=body)
        assert made.status_code == 200
    shelf.commit({"a.txt": b"1"})
    assert shelf.paths("v1") == shelf.paths("v2") == [".gitattributes"]
    assert shelf.head("v2") == first
    again = shelf.hub.post(f"{shelf.api}/tag/main", token=shelf.token, json={"tag": "v1"})
    assert again.status_code == 409
    assert shelf.hub.delete(f"{shelf.api}/tag/v1", token=shelf.token).status_code == 200
    assert _refs(shelf)["tags"] == ["refs/tags/v2"]


def test_a_branch_wins_over_a_tag_of_its_name(shelf: Shelf) -> None:
    shelf.hub.post(f"{shelf.api}/tag/main", token=shelf.token, json={"tag": "both"})
    shelf.hub.post(f"{shelf.api}/branch/both", token=shelf.token, json={})
    shelf.commit({"a.txt": b"1"}, rev="both")
    assert "a.txt" in shelf.paths("both")
    assert "a.txt" not in shelf.paths("refs%2Ftags%2Fboth")


def test_history_in_pages_with_its_length(shelf: Shelf) -> None:
    for n in range(5):
        shelf.commit({"a.txt": str(n).encode()}, summary=f"change <{n}>", description="why")
    page = shelf.hub.get(f"{shelf.api}/commits/main?limit=4&expand[]=formatted", token=shelf.token)
    assert page.headers["X-Total-Count"] == "6"
    titles = [commit["title"] for commit in page.json()]
    assert titles == [f"change <{n}>" for n in (4, 3, 2, 1)]
    newest = page.json()[0]
    assert newest["message"] == "why"
    assert newest["formatted"]["title"] == "change &lt;4&gt;"
    assert newest["authors"] == [{"user": "alice"}]
    link = page.headers["Link"].partition(">")[0].lstrip("<")
    rest = shelf.hub.get(link, token=shelf.token)
    assert [commit["title"] for commit in rest.json()] == ["change <0>", "initial commit"]
    assert "Link" not in rest.headers


def test_squashing_leaves_one_commit_and_all_files(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1"})
    shelf.commit({"b.txt": b"2"})
    before = shelf.paths()
    answer = shelf.hub.post(
        f"{shelf.api}/super-squash/main", token=shelf.token, json={"message": "all in one"}
    )
    assert answer.status_code == 200
    commits = shelf.hub.get(f"{shelf.api}/commits/main", token=shelf.token)
    assert [commit["title"] for commit in commits.json()] == ["all in one"]
    assert commits.headers["X-Total-Count"] == "1"
    assert shelf.paths() == before
    assert shelf.hub.get(shelf.api, token=shelf.token).json()["sha"] == commits.json()[0]["id"]


def test_what_no_reference_leads_to_goes_after_an_hour(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1"})
    old = shelf.head()
    shelf.hub.post(f"{shelf.api}/tag/main", token=shelf.token, json={"tag": "kept"})
    shelf.commit({"a.txt": b"2"})
    lost = shelf.head()
    shelf.hub.post(f"{shelf.api}/super-squash/main", token=shelf.token, json={"message": "one"})
    shelf.hub.clock.move(minutes=30)
    shelf.hub.run_jobs()
    assert shelf.file("a.txt", lost).content == b"2"
    shelf.hub.clock.move(minutes=31)
    shelf.hub.run_jobs()
    assert shelf.file("a.txt", lost).headers["X-Error-Code"] == "RevisionNotFound"
    assert shelf.file("a.txt", old).content == b"1"
    assert shelf.file("a.txt").content == b"2"
    shelf.commit({"b.txt": b"3"})
    assert shelf.paths() == [".gitattributes", "a.txt", "b.txt"]


def test_what_changed_between_two_revisions(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"one\n", "d/b.txt": b"x\n"})
    old = shelf.head()
    shelf.commit({"a.txt": b"two\n", "c.txt": b"new\n"}, delete=["d/b.txt"])
    url = f"{shelf.api}/compare/{old}..main"
    changes = {item["path"]: item for item in shelf.hub.get(url, token=shelf.token).json()}
    assert {path: item["status"] for path, item in changes.items()} == {
        "a.txt": "modified",
        "c.txt": "added",
        "d/b.txt": "deleted",
    }
    raw = shelf.hub.get(f"{url}?raw=true", token=shelf.token)
    assert raw.headers["content-type"].startswith("text/plain")
    assert "-one\n+two\n" in raw.text

# SPDX-License-Identifier: Apache-2.0
"""Listings: whole, in pages, with last commits; single paths by form and by JSON."""

import re

import pytest

from hubkeep.git import last_commits
from tests.content.shelf import Shelf


@pytest.fixture
def full(shelf: Shelf) -> Shelf:
    """A repository with folders whose names sort before and after files."""
    shelf.commit({"a.txt": b"1", "a/x.txt": b"22", "a/b/y.txt": b"333", "b": b"4", "a-b/z": b"5"})
    return shelf


def test_a_folder_lists_its_own_entries(full: Shelf) -> None:
    listed = full.hub.get(f"{full.api}/tree/main", token=full.token).json()
    assert [entry["path"] for entry in listed] == [".gitattributes", "a-b", "a.txt", "a", "b"]
    folder = next(entry for entry in listed if entry["path"] == "a")
    assert (folder["type"], folder["size"]) == ("directory", 0)
    below = full.hub.get(f"{full.api}/tree/main/a", token=full.token).json()
    assert [(entry["path"], entry["size"]) for entry in below] == [("a/b", 0), ("a/x.txt", 2)]


def test_a_path_may_be_one_encoded_segment(full: Shelf) -> None:
    full.commit({"a/b/c/d.txt": b"x"})
    below = full.hub.get(f"{full.api}/tree/main/a%2Fb%2Fc", token=full.token).json()
    assert [entry["path"] for entry in below] == ["a/b/c/d.txt"]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("recursive", ["true", "false"])
def test_pages_add_up_to_the_whole(full: Shelf, limit: int, recursive: str) -> None:
    url = f"{full.api}/tree/main?recursive={recursive}&expand=false"
    whole = full.hub.get(url, token=full.token).json()
    pages: list[object] = []
    link: str | None = f"{url}&limit={limit}"
    while link:
        answer = full.hub.get(link, token=full.token)
        assert len(answer.json()) <= limit
        pages += answer.json()
        found = re.fullmatch(r'<(http://.*)>; rel="next"', answer.headers.get("link", ""))
        link = found[1] if found else None
    assert pages == whole


def test_last_commits_are_told_where_they_are_asked_for(full: Shelf) -> None:
    before = full.head()
    full.commit({"a/x.txt": b"changed"}, summary="touch x")
    listed = full.hub.get(f"{full.api}/tree/main?expand=true", token=full.token).json()
    last = {entry["path"]: entry["lastCommit"] for entry in listed}
    assert last["a"]["title"] == "touch x"
    assert last["a"]["id"] == full.head()
    assert last["b"]["id"] == before
    assert last["a"]["date"].endswith("Z")


def test_what_is_not_there(full: Shelf) -> None:
    missing = full.hub.get(f"{full.api}/tree/main/nowhere", token=full.token)
    assert missing.status_code == 404
    assert missing.headers["X-Error-Code"] == "EntryNotFound"
    revision = full.hub.get(f"{full.api}/tree/nowhere", token=full.token)
    assert revision.headers["X-Error-Code"] == "RevisionNotFound"


def test_paths_are_told_of_by_form_and_by_json(full: Shelf) -> None:
    url = f"{full.api}/paths-info/main"
    paths = ["a/x.txt", "a", "gone"]
    by_json = full.hub.post(url, token=full.token, json={"paths": paths, "expand": True})
    by_form = full.hub.post(url, token=full.token, data={"paths": paths, "expand": "true"})
    assert by_json.json() == by_form.json()
    assert {entry["path"] for entry in by_json.json()} == {"a", "a/x.txt"}
    assert all("lastCommit" in entry for entry in by_json.json())


def test_too_many_paths(full: Shelf) -> None:
    many = {"paths": [str(n) for n in range(1001)]}
    answer = full.hub.post(f"{full.api}/paths-info/main", token=full.token, json=many)
    assert answer.status_code == 413


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "cursor=nonsense!", "depth=3"])
def test_parameters_are_never_accepted_in_silence(full: Shelf, query: str) -> None:
    assert full.hub.get(f"{full.api}/tree/main?{query}", token=full.token).status_code == 400


def test_what_last_changed_is_read_once_for_a_page(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    depth = "/".join(["x"] * 20)
    shelf.commit({f"d{n}/{depth}/f": b"1" for n in range(50)})
    shelf.commit({f"d{n}/{depth}/g": b"2" for n in range(50)})
    read: list[bytes | None] = []

    def decode(data: bytes | None) -> last_commits.Record:
        read.append(data)
        return decode_record(data)

    decode_record = last_commits.decode_record
    monkeypatch.setattr(last_commits, "decode_record", decode)
    paths = [f"d{n}/{depth}/{name}" for n in range(50) for name in "fg"]
    answer = shelf.hub.post(
        f"{shelf.api}/paths-info/main", token=shelf.token, json={"expand": True, "paths": paths}
    )
    assert len({entry["lastCommit"]["id"] for entry in answer.json()}) == 2
    # One record for each commit, however many folders lead to it.
    assert len(read) <= 3

# SPDX-License-Identifier: Apache-2.0
"""Files as bytes: headers that clients read, ranges, conditions, inertness, and counting."""

import pytest

from tests.content.shelf import Shelf

TEXT = b"0123456789" * 30
WEIGHTS = b"\0abc" * 5000


@pytest.fixture
def full(shelf: Shelf) -> Shelf:
    line = ("lfsFile", {"path": "w.bin", **shelf.upload(WEIGHTS)})
    shelf.commit({"config.json": b"{}", "t.txt": TEXT, "ü b.txt": b"x"}, lines=[line])
    return shelf


@pytest.mark.parametrize(("path", "content"), [("t.txt", TEXT), ("w.bin", WEIGHTS)])
def test_head_says_what_get_says(full: Shelf, path: str, content: bytes) -> None:
    got = full.file(path)
    head = full.hub.head(f"{full.web}/resolve/main/{path}", token=full.token)
    assert got.content == content
    assert head.content == b""
    for name in ("etag", "x-repo-commit", "content-length", "accept-ranges", "content-type"):
        assert head.headers[name] == got.headers[name]
    assert got.headers["content-length"] == str(len(content))
    assert got.headers["x-repo-commit"] == full.head()


def test_an_lfs_file_tells_its_sha256_and_size(full: Shelf) -> None:
    headers = full.file("w.bin").headers
    oid = full.upload(WEIGHTS)["oid"]
    assert headers["etag"] == headers["x-linked-etag"] == f'"{oid}"'
    assert headers["x-linked-size"] == str(len(WEIGHTS))


@pytest.mark.parametrize(("path", "content"), [("t.txt", TEXT), ("w.bin", WEIGHTS)])
@pytest.mark.parametrize(
    ("wanted", "part"),
    [("bytes=0-0", slice(0, 1)), ("bytes=5-9", slice(5, 10)), ("bytes=-3", slice(-3, None))],
)
def test_ranges(full: Shelf, path: str, content: bytes, wanted: str, part: slice) -> None:
    answer = full.file(path, headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == content[part]
    assert answer.headers["content-range"].endswith(f"/{len(content)}")


@pytest.mark.parametrize(("path", "size"), [("t.txt", len(TEXT)), ("w.bin", len(WEIGHTS))])
def test_a_range_past_the_end(full: Shelf, path: str, size: int) -> None:
    answer = full.file(path, headers={"Range": f"bytes={size}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize("path", ["t.txt", "w.bin"])
def test_a_client_that_has_it_gets_nothing_again(full: Shelf, path: str) -> None:
    etag = full.file(path).headers["etag"]
    answer = full.file(path, headers={"If-None-Match": etag})
    assert answer.status_code == 304
    assert answer.content == b""


def test_names_with_other_letters(full: Shelf) -> None:
    answer = full.file("%C3%BC%20b.txt")
    assert answer.content == b"x"
    assert "filename*=UTF-8''%C3%BC%20b.txt" in answer.headers["content-disposition"]


def test_what_users_uploaded_is_inert(full: Shelf) -> None:
    full.commit({"x.html": b"<script>alert(1)</script>"})
    for kind in ("resolve", "raw"):
        headers = full.hub.get(f"{full.web}/{kind}/main/x.html", token=full.token).headers
        assert headers["content-type"].startswith("text/plain")
        assert headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("path", ["nope.txt", "../t.txt", "%00", ".git/config"])
def test_a_missing_file_names_the_commit(full: Shelf, path: str) -> None:
    answer = full.file(path)
    assert answer.status_code == 404
    if answer.headers.get("X-Error-Code"):
        assert answer.headers["X-Error-Code"] == "EntryNotFound"
        assert answer.headers["X-Repo-Commit"] == full.head()


def test_private_files_are_not_there_for_strangers(hub) -> None:
    shelf = Shelf(hub, "alice/secret").create(private=True)
    shelf.commit({"t.txt": TEXT})
    url = f"{shelf.web}/resolve/main/t.txt"
    assert hub.get(url).status_code == 401
    stranger = hub.get(url, token=hub.tokens.bob)
    missing = hub.get("/alice/missing/resolve/main/t.txt", token=hub.tokens.bob)
    assert stranger.status_code == missing.status_code == 404
    assert stranger.headers["X-Error-Code"] == "RepoNotFound"
    assert stranger.text.replace("secret", "missing") == missing.text


def test_a_bad_token_is_told_even_on_public_files(full: Shelf) -> None:
    answer = full.hub.get(f"{full.web}/resolve/main/t.txt", token="hf_wrong")
    assert answer.status_code == 401
    assert answer.headers["X-Error-Message"] == "Invalid credentials in Authorization header"


def _downloads(shelf: Shelf) -> int:
    shelf.hub.client.portal.call(shelf.hub.app.downloads.flush)
    return shelf.hub.get(shelf.api, token=shelf.token).json()["downloads"]


def test_a_download_counts_once_in_five_minutes(full: Shelf) -> None:
    for _ in range(3):
        full.file("config.json")
    assert _downloads(full) == 1
    full.hub.clock.move(minutes=4)
    full.file("config.json")
    assert _downloads(full) == 1
    full.hub.clock.move(minutes=6)
    full.file("config.json")
    assert _downloads(full) == 2


def test_callers_are_told_apart(full: Shelf) -> None:
    url = f"{full.web}/resolve/main/config.json"
    full.hub.get(url, token=full.hub.tokens.alice)
    full.hub.get(url, token=full.hub.tokens.bob)
    full.hub.get(url, headers={"User-Agent": "one"})
    full.hub.get(url, headers={"User-Agent": "two"})
    assert _downloads(full) == 4


def test_what_does_not_count(full: Shelf) -> None:
    full.hub.head(f"{full.web}/resolve/main/config.json", token=full.token)
    full.file("t.txt")
    full.file("config.json", headers={"Range": "bytes=1-"})
    full.hub.get(f"{full.web}/raw/main/config.json", token=full.token)
    assert _downloads(full) == 0


def test_any_file_of_a_dataset_counts(hub) -> None:
    shelf = Shelf(hub, "alice/data", "datasets").create()
    shelf.commit({"train.csv": b"a,b\n"})
    shelf.file("train.csv")
    assert _downloads(shelf) == 1

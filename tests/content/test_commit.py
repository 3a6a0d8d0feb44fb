# SPDX-License-Identifier: Apache-2.0
"""Commits through the API: all or nothing, in order, and refused with words that help."""

import base64
import hashlib
import json
from urllib.parse import quote

import pytest

from hubkeep.git import editing
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub
from tests.repos.world import World


def test_a_commit_puts_its_files_there(shelf: Shelf) -> None:
    answer = shelf.commit({"a.txt": b"one", "deep/er/b.txt": b"two"})
    assert answer.status_code == 200
    oid = answer.json()["commitOid"]
    assert answer.json()["commitUrl"] == f"http://127.0.0.1:8080/alice/shelf/commit/{oid}"
    assert shelf.paths() == [".gitattributes", "a.txt", "deep", "deep/er", "deep/er/b.txt"]
    assert shelf.file("deep/er/b.txt").content == b"two"
    assert shelf.head() == oid


def test_the_same_commit_sent_again_changes_nothing(shelf: Shelf) -> None:
    first = shelf.commit({"a.txt": b"one"}).json()["commitOid"]
    assert shelf.commit({"a.txt": b"one"}).json()["commitOid"] == first


@pytest.mark.parametrize("rev", ["refs/tags/v1", "v1"])
def test_a_tag_does_not_take_commits(shelf: Shelf, rev: str) -> None:
    before = shelf.head()
    tagged = shelf.hub.post(f"{shelf.api}/tag/main", token=shelf.token, json={"tag": "v1"})
    assert tagged.status_code == 200
    answer = shelf.commit({"a.txt": b"one"}, rev=quote(rev, safe=""))
    assert answer.status_code == 400
    assert "not a branch" in answer.json()["error"]
    assert shelf.head("refs%2Ftags%2Fv1") == before


def test_an_lfs_file_is_a_pointer_in_git_and_itself_through_resolve(shelf: Shelf) -> None:
    content = b"\0weights" * 1000
    line = ("lfsFile", {"path": "model.bin", **shelf.upload(content)})
    assert shelf.commit(lines=[line]).status_code == 200
    assert shelf.file("model.bin").content == content
    pointer = shelf.hub.get(f"{shelf.web}/raw/main/model.bin", token=shelf.token).text
    assert pointer.startswith("version https://git-lfs.github.com/spec/v1\noid sha256:")
    (entry,) = shelf.hub.post(
        f"{shelf.api}/paths-info/main", token=shelf.token, json={"paths": ["model.bin"]}
    ).json()
    assert entry["size"] == len(content)
    assert entry["lfs"]["oid"] == line[1]["oid"]
    assert entry["lfs"]["pointerSize"] == len(pointer)


def test_an_lfs_file_that_was_not_uploaded_is_refused(shelf: Shelf) -> None:
    before = shelf.head()
    line = ("lfsFile", {"path": "model.bin", "algo": "sha256", "oid": "ab" * 32, "size": 3})
    answer = shelf.commit({"a.txt": b"one"}, lines=[line])
    assert answer.status_code == 400
    assert "uploaded before the commit" in answer.json()["error"]
    assert shelf.head() == before


def test_an_lfs_file_of_another_size_is_refused(shelf: Shelf) -> None:
    line = {"path": "model.bin", **shelf.upload(b"\0weights"), "size": 3}
    answer = shelf.commit(lines=[("lfsFile", line)])
    assert answer.status_code == 400
    assert "size" in answer.json()["error"]


def test_a_pointer_to_somebody_elses_file_opens_nothing(shelf: Shelf) -> None:
    secret = Shelf(shelf.hub, "alice/secret").create(private=True)
    oid = secret.upload(b"\0top secret")["oid"]
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 11\n".encode()
    bobs = Shelf(shelf.hub, "bob/steal")
    create = {"name": "steal", "type": "model"}
    shelf.hub.post("/api/repos/create", token=shelf.hub.tokens.bob, json=create)
    refused = bobs.commit({"m.bin": pointer}, token=shelf.hub.tokens.bob)
    assert refused.status_code == 400
    assert "uploaded before the commit" in refused.json()["error"]
    assert shelf.hub.get("/bob/steal/resolve/main/m.bin").status_code == 404
    # The one who may read the file may commit its pointer.
    assert shelf.commit({"m.bin": pointer}).status_code == 200
    assert shelf.file("m.bin").content == b"\0top secret"


def test_a_file_deleted_for_good_is_gone_though_its_pointer_stays(shelf: Shelf) -> None:
    line = ("lfsFile", {"path": "m.bin", **shelf.upload(b"\0weights")})
    shelf.commit(lines=[line])
    (file,) = shelf.hub.get(f"{shelf.api}/lfs-files", token=shelf.token).json()
    deletions = {"deletions": {"sha": [file["fileOid"]], "rewriteHistory": False}}
    answer = shelf.hub.post(f"{shelf.api}/lfs-files/batch", token=shelf.token, json=deletions)
    assert answer.status_code == 200, answer.text
    gone = shelf.file("m.bin")
    assert gone.status_code == 404
    assert gone.headers["X-Error-Code"] == "EntryNotFound"


def test_a_copied_lfs_file_needs_no_size(shelf: Shelf) -> None:
    uploaded = shelf.upload(b"\0weights")
    shelf.commit(lines=[("lfsFile", {"path": "model.bin", **uploaded})])
    copy = {"path": "copy.bin", "algo": "sha256", "oid": uploaded["oid"]}
    assert shelf.commit(lines=[("lfsFile", copy)]).status_code == 200
    assert shelf.file("copy.bin").content == b"\0weights"


def test_deleting_a_file_and_a_folder(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"1", "d/x.txt": b"2", "d/y.txt": b"3"})
    assert shelf.commit(delete=["a.txt", "d"]).status_code == 200
    assert shelf.paths() == [".gitattributes"]


def test_deleting_what_is_not_there(shelf: Shelf) -> None:
    answer = shelf.commit(delete=["gone.txt"])
    assert answer.status_code == 404
    assert answer.headers["X-Error-Code"] == "EntryNotFound"
    assert "A file with this name doesn't exist" in answer.json()["error"]


def test_copying_inside_the_repository(shelf: Shelf) -> None:
    shelf.commit({"d/x.txt": b"x", "d/y.txt": b"y"})
    line = ("copyFile", {"path": "e/y.txt", "srcPath": "d/y.txt"})
    assert shelf.commit(lines=[line]).status_code == 200
    assert shelf.file("e/y.txt").content == b"y"


def test_a_commit_that_fails_in_its_last_line_leaves_no_trace(shelf: Shelf) -> None:
    before = shelf.head()
    answer = shelf.commit({f"{n}.txt": b"x" for n in range(50)}, delete=["gone.txt"])
    assert answer.status_code == 404
    assert shelf.head() == before
    assert shelf.paths() == [".gitattributes"]


def test_a_parent_that_is_not_the_head_is_refused(shelf: Shelf) -> None:
    old = shelf.head()
    assert shelf.commit({"a.txt": b"1"}, parentCommit=old).status_code == 200
    answer = shelf.commit({"b.txt": b"2"}, parentCommit=old[:7])
    assert answer.status_code == 412
    assert answer.json()["error"].startswith("The branch was updated since you opened this page.")
    assert shelf.commit({"b.txt": b"2"}, parentCommit=shelf.head()[:7]).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "../up.txt",
        "a/../b.txt",
        "/absolute.txt",
        "a//b.txt",
        "./a.txt",
        ".git/config",
        "a/.GIT/config",
        "git~1/x",
        ".git. /x",
        "a\\b.txt",
        "nul\0.txt",
        "line\nbreak",
        "x" * 300,
        "",
    ],
)
def test_paths_that_git_or_people_cannot_take_are_refused(shelf: Shelf, path: str) -> None:
    answer = shelf.commit({path: b"x"})
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]
    assert shelf.paths() == [".gitattributes"]


def test_names_that_differ_by_case_alone_are_refused(shelf: Shelf) -> None:
    shelf.commit({"Config.json": b"1"})
    answer = shelf.commit({"config.json": b"2"})
    assert answer.status_code in (400, 409, 422)
    assert "case" in answer.json()["error"]


def test_a_file_where_a_folder_is_and_the_reverse(shelf: Shelf) -> None:
    shelf.commit({"d/x.txt": b"x", "f": b"f"})
    assert shelf.commit({"d": b"file"}).status_code == 400
    assert shelf.commit({"f/y.txt": b"y"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "header"),
        (b"not json", "Line 1"),
        (b'{"key": "header", "value": {"summary": "x"}}\n{"key": "nonsense", "value": {}}', "nons"),
        (
            b'{"key": "file", "value": {"path": "a", "content": "!", "encoding": "base64"}}',
            "base64",
        ),
        (b'{"key": "header", "value": {"summary": "x", "parentCommit": "zz"}}', "parentCommit"),
    ],
)
def test_a_malformed_body_is_explained(shelf: Shelf, body: bytes, says: str) -> None:
    answer = shelf.hub.post(f"{shelf.api}/commit/main", token=shelf.token, content=body)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_a_large_regular_file_is_sent_to_lfs(shelf: Shelf) -> None:
    answer = shelf.commit({"big.txt": b"x" * ((10 << 20) + 1)})
    assert answer.status_code == 400
    assert "git-lfs" in answer.json()["error"]


def test_an_endless_line_is_cut_off(shelf: Shelf) -> None:
    body = b'{"key": "header", "value": {"summary": "' + b"x" * (16 << 20)
    answer = shelf.hub.post(f"{shelf.api}/commit/main", token=shelf.token, content=body)
    assert answer.status_code == 413


def test_who_may_commit(shelf: Shelf) -> None:
    tokens = shelf.hub.tokens
    assert shelf.commit({"a": b"1"}, token=tokens.alice_read).status_code == 403
    assert shelf.commit({"a": b"1"}, token=tokens.bob).status_code == 403
    body = json.dumps({"key": "header", "value": {"summary": "x"}})
    answer = shelf.hub.post(f"{shelf.api}/commit/main", content=body)
    assert answer.status_code == 401
    assert shelf.paths() == [".gitattributes"]


def test_where_commits_can_go(shelf: Shelf) -> None:
    missing = shelf.commit({"a": b"1"}, rev="nowhere")
    assert missing.headers["X-Error-Code"] == "RevisionNotFound"
    assert shelf.commit({"a": b"1"}, rev=shelf.head()).status_code == 400
    assert shelf.commit({"a": b"1"}, rev="refs%2Fheads%2Fmain").status_code == 200


def test_pull_requests_are_said_to_be_missing(shelf: Shelf) -> None:
    answer = shelf.commit({"a": b"1"}, rev="main?create_pr=1")
    assert answer.status_code == 501
    assert answer.headers["X-Error-Code"] == "NotImplemented"


def test_a_repository_without_a_commit_takes_its_first_one_as_clients_make_it(hub: TestHub) -> None:
    World(hub).repo("alice/empty")
    token, api = hub.tokens.alice, "/api/models/alice/empty"
    files = [{"path": "a.txt", "size": 1, "sample": "YQ=="}]
    for branch, status in (("main", 200), ("other", 404)):
        answer = hub.post(f"{api}/preupload/{branch}", token=token, json={"files": files})
        assert answer.status_code == status
        if status == 200:
            assert answer.json()["commitOid"] is None
            assert answer.json()["files"][0]["uploadMode"] == "regular"
    assert Shelf(hub, "alice/empty").commit({"a.txt": b"a"}).status_code == 200
    first = hub.post(f"{api}/preupload/main", token=token, json={"files": files}).json()
    assert first["commitOid"] == hub.get(api).json()["sha"]


def test_preupload_tells_how_to_upload_each_file(shelf: Shelf) -> None:
    shelf.commit({"there.txt": b"there", ".gitignore": b"*.tmp\n"})
    files = [
        {"path": "new.txt", "size": 3, "sample": base64.b64encode(b"abc").decode()},
        {"path": "there.txt", "size": 5, "sample": ""},
        {"path": "w.safetensors", "size": 3, "sample": base64.b64encode(b"abc").decode()},
        {"path": "binary", "size": 3, "sample": base64.b64encode(b"a\0c").decode()},
        {"path": "large.txt", "size": 11 << 20, "sample": ""},
        {"path": "empty.bin", "size": 0, "sample": ""},
        {"path": "x.tmp", "size": 1, "sample": ""},
    ]
    answer = shelf.hub.post(f"{shelf.api}/preupload/main", token=shelf.token, json={"files": files})
    assert answer.status_code == 200
    told = {file["path"]: file for file in answer.json()["files"]}
    modes = {path: file["uploadMode"] for path, file in told.items()}
    assert modes == {
        "new.txt": "regular",
        "there.txt": "regular",
        "w.safetensors": "lfs",
        "binary": "lfs",
        "large.txt": "lfs",
        "empty.bin": "regular",
        "x.tmp": "regular",
    }
    assert [path for path, file in told.items() if file["shouldIgnore"]] == ["x.tmp"]
    assert told["new.txt"]["oid"] is None
    blob = hashlib.sha1(b"blob 5\0there", usedforsecurity=False).hexdigest()
    assert told["there.txt"]["oid"] == blob


def test_the_facts_of_the_card_follow_the_head(shelf: Shelf) -> None:
    card = b"---\nlicense: mit\ntags: [a-tag]\nlibrary_name: transformers\n---\n# Hello\n"
    shelf.commit({"README.md": card})
    info = shelf.hub.get(shelf.api, token=shelf.token).json()
    assert info["cardData"]["license"] == "mit"
    assert {"a-tag", "license:mit"} <= set(info["tags"])
    shelf.commit(delete=["README.md"])
    assert "license:mit" not in shelf.hub.get(shelf.api, token=shelf.token).json()["tags"]


def test_a_broken_card_is_stored_with_a_warning(shelf: Shelf) -> None:
    answer = shelf.commit({"README.md": b"---\na: [\n---\n", "a.txt": b"1"})
    assert answer.status_code == 200
    assert "Invalid YAML" in answer.json()["hookOutput"]
    assert answer.headers["X-HF-Warning"].startswith("Model card; ")
    assert "a.txt" in shelf.paths()


def test_a_commit_touches_a_bounded_number_of_folders(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editing, "MAX_FOLDERS", 10)
    assert shelf.commit({f"{n}/a.txt": b"a" for n in range(11)}).status_code == 422
    assert shelf.commit({f"{n}/a.txt": b"a" for n in range(10)}).status_code == 200
    assert shelf.commit({"new/a.txt": b"a", "new/b.txt": b"b"}).status_code == 200

# SPDX-License-Identifier: Apache-2.0
"""Pointers to large files, however they come in: no right to the file, no size but its own."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest

from hubkeep.content import commits
from hubkeep.git.objects import pointer_bytes
from tests.content.shelf import Shelf

LARGE = b"a large file"


def pointer(file: dict[str, object], size: int = len(LARGE)) -> bytes:
    return pointer_bytes(bytes.fromhex(str(file["oid"])), size)


def used(shelf: Shelf) -> int:
    path = f"{shelf.api}?expand[]=usedStorage"
    return shelf.hub.get(path, token=shelf.token).json()["usedStorage"]


def test_a_commit_gives_a_file_one_size(shelf: Shelf):
    file, before = shelf.upload(LARGE), used(shelf)
    for lines in (
        [("lfsFile", {"path": "a.bin", **file})],
        [("lfsFile", {"path": "a.bin", "oid": file["oid"]})],
    ):
        answer = shelf.commit({"b.bin": pointer(file, 10**15)}, lines=lines)
        assert answer.status_code == 400, answer.text
    assert used(shelf) == before
    one = shelf.commit({"b.bin": pointer(file)}, lines=[("lfsFile", {"path": "a.bin", **file})])
    assert one.status_code == 200, one.text
    assert shelf.file("b.bin").content == LARGE


def test_a_bad_path_of_a_large_file_is_refused_as_any_other(shelf: Shelf):
    file = shelf.upload(LARGE)
    answer = shelf.commit(lines=[("lfsFile", {"path": "a\0.bin", **file})])
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(("repo", "status"), [("alice/mine", 200), ("bob/theirs", 400)])
def test_a_repository_begins_with_pointers_only_to_what_its_maker_reads(
    shelf: Shelf, repo: str, status: int
):
    shelf.hub.put(f"{shelf.api}/settings", token=shelf.token, json={"private": True})
    file = shelf.upload(LARGE)
    namespace, _, name = repo.partition("/")
    tokens = shelf.hub.tokens
    token = tokens.alice if namespace == "alice" else tokens.bob
    content = base64.b64encode(pointer(file)).decode()
    body = {"name": name, "files": [{"path": "a.bin", "content": content}]}
    answer = shelf.hub.post("/api/repos/create", token=token, json=body)
    assert answer.status_code == status, answer.text
    got = shelf.hub.get(f"/{repo}/resolve/main/a.bin", token=token)
    assert got.content == LARGE if status == 200 else got.status_code == 404


def test_a_repository_does_not_begin_with_a_size_that_nothing_has(shelf: Shelf):
    content = base64.b64encode(pointer_bytes(b"\1" * 32, 2**63 - 1)).decode()
    body = {"name": "huge", "files": [{"path": "a.bin", "content": content}]}
    answer = shelf.hub.post("/api/repos/create", token=shelf.token, json=body)
    assert answer.status_code == 400, answer.text


def test_a_commit_copies_from_a_bounded_number_of_revisions(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(commits, "MAX_SOURCES", 3)
    shelf.commit({"a.txt": b"a"})
    head = shelf.head()

    def copies(revisions: list[str]) -> int:
        lines = [
            ("copyFile", {"path": f"{n}.txt", "srcPath": "a.txt", "srcRevision": name})
            for n, name in enumerate(revisions)
        ]
        return shelf.commit(lines=lines).status_code

    assert copies([head[:length] for length in (8, 9, 10, 11)]) == 400
    assert copies(["main", head, "HEAD"] * 10) == 200


def test_files_that_several_delete_at_once_are_counted_off_once(shelf: Shelf):
    before = used(shelf)
    files = [shelf.upload(LARGE * size) for size in range(1, 6)]
    lines = [("lfsFile", {"path": f"{n}.bin", **file}) for n, file in enumerate(files)]
    assert shelf.commit(lines=lines).status_code == 200
    path = f"{shelf.api}/lfs-files"
    ids = [file["fileOid"] for file in shelf.hub.get(path, token=shelf.token).json()]

    def delete(_: int) -> int:
        body = {"deletions": {"sha": ids}}
        return shelf.hub.post(f"{path}/batch", token=shelf.token, json=body).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(delete, range(8))) == [200] + [404] * 7
    assert used(shelf) == before

# SPDX-License-Identifier: Apache-2.0
"""Where clients look for files, they learn which of them they can have in chunks."""

import os
from dataclasses import replace

import httpx2 as httpx
import pytest
from sqlalchemy import Connection, insert, update

from hubkeep.blobs import whole_key
from hubkeep.db.tables import files, repo_files
from hubkeep.transfer.cas.queries_epoch import renew_epoch
from tests.content.shelf import Shelf
from tests.harness.hub import BASE, TestHub, on_sqlite
from tests.transfer.cas.plainly import named
from tests.transfer.cas.shelf import File, link, put_blob, shelf_of

INFO = {"Accept": "application/vnd.xet-fileinfo+json, */*", "Range": "bytes=0-0"}


@pytest.fixture
def stored(shelf: Shelf) -> File:
    """A file in chunks, which alice has committed as `w.bin` beside `lfs.bin` and `README.md`."""
    xorbs = shelf_of(shelf.hub)
    terms = [xorb.term(0, len(xorb.chunks)) for xorb in xorbs.random(1, 3)]
    file = xorbs.file(shelf.path, terms)
    add(shelf, "w.bin", file)
    lines = [("lfsFile", {"path": "lfs.bin", **shelf.upload(b"by git-lfs")})]
    assert shelf.commit({"README.md": b"# readme\n"}, lines=lines).status_code == 200
    return file


def small(shelf: Shelf) -> File:
    """A file of one chunk, which is not committed yet."""
    xorbs = shelf_of(shelf.hub)
    return xorbs.file(shelf.path, [xorbs.random(2, 1)[0].term(0, 1)])


def add(shelf: Shelf, path: str, file: File) -> None:
    """Commit a file in chunks."""
    line = {"path": path, "algo": "sha256", **named(shelf.hub.app.db, file)}
    answer = shelf.commit(lines=[("lfsFile", line)])
    assert answer.status_code == 200, answer.text


def links(answer: httpx.Response) -> dict[str, str]:
    return {
        part.partition('rel="')[2].rstrip('"'): part.partition("<")[2].partition(">")[0]
        for part in answer.headers["link"].split(", ")
    }


def test_resolve_says_how_to_get_a_file_in_chunks(shelf: Shelf, stored: File):
    commit = shelf.head()
    for headers in ({}, {"Range": "bytes=3-6"}):
        got = shelf.file("w.bin", headers=headers)
        head = shelf.hub.head(f"{shelf.web}/resolve/main/w.bin", token=shelf.token, headers=headers)
        assert got.content == (stored.content[3:7] if headers else stored.content)
        for answer in (got, head):
            assert answer.headers["x-xet-hash"] == stored.hash
            assert links(answer) == {
                "xet-auth": f"{BASE}/api/models/{shelf.path}/xet-read-token/{commit}",
                "xet-reconstruction-info": f"{BASE}/cas/0/v2/reconstructions/{stored.hash}",
            }
            assert answer.headers["x-linked-size"] == str(len(stored.content))
            assert answer.headers["x-linked-etag"] == answer.headers["etag"]
        assert {**got.headers, "x-request-id": ""} == {**head.headers, "x-request-id": ""}


@on_sqlite
def test_both_addresses_lead_to_the_file(shelf: Shelf, stored: File):
    said = links(shelf.file("w.bin"))
    token = shelf.hub.get(said["xet-auth"].removeprefix(BASE), token=shelf.token).json()
    told = shelf.hub.get(
        said["xet-reconstruction-info"].removeprefix(BASE), token=token["accessToken"]
    )
    assert sum(term["unpacked_length"] for term in told.json()["terms"]) == len(stored.content)
    assert said["xet-reconstruction-info"].startswith(f"{token['casUrl']}/v2/")


@on_sqlite
def test_other_kinds_of_repositories_and_epochs(hub: TestHub):
    datasets = Shelf(hub, plural="datasets").create()
    file = small(datasets)
    add(datasets, "data/é.bin", file)
    hub.write(renew_epoch)
    said = links(datasets.file("data/%C3%A9.bin"))
    assert said["xet-auth"].startswith(f"{BASE}/api/datasets/alice/shelf/xet-read-token/")
    assert "/cas/0/" not in said["xet-reconstruction-info"]


@pytest.mark.parametrize("path", ["lfs.bin", "README.md"])
def test_what_is_not_in_chunks_promises_nothing(shelf: Shelf, stored: File, path: str):
    for headers in ({}, INFO):
        answer = shelf.file(path, headers=headers)
        assert answer.status_code == (206 if headers else 200)
        assert "x-xet-hash" not in answer.headers
        assert "link" not in answer.headers


def test_raw_is_the_pointer(shelf: Shelf, stored: File):
    answer = shelf.hub.get(f"{shelf.web}/raw/main/w.bin", token=shelf.token, headers=INFO)
    assert b"git-lfs" in shelf.hub.get(f"{shelf.web}/raw/main/w.bin", token=shelf.token).content
    assert "x-xet-hash" not in answer.headers


def test_a_client_can_ask_for_no_bytes(shelf: Shelf, stored: File):
    """@huggingface/hub 2.17.5: `fileDownloadInfo`."""
    answer = shelf.file("w.bin", headers=INFO)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.xet-fileinfo+json"
    assert answer.json() == {"hash": stored.hash, "size": len(stored.content)}
    whole = shelf.file("w.bin")
    for name in ("x-linked-size", "x-linked-etag", "x-xet-hash", "link", "x-repo-commit"):
        assert answer.headers[name] == whole.headers[name]
    # A cache that has this must not take it for the file, whose ETag is the same.
    assert answer.headers["vary"] == whole.headers["vary"] == "Accept"
    assert answer.headers["cache-control"] == "no-store"


def entries(shelf: Shelf, query: str = "recursive=true") -> dict[str, dict]:
    listed = shelf.hub.get(f"{shelf.api}/tree/main?{query}", token=shelf.token)
    assert listed.status_code == 200, listed.text
    return {entry["path"]: entry for entry in listed.json()}


def test_the_tree_says_which_files_are_in_chunks(shelf: Shelf, stored: File):
    for query in ("recursive=true", "recursive=false", "recursive=true&expand=true"):
        found = entries(shelf, query)
        assert {path: entry.get("xetHash") for path, entry in found.items()} == {
            ".gitattributes": None,
            "README.md": None,
            "lfs.bin": None,
            "w.bin": stored.hash,
        }
        assert found["w.bin"]["lfs"]["size"] == found["w.bin"]["size"] == len(stored.content)
    body = {"paths": ["w.bin", "README.md"]}
    told = shelf.hub.post(f"{shelf.api}/paths-info/main", token=shelf.token, json=body).json()
    assert [entry.get("xetHash") for entry in told] == [None, stored.hash]


def test_pages_of_many_files_in_chunks(shelf: Shelf):
    xorbs = shelf_of(shelf.hub)
    xorb = xorbs.xorb([bytes([number]) * 10 for number in range(30)])
    made = {f"{n:02}.bin": xorbs.file(shelf.path, [xorb.term(n, n + 1)]) for n in range(30)}
    lines = [
        ("lfsFile", {"path": path, "algo": "sha256", **named(shelf.hub.app.db, file)})
        for path, file in made.items()
    ]
    assert shelf.commit(lines=lines).status_code == 200
    listed, address = {}, f"{shelf.api}/tree/main?limit=7"
    while address:
        page = shelf.hub.get(address, token=shelf.token)
        listed |= {entry["path"]: entry.get("xetHash") for entry in page.json()}
        address = page.links.get("next", {}).get("url", "").removeprefix(BASE)
    del listed[".gitattributes"]
    assert listed == {path: file.hash for path, file in made.items()}


def test_a_file_that_is_whole_too_is_sent_whole_and_promised_in_chunks(shelf: Shelf, stored: File):
    be_whole(shelf, stored)
    answer = shelf.file("w.bin", headers={"Range": "bytes=1-4"})
    assert answer.content == stored.content[1:5]
    assert answer.headers["x-xet-hash"] == stored.hash
    assert entries(shelf)["w.bin"]["xetHash"] == stored.hash


@on_sqlite
def test_who_is_sent_to_s3_is_told_too_and_nobody_for_what_is_not_there(
    shelf: Shelf, stored: File, monkeypatch: pytest.MonkeyPatch
):
    async def signed(_self: object, key: str, **_options: object) -> str:
        return f"https://s3.example/{key}"

    monkeypatch.setattr(type(shelf.hub.app.blobs), "signed_get", signed)
    assert shelf.file("w.bin").content == stored.content
    said = named(shelf.hub.app.db, stored)
    batch = {"operation": "download", "objects": [said], "hash_algo": "sha256"}
    answer = shelf.hub.post(f"{shelf.web}.git/info/lfs/objects/batch", json=batch).json()
    assert answer["objects"][0]["actions"]["download"]["href"].startswith(f"{BASE}/lfs/objects/")

    be_whole(shelf, stored)
    away = shelf.file("w.bin")
    assert (away.status_code, away.headers["x-xet-hash"]) == (302, stored.hash)
    assert away.headers["location"] == f"https://s3.example/{whole_key(said['oid'])}"
    assert links(away).keys() == {"xet-auth", "xet-reconstruction-info"}
    assert shelf.file("w.bin", headers=INFO).json()["hash"] == stored.hash


def be_whole(shelf: Shelf, file: File) -> None:
    """Store a file under its sha256 too."""
    oid = named(shelf.hub.app.db, file)["oid"]
    assert shelf.hub.client.portal is not None
    shelf.hub.client.portal.call(put_blob, shelf.hub.app.blobs, whole_key(oid), file.content)
    shelf.hub.write(
        lambda conn: conn.execute(update(files).where(files.c.id == file.id).values(whole=True))
    )


def test_of_two_files_that_claim_one_sha256_the_true_one_counts(shelf: Shelf, stored: File):
    oid = bytes.fromhex(named(shelf.hub.app.db, stored)["oid"])
    other = os.urandom(32)

    def claim(conn: Connection) -> None:
        row = {"xet_hash": other, "size": len(stored.content), "whole": False, "created_at": 0}
        (file_id,) = conn.execute(insert(files).values(**row)).inserted_primary_key
        link(conn, shelf.path, file_id)
        mine = repo_files.c.file_id == file_id
        conn.execute(update(repo_files).where(mine).values(oid=oid))

    shelf.hub.write(claim)
    assert entries(shelf)["w.bin"]["xetHash"] == stored.hash
    assert shelf.file("w.bin").headers["x-xet-hash"] == stored.hash
    assert shelf.file("w.bin").content == stored.content


def test_the_list_of_large_files_shows_those_in_chunks(shelf: Shelf, stored: File):
    listed = shelf.hub.get(f"{shelf.api}/lfs-files", token=shelf.token).json()
    assert {entry["filename"]: entry["size"] for entry in listed} == {
        "w.bin": len(stored.content),
        "lfs.bin": 10,
    }
    (sha,) = [entry["fileOid"] for entry in listed if entry["filename"] == "w.bin"]
    gone = shelf.hub.post(
        f"{shelf.api}/lfs-files/batch",
        token=shelf.token,
        json={"deletions": {"sha": [sha], "rewriteHistory": False}},
    )
    assert gone.status_code == 200, gone.text
    assert shelf.file("w.bin").status_code == 404
    assert "xetHash" not in entries(shelf)["w.bin"]


@on_sqlite
def test_a_private_file_is_told_of_to_who_may_read_it(hub: TestHub):
    private = replace(Shelf(hub), path="alice/secret").create(private=True)
    file = small(private)
    add(private, "w.bin", file)
    for token in (None, hub.tokens.bob):
        for headers in ({}, INFO):
            answer = hub.get(f"{private.web}/resolve/main/w.bin", token=token, headers=headers)
            assert answer.status_code in (401, 404)
            assert file.hash not in str(answer.headers)
    assert private.file("w.bin").content == file.content

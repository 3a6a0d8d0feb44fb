# SPDX-License-Identifier: Apache-2.0
"""Connections that break at any byte: clients go on where they were, nothing is half there."""

import hashlib
import io
import os
import zlib
from pathlib import Path

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi

from hubkeep.xet.hashes import to_text
from tests.clients import stock
from tests.clients.stored import xet_hash
from tests.clients.wire import cutting_proxy, ndjson, request_bytes, send_cut
from tests.harness.hub import LiveHub
from tests.xet.made import file_of, shard, some_xorb, xorb_block

# Through the hub: with S3 the bytes go past it.
pytestmark = [stock, pytest.mark.parametrize("live_hub", ["sqlite-folder"], indirect=True)]
MiB = 1 << 20


def test_a_download_that_is_cut_goes_on(api: HfApi, repo: str, live_hub: LiveHub) -> None:
    # The client keeps what it has in steps of 10 MB. It sends open files by git-lfs.
    content = os.urandom(MiB) * 30
    api.upload_file(path_or_fileobj=io.BytesIO(content), path_in_repo="w.bin", repo_id=repo)
    with cutting_proxy(live_hub.url, [12 * MiB, 12 * MiB]) as proxy:
        cut = HfApi(endpoint=proxy.url, token=live_hub.token)
        assert Path(cut.hf_hub_download(repo, "w.bin")).read_bytes() == content
        assert proxy.broken == 2
        asked = [head for head in proxy.seen if b"\r\nrange: bytes=" in head.lower()]
    assert len(asked) >= 2


def test_an_upload_in_parts_that_is_cut_succeeds_when_repeated(
    api: HfApi, repo: str, live_hub: LiveHub
) -> None:
    content = os.urandom(MiB) * 65
    with cutting_proxy(live_hub.url, [64 * MiB + MiB // 2], upward=True) as proxy:
        cut = HfApi(endpoint=proxy.url, token=live_hub.token)
        for _ in range(2):
            try:
                source = io.BytesIO(content)
                cut.upload_file(path_or_fileobj=source, path_in_repo="w.bin", repo_id=repo)
                break
            except (httpx.TransportError, RuntimeError):
                assert not api.file_exists(repo, "w.bin")
        assert proxy.broken == 1
    read = Path(api.hf_hub_download(repo, "w.bin")).read_bytes()
    assert hashlib.sha256(read).digest() == hashlib.sha256(content).digest()


def test_xet_goes_on_where_it_is_cut(api: HfApi, repo: str, live_hub: LiveHub) -> None:
    content = os.urandom(20 * MiB)
    with cutting_proxy(live_hub.url, [6 * MiB, 12 * MiB, 100], upward=True) as proxy:
        cut = HfApi(endpoint=proxy.url, token=live_hub.token)
        cut.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=repo)
        assert proxy.broken == 3
    with cutting_proxy(live_hub.url, [5 * MiB, 3 * MiB, MiB]) as proxy:
        cut = HfApi(endpoint=proxy.url, token=live_hub.token)
        assert Path(cut.hf_hub_download(repo, "w.bin")).read_bytes() == content
        assert proxy.broken == 3
    assert xet_hash(api, repo, "w.bin")


def test_a_xorb_and_a_shard_that_are_cut_anywhere_are_not_there(
    api: HfApi, repo: str, live_hub: LiveHub
) -> None:
    body, name, index = some_xorb(seed=zlib.crc32(repo.encode()))
    with httpx.Client(trust_env=False) as http:
        url = f"{live_hub.url}/api/models/{repo}/xet-write-token/main"
        got = http.get(url, headers={"Authorization": f"Bearer {live_hub.token}"}).json()
        headers = {"Authorization": f"Bearer {got['accessToken']}"}
        store = got["casUrl"].removeprefix(live_hub.url)
        file = file_of(name, index)
        block = shard([file], [xorb_block(name, index)])
        file_hash = to_text(file[:32])

        def answer(method: str, path: str, content: bytes = b"") -> httpx.Response:
            url = f"{live_hub.url}{store}{path}"
            return http.request(method, url, content=content, headers=headers)

        def cut_everywhere(path: str, content: bytes) -> None:
            for chunks in (0, 3):
                whole = request_bytes("POST", store + path, content, headers, chunks=chunks)
                start = whole.index(b"\r\n\r\n") + 4
                for cut in (start - 1, start, start + 9, len(whole) // 2, len(whole) - 1):
                    send_cut(live_hub.url, whole[:cut])

        xorb = f"/v1/xorbs/default/{to_text(name)}"
        cut_everywhere(xorb, body)
        assert answer("HEAD", xorb).status_code == 404
        assert answer("POST", "/v1/shards", block).status_code == 400
        assert answer("POST", xorb, body).json() == {"was_inserted": True}
        assert answer("HEAD", xorb).status_code == 200
        for version in ("v1", "v2"):
            cut_everywhere(f"/{version}/shards", block)
        assert answer("HEAD", f"/v1/files/{file_hash}").status_code == 404
        assert answer("POST", "/v1/shards", block).json() == {"result": 1}
        assert answer("HEAD", f"/v1/files/{file_hash}").status_code == 200


@pytest.mark.parametrize("chunks", [0, 5], ids=["length", "chunked"])
def test_a_commit_that_is_cut_anywhere_leaves_nothing(
    api: HfApi, repo: str, live_hub: LiveHub, chunks: int
) -> None:
    body = ndjson(
        ("file", {"path": "cut/a.txt", "content": "YQ==", "encoding": "base64"}),
        ("file", {"path": "cut/b.txt", "content": "Yg==", "encoding": "base64"}),
    )
    headers = {"Authorization": f"Bearer {live_hub.token}", "Content-Type": "application/x-ndjson"}
    path = f"/api/models/{repo}/commit/main"
    whole = request_bytes("POST", path, body, headers, chunks=chunks)
    start = whole.index(b"\r\n\r\n") + 4
    # Everything but the last byte, each end of a line, and each tenth byte in between.
    line_ends = {at + 1 for at in range(start, len(whole) - 1) if whole[at : at + 1] == b"\n"}
    cuts = {len(whole) - 1, start - 2, start, *range(start, len(whole), 10), *line_ends}
    before = [commit.commit_id for commit in api.list_repo_commits(repo)]
    for cut in sorted(cuts):
        send_cut(live_hub.url, whole[:cut])
    # Another commit waits for all that came before it.
    api.upload_file(path_or_fileobj=b"c", path_in_repo="c.txt", repo_id=repo)
    assert [commit.commit_id for commit in api.list_repo_commits(repo)][1:] == before
    assert set(api.list_repo_files(repo)) == {".gitattributes", "c.txt"}


def test_a_large_file_that_is_cut_anywhere_is_not_there(
    api: HfApi, repo: str, live_hub: LiveHub
) -> None:
    content = os.urandom(200_000)
    spec = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    headers = {"Authorization": f"Bearer {live_hub.token}"}
    batch_url = f"{live_hub.url}/{repo}.git/info/lfs/objects/batch"
    asking = {"operation": "upload", "transfers": ["basic"], "objects": [spec]}

    def offered() -> str | None:
        answer = httpx.post(batch_url, json=asking, headers=headers, trust_env=False).json()
        actions = answer["objects"][0].get("actions")
        return actions and actions["upload"]["href"].removeprefix(live_hub.url)

    href = offered()
    assert href
    whole = request_bytes("PUT", href, content, {})
    start = whole.index(b"\r\n\r\n") + 4
    for cut in (start - 1, start, start + 1, start + 65_536, len(whole) - 1):
        send_cut(live_hub.url, whole[:cut])
        assert offered()
    chunked = request_bytes("PUT", href, content, {}, chunks=3)
    for cut in (start + 70_000, len(chunked) - 5, len(chunked) - 2):
        send_cut(live_hub.url, chunked[:cut])
        assert offered()
    assert httpx.put(f"{live_hub.url}{href}", content=content, trust_env=False).status_code == 200
    assert offered() is None

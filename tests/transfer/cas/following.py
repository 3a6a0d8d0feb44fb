# SPDX-License-Identifier: Apache-2.0
"""A client that asks how a file is put together, fetches what it is told to, and does so."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx

from hubkeep.xet.chunks import decode_chunks
from tests.harness.hub import TestHub
from tests.transfer.cas.shelf import File, token_for

Fetch = Callable[[str, str], httpx.Response]
"""GET an address with a `Range`."""


def ask(
    hub: TestHub, path: str, span: str | None = None, repo: str = "alice/m", **how: Any
) -> httpx.Response:
    """Ask the chunk store with a token that the owner of a repository got for it."""
    token = token_for(hub, repo.partition("/")[0], repo)
    headers = {"Range": span} if span else {}
    return hub.request(
        how.pop("method", "GET"), f"/cas/0{path}", token=token, headers=headers, **how
    )


def told(hub: TestHub, version: int, file: File, span: str | None = None) -> dict[str, Any]:
    """What the hub says of a file, or a range of it."""
    answer = ask(hub, f"/v{version}/reconstructions/{file.hash}", span)
    assert answer.status_code == 200, answer.text
    return answer.json()


def runs(said: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, int], dict[str, int]]]:
    """Xorb, address, chunks and bytes of all that is to be fetched, by either version."""
    for xorb, entries in said.get("xorbs", {}).items():
        for entry in entries:
            for one in entry["ranges"]:
                yield xorb, entry["url"], one["chunks"], one["bytes"]
    for xorb, infos in said.get("fetch_info", {}).items():
        for info in infos:
            yield xorb, info["url"], info["range"], info["url_range"]


def follow(fetch: Fetch, said: dict[str, Any], length: int) -> bytes:
    """The `length` bytes that an answer is about, as a client puts them together."""
    chunks: dict[tuple[str, int], bytes] = {}
    for xorb, url, of, stored in runs(said):
        answer = fetch(url, f"bytes={stored['start']}-{stored['end']}")
        assert answer.status_code == 206, answer.text
        assert len(answer.content) == stored["end"] + 1 - stored["start"]
        raw = [bytes(chunk) for chunk in decode_chunks(answer.content)]
        assert len(raw) == of["end"] - of["start"]
        for number, chunk in enumerate(raw, start=of["start"]):
            assert (xorb, number) not in chunks, "a chunk is fetched twice"
            chunks[xorb, number] = chunk
    whole = b""
    for term in said["terms"]:
        numbers = range(term["range"]["start"], term["range"]["end"])
        raw = b"".join(chunks[term["hash"], number] for number in numbers)
        assert len(raw) == term["unpacked_length"]
        whole += raw
    first = said["offset_into_first_range"]
    return whole[first : first + length]


def fetcher(hub: TestHub) -> Fetch:
    """Fetches from the hub, without any token."""
    return lambda url, span: hub.get(urlsplit(url).path, headers={"Range": span})

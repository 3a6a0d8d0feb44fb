# SPDX-License-Identifier: Apache-2.0
"""As much of a Xet client as the kill test needs, which the hub can be killed under at any byte."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import httpx2 as httpx

from hubkeep.xet.chunks import Scheme, decode_chunks
from hubkeep.xet.hashes import Merkle, range_hash, to_text
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.shard import Term
from hubkeep.xet.xorb import encode_xorb, read_xorb
from tests.xet.made import file_block, shard, xorb_block

Call = Callable[..., httpx.Response]


@dataclass(frozen=True)
class Xorb:
    """A xorb as a client has made it."""

    body: bytes
    name: bytes
    index: XorbIndex
    chunks: list[bytes]


class Part(NamedTuple):
    """Chunks from `start` up to `end` of a xorb, as a part of a file."""

    xorb: Xorb
    start: int
    end: int


def some_xorb(random: Random, chunks: int) -> Xorb:
    """A xorb of so many chunks, all of one scheme."""
    made = [_chunk(random) for _ in range(chunks)]
    body = encode_xorb(made, random.choice(list(Scheme)))
    return Xorb(body, *read_xorb(body), made)


def _chunk(random: Random) -> bytes:
    data = bytearray(random.randbytes(random.randint(1, 40_000)))
    data[3::4] = bytes(len(data[3::4]))  # so that compressing it makes it shorter
    return bytes(data)


def content_of(parts: Sequence[Part]) -> bytes:
    """The bytes of the file that consists of these parts."""
    return b"".join(b"".join(part.xorb.chunks[part.start : part.end]) for part in parts)


def shard_of(parts: Sequence[Part], fresh: Sequence[Xorb], sha256: str) -> tuple[str, bytes]:
    """The hash of the file that consists of these parts, and a shard with it and new xorbs."""
    tree = Merkle()
    terms, checks = [], []
    for xorb, start, end in parts:
        hashes, sizes = xorb.index.hashes_of(start, end), xorb.index.raw_sizes(start, end)
        tree.add_chunks(hashes, sizes)
        terms.append(Term(xorb.name, start, end, sum(sizes)))
        checks.append(range_hash(hashes))
    name = tree.file_hash()
    file = file_block(name, terms, checks, bytes.fromhex(sha256))
    return to_text(name), shard([file], [xorb_block(xorb.name, xorb.index) for xorb in fresh])


class Store:
    """The chunk store of one repository, with a token that `kind` (read or write) says."""

    def __init__(self, call: Call, repo: str, kind: str) -> None:
        got = call("GET", f"/api/models/{repo}/xet-{kind}-token/main").json()
        self._url = got["casUrl"]
        self._call = call
        self._headers = {"Authorization": f"Bearer {got['accessToken']}"}

    def put_xorb(self, xorb: Xorb) -> None:
        """Send a xorb."""
        url = f"{self._url}/v1/xorbs/default/{to_text(xorb.name)}"
        self._call("POST", url, content=xorb.body, headers=self._headers)

    def put_shard(self, body: bytes, version: int) -> None:
        """Send a shard; AssertionError where its events end in anything but a result."""
        url = f"{self._url}/v{version}/shards"
        answer = self._call("POST", url, content=body, headers=self._headers)
        last = json.loads(answer.text.splitlines()[-1])
        assert "result" in last, last

    def read(self, file_hash: str) -> Iterator[bytes]:
        """Put a file together; AssertionError where anything in it is not as it should be."""
        url = f"{self._url}/v2/reconstructions/{file_hash}"
        plan = self._call("GET", url, headers=self._headers).json()
        assert plan["offset_into_first_range"] == 0
        for term in plan["terms"]:
            wanted = term["range"]
            for entry in plan["xorbs"][term["hash"]]:
                for have in entry["ranges"]:
                    if self._covers(have["chunks"], wanted):
                        yield self._fetch(entry["url"], have, wanted, term["unpacked_length"])
                        break
                else:
                    continue
                break
            else:
                raise AssertionError(f"no address has the chunks {wanted} of {term['hash']}")

    @staticmethod
    def _covers(have: dict[str, int], wanted: dict[str, int]) -> bool:
        return have["start"] <= wanted["start"] and wanted["end"] <= have["end"]

    def _fetch(self, url: str, have: dict, wanted: dict[str, int], length: int) -> bytes:
        span = have["bytes"]
        headers = {"Range": f"bytes={span['start']}-{span['end']}"}
        stored = self._call("GET", url, headers=headers, expect=206).content
        first = have["chunks"]["start"]
        chunks = list(decode_chunks(stored))
        raw = b"".join(chunks[wanted["start"] - first : wanted["end"] - first])
        assert len(raw) == length
        return raw


def digest(content: bytes) -> str:
    """The sha256 of some bytes."""
    return hashlib.sha256(content).hexdigest()

# SPDX-License-Identifier: Apache-2.0
"""Against hf_xet 1.8.0, which cuts the chunks, builds the xorbs and writes the shards."""

import hashlib
import struct
import time
from pathlib import Path
from random import Random

import pytest

from hubkeep.kit.ranges import ByteRange
from hubkeep.xet.chunks import Scheme
from hubkeep.xet.hashes import Merkle, eligible, from_text, range_hash, to_text
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.reconstruction import decode, plan
from hubkeep.xet.shard import Shard, dedup_shard, parse_shard
from hubkeep.xet.xorb import XorbReader, check_xorb

from .client import Sent, recorder, upload

Uploaded = tuple[dict[str, Path], list[str], Sent]


def contents() -> dict[str, bytes]:
    """Files that bring out every scheme, share chunks, or are as small as can be."""
    random = Random(8)
    noise = random.randbytes(3_000_000)
    floats = struct.pack("<600000f", *(random.gauss(0, 0.02) for _ in range(600_000)))
    text = b"".join(b"%d, " % k for k in range(400_000))
    return {
        "noise": noise,
        "floats": floats,
        "text": text,
        "zeros": bytes(2_000_000),
        "both": floats[:1_000_000] + text[:1_000_000],
        "again": noise,
        "byte": b"x",
        "empty": b"",
    }


@pytest.fixture(scope="module")
def uploaded(tmp_path_factory: pytest.TempPathFactory) -> Uploaded:
    folder = tmp_path_factory.mktemp("upload")
    paths = {}
    for name, content in contents().items():
        paths[name] = folder / name
        paths[name].write_bytes(content)
    with recorder() as (url, sent):
        hashes = upload(url, list(paths.values()), folder / "cache")
    return paths, hashes, sent


def indexes(sent: Sent) -> dict[bytes, XorbIndex]:
    return {from_text(name): check_xorb(body, from_text(name)) for name, body in sent.xorbs.items()}


def only_shard(sent: Sent) -> Shard:
    (body,) = sent.shards
    return parse_shard(body)


def test_clients_xorbs_have_the_names_that_they_come_under(uploaded):
    _, _, sent = uploaded
    known = indexes(sent)
    assert known
    for name, body in sent.xorbs.items():
        assert known[from_text(name)].stored_size == len(body)  # without a footer
    schemes = set()
    for name, index in known.items():
        body = sent.xorbs[to_text(name)]
        schemes |= {body[index.stored_offset(k) + 4] for k in range(index.count)}
    assert schemes == set(Scheme)


def test_clients_shard_says_what_the_xorbs_are(uploaded):
    _, _, sent = uploaded
    known = indexes(sent)
    shard = only_shard(sent)
    assert {xorb.hash for xorb in shard.xorbs} == set(known)
    for xorb in shard.xorbs:
        assert xorb.hashes == known[xorb.hash].hashes
        assert xorb.raw_size == known[xorb.hash].raw_size
        assert xorb.stored_size == 0  # which is all that this client says


def test_file_hashes_are_those_of_the_client(uploaded):
    paths, hashes, sent = uploaded
    known, digests = indexes(sent), {}
    for file in only_shard(sent).files:
        tree = Merkle()
        for term, check in zip(file.terms, file.checks, strict=True):
            index = known[term.xorb]
            assert check == range_hash(index.hashes_of(term.start, term.end))
            sizes = index.raw_sizes(term.start, term.end)
            assert sum(sizes) == term.raw_size
            tree.add_chunks(index.hashes_of(term.start, term.end), sizes)
        assert tree.file_hash() == file.hash
        digests[to_text(file.hash)] = file.sha256
    assert set(digests) == set(hashes)
    for path, text in zip(paths.values(), hashes, strict=True):
        content = path.read_bytes()
        assert digests[text] == (hashlib.sha256(content).digest() if content else None)


def test_files_are_put_together_as_they_were(uploaded):
    paths, hashes, sent = uploaded
    known = indexes(sent)
    files = {to_text(file.hash): file for file in only_shard(sent).files}
    for path, text in zip(paths.values(), hashes, strict=True):
        content = path.read_bytes()
        for start, end in [(0, len(content)), (len(content) // 3, len(content) // 2)]:
            made = plan(files[text].terms, known, 0, ByteRange(start, end))
            got = b"".join(
                bytes(part)
                for piece, skip, take in made.portions(end - start)
                for part in decode(
                    sent.xorbs[to_text(piece.xorb)][piece.stored_start : piece.stored_end],
                    piece,
                    skip,
                    take,
                )
            )
            assert got == content[start:end]


def test_client_asks_for_eligible_chunks_and_the_first_of_files(uploaded):
    _, _, sent = uploaded
    known = indexes(sent)
    may = {
        bytes(index.hashes_of(k, k + 1)) for index in known.values() for k in eligible(index.hashes)
    }
    for file in only_shard(sent).files:
        for term in file.terms[:1]:
            may.add(bytes(known[term.xorb].hashes_of(term.start, term.start + 1)))
    assert sent.asked
    assert {from_text(name) for name in sent.asked} <= may


def test_client_sends_nothing_that_a_dedup_answer_knows(uploaded, tmp_path):
    """A client with an empty cache that has the same files: it sends the shard alone."""
    paths, hashes, sent = uploaded
    now = int(time.time())
    answer = dedup_shard(indexes(sent).items(), b"k" * 32, now, now + 86400)
    with recorder(lambda _chunk: answer) as (url, second):
        assert upload(url, list(paths.values()), tmp_path) == hashes
    assert second.xorbs == {}
    files = {file.hash: list(file.terms) for file in only_shard(second).files}
    assert set(files) == {from_text(text) for text in hashes}
    assert {term.xorb for terms in files.values() for term in terms} == set(indexes(sent))


def test_footers_that_clients_write_on_disk_are_read(tmp_path):
    """The wheel's own store, in a folder, writes the footers that it leaves out on the wire."""
    path = tmp_path / "noise"
    path.write_bytes(Random(9).randbytes(700_000))
    upload(f"local://{tmp_path}/store", [path], tmp_path)
    files = [one for one in (tmp_path / "store").rglob("*") if one.is_file()]
    (stored,) = (p for p in files if p.name.startswith("default.") and p.suffix != ".tagset")
    name = from_text(stored.name.removeprefix("default."))
    reader = XorbReader()
    reader.feed(stored.read_bytes())
    assert reader.finish()[0] == name
    assert reader.footer_size
    shards = [one.read_bytes() for one in files if one.suffix == ".mdb"]
    assert shards
    for body in shards:
        assert [xorb.hash for xorb in parse_shard(body).xorbs] == [name]

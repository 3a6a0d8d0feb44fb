# SPDX-License-Identifier: Apache-2.0
import struct
from random import Random

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.xet import hashes
from hubkeep.xet.hashes import BadHash, Merkle, from_text, to_text

from . import vectors
from .made import PATIENT

HASH = st.binary(min_size=32, max_size=32)


def test_text_of_a_hash_turns_each_group_of_eight_bytes_round():
    raw, text = vectors.TEXT
    assert to_text(raw) == text
    assert from_text(text) == raw


@PATIENT
@given(HASH)
def test_text_and_hash_are_each_others_inverse(raw):
    assert from_text(to_text(raw)) == raw
    assert to_text(raw) == "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))


@pytest.mark.parametrize(
    "text", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "0" * 63 + "\n", "0" * 62 + "\u0663" * 2]
)
def test_text_that_is_no_hash_is_refused(text):
    with pytest.raises(BadHash):
        from_text(text)


def test_chunk_hash_is_the_published_one():
    data, text = vectors.CHUNK
    assert to_text(hashes.chunk_hash(data)) == text
    assert to_text(hashes.chunk_hash(memoryview(data))) == text


def test_range_hash_is_the_published_one():
    chunks, text = vectors.RANGE
    joined = b"".join(map(bytes.fromhex, chunks))
    assert to_text(hashes.range_hash(joined)) == text


def test_keyed_hash_is_blake3_with_that_key():
    chunk, key = bytes(range(32)), bytes(range(32, 64))
    assert hashes.keyed(chunk, key) == blake3(chunk, key=key).digest()


@pytest.mark.parametrize("number", range(len(vectors.TREES)))
def test_trees_are_the_published_ones(number):
    leaves, root, file = vectors.TREES[number]
    one_by_one, at_once = Merkle(), Merkle()
    for text, size in leaves:
        one_by_one.add(from_text(text), size)
    at_once.add_chunks(b"".join(from_text(text) for text, _ in leaves), [n for _, n in leaves])
    for tree in (one_by_one, at_once):
        assert to_text(tree.root()) == root
        assert to_text(tree.file_hash()) == file


def test_node_is_the_published_one():
    leaves, text = vectors.NODE
    tree = Merkle()
    for leaf, size in leaves:
        tree.add(from_text(leaf), size)
    assert to_text(tree.root()) == text


def test_file_without_chunks_has_the_hash_of_zeros_and_a_xorb_none():
    assert Merkle().file_hash() == hashes.EMPTY_FILE == bytes(32)
    nothing = Merkle()
    nothing.add_chunks(b"", [])
    assert nothing.file_hash() == hashes.EMPTY_FILE
    with pytest.raises(ValueError, match="no chunks"):
        nothing.root()


def plain_root(nodes: list[tuple[bytes, int]]) -> bytes:
    """The tree level by level, as the specification tells it."""
    while len(nodes) > 1:
        level, at = [], 0
        while at < len(nodes):
            left = nodes[at : at + 9]
            marks = (k + 1 for k in range(2, len(left)) if left[k][0][24] % 4 == 0)
            cut = next(marks, len(left))
            text = "".join(f"{to_text(h)} : {n}\n" for h, n in left[:cut]).encode()
            key = hashes._NODE_KEY
            level.append((blake3(text, key=key).digest(), sum(n for _, n in left[:cut])))
            at += cut
        nodes = level
    return nodes[0][0]


@PATIENT
@given(st.integers(1, 400), st.integers(), st.sampled_from([1, 4, 256]))
def test_tree_built_as_chunks_come_is_the_one_built_level_by_level(count, seed, marks):
    random = Random(seed)
    nodes = []
    for _ in range(count):
        chunk = random.randbytes(24) + bytes([random.randrange(marks)]) + bytes(7)
        nodes.append((chunk, random.randrange(2**17)))
    expected = plain_root(nodes)
    cut = random.randrange(count + 1)
    tree = Merkle()
    tree.add_chunks(b"".join(h for h, _ in nodes[:cut]), [n for _, n in nodes[:cut]])
    for chunk, size in nodes[cut:]:
        tree.add(chunk, size)
        tree.root()  # asking leaves no trace
    assert tree.root() == expected


def test_tree_of_a_million_chunks_holds_a_few_nodes():
    tree = Merkle()
    chunk = bytes(24) + b"\x01" + bytes(7)
    tree.add_chunks(chunk * 1_000_000, [65536] * 1_000_000)
    assert sum(len(level.lines) for level in tree._levels) < 100


def test_hashes_and_sizes_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        Merkle().add_chunks(bytes(64), [1])


@PATIENT
@given(st.lists(st.sampled_from([0, 1, 255, 256, 1023, 1024, 2**40, 2**63 + 2048])))
def test_one_chunk_in_a_thousand_may_be_asked_for(words):
    joined = b"".join(bytes(24) + struct.pack("<Q", word) for word in words)
    assert list(hashes.eligible(joined)) == [k for k, word in enumerate(words) if word % 1024 == 0]

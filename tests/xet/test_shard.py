# SPDX-License-Identifier: Apache-2.0
import struct
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.xet.chunks import MAX_CHUNK
from hubkeep.xet.hashes import EMPTY_FILE, keyed, range_hash, swapped, to_text
from hubkeep.xet.shard import (
    MAX_SHARD,
    TERM_SIZE,
    BadShard,
    Term,
    dedup_shard,
    pack_terms,
    parse_shard,
    unpack_terms,
)
from hubkeep.xet.xorb import MAX_CHUNKS

from . import made
from .made import (
    BOOKEND,
    CHECKS,
    PATIENT,
    SHA256,
    file_block,
    header,
    record,
    some_xorb,
    xorb_block,
)

HASH = st.binary(min_size=32, max_size=32).filter(lambda b: b not in {bytes(32), b"\xff" * 32})


@st.composite
def terms(draw) -> Term:
    start = draw(st.integers(0, MAX_CHUNKS - 1))
    end = draw(st.integers(start + 1, MAX_CHUNKS))
    raw_size = draw(st.integers(end - start, (end - start) * MAX_CHUNK))
    return Term(draw(HASH), start, end, raw_size)


FILES = st.dictionaries(
    HASH,
    st.tuples(st.lists(st.tuples(terms(), HASH), min_size=1, max_size=5), st.none() | HASH),
    max_size=5,
)
XORBS = st.dictionaries(HASH, st.integers(1, 8), max_size=4)


@PATIENT
@given(FILES, XORBS)
def test_what_a_client_writes_is_read(files, xorbs):
    infos = {name: some_xorb(seed=count)[2] for name, count in xorbs.items()}
    body = made.shard(
        [
            file_block(name, [t for t, _ in checked], [c for _, c in checked], sha256)
            for name, (checked, sha256) in files.items()
        ],
        [xorb_block(name, index) for name, index in infos.items()],
    )
    shard = parse_shard(body)
    assert [file.hash for file in shard.files] == list(files)
    for file, (checked, sha256) in zip(shard.files, files.values(), strict=True):
        assert list(zip(file.terms, file.checks, strict=True)) == checked
        assert file.sha256 == sha256
    assert [xorb.hash for xorb in shard.xorbs] == list(xorbs)
    for xorb, index in zip(shard.xorbs, infos.values(), strict=True):
        assert (xorb.hashes, xorb.raw_size) == (index.hashes, index.raw_size)


def test_what_is_in_a_shard_can_be_asked_for_by_its_place():
    given_terms = [Term(bytes([k]) * 32, k, k + 2, 100 + k) for k in range(1, 6)]
    checks = [bytes([k]) * 32 for k in range(11, 16)]
    name, index = some_xorb()[1:]
    body = made.shard([file_block(b"f" * 32, given_terms, checks)], [xorb_block(name, index)])
    (file,) = parse_shard(body).files
    assert file.terms[1] == given_terms[1]
    assert file.terms[-1] == given_terms[-1]
    assert file.terms[1:3] == given_terms[1:3]
    assert file.checks[2:] == checks[2:]
    assert len(file.terms) == len(file.checks) == 5
    with pytest.raises(IndexError):
        file.terms[5]
    (xorb,) = parse_shard(body).xorbs
    assert xorb.chunks[-1] == index.hashes[-32:]
    assert len(xorb.chunks) == index.count


def test_sha256_is_the_digest_as_everybody_writes_it():
    digest = bytes(range(32))
    body = made.shard([file_block(b"f" * 32, [Term(b"x" * 32, 0, 1, 1)], [b"c" * 32], digest)], [])
    assert swapped(digest) in body
    (file,) = parse_shard(body).files
    assert file.sha256 is not None
    assert file.sha256.hex() == digest.hex() == to_text(swapped(digest))


def test_empty_file_has_no_terms_and_claims_no_sha256():
    """hf_xet 1.8.0 sends it so: with zeros for the sha256."""
    block = record(EMPTY_FILE, CHECKS | SHA256, 0) + record(bytes(32))
    (file,) = parse_shard(made.shard([block], [])).files
    assert (file.hash, list(file.terms), file.sha256) == (EMPTY_FILE, [], None)


def test_shard_may_be_empty():
    shard = parse_shard(made.shard([], []))
    assert not shard.files
    assert not shard.xorbs


@PATIENT
@given(st.lists(terms()))
def test_terms_are_packed_and_unpacked(some):
    packed = pack_terms(some)
    assert len(packed) == len(some) * TERM_SIZE
    assert unpack_terms(packed) == some


T = Term(b"x" * 32, 0, 2, 100)
C = b"c" * 32
GOOD = file_block(b"f" * 32, [T], [C])
NAME, INDEX = some_xorb()[1:]
XORB = xorb_block(NAME, INDEX)


def with_term(term: Term) -> bytes:
    return made.shard([file_block(b"f" * 32, [term], [C])], [])


HOSTILE = {
    "nothing": b"",
    "half a header": header()[:40],
    "header alone": header(),
    "another tag": b"x" + made.shard([GOOD], [])[1:],
    "version 1": header(version=1) + BOOKEND + BOOKEND,
    "version 2**63": header(version=2**63) + BOOKEND + BOOKEND,
    "no bookend": header() + GOOD,
    "one bookend": header() + GOOD + BOOKEND,
    "half a bookend": header() + BOOKEND + BOOKEND[:-1],
    "bookend with numbers": header() + record(b"\xff" * 32, 1) + BOOKEND,
    "bytes after the end": made.shard([GOOD], []) + b"x",
    "a record after the end": made.shard([GOOD], []) + record(b"y" * 32),
    "a second shard": made.shard([GOOD], []) * 2,
    "no verification hashes": made.shard([file_block(b"f" * 32, [T], [], flags=0)], []),
    "sha256 without verification hashes": made.shard(
        [file_block(b"f" * 32, [T], [], b"s" * 32, flags=0)], []
    ),
    "one file of two without": made.shard([GOOD, file_block(b"g" * 32, [T], [], flags=0)], []),
    "unknown flags": made.shard([file_block(b"f" * 32, [T], [C], flags=CHECKS | 1)], []),
    "file without terms": made.shard([record(b"f" * 32, CHECKS, 0)], []),
    "empty file with terms": made.shard([file_block(EMPTY_FILE, [T], [C])], []),
    "2**32 - 1 terms": made.shard([record(b"f" * 32, CHECKS, 2**32 - 1)], []),
    "more terms than follow": made.shard([record(b"f" * 32, CHECKS, 2) + record(b"x" * 32)], []),
    "more checks than follow": header() + file_block(b"f" * 32, [T, T], [C])[:-48],
    "a file twice": made.shard([GOOD, GOOD], []),
    "a xorb twice": made.shard([], [XORB, XORB]),
    "xorb without chunks": made.shard([], [record(NAME, 0, 0, 0, 0)]),
    "too many chunks": made.shard([], [record(NAME, 0, MAX_CHUNKS + 1) + bytes(48 * 8193)]),
    "2**32 - 1 chunks": made.shard([], [record(NAME, 0, 2**32 - 1)]),
    "more chunks than follow": header() + BOOKEND + XORB[:-48],
    "term of no chunks": with_term(Term(b"x" * 32, 1, 1, 100)),
    "term backwards": with_term(Term(b"x" * 32, 2, 1, 100)),
    "term past the last chunk": with_term(Term(b"x" * 32, 0, MAX_CHUNKS + 1, 100_000)),
    "term to 2**32 - 1": with_term(Term(b"x" * 32, 0, 2**32 - 1, 2**32 - 1)),
    "term of no bytes": with_term(Term(b"x" * 32, 0, 1, 0)),
    "term of fewer bytes than chunks": with_term(Term(b"x" * 32, 0, 3, 2)),
    "term of more bytes than its chunks hold": with_term(Term(b"x" * 32, 0, 1, MAX_CHUNK + 1)),
    "footer announced, none there": header(200) + BOOKEND + BOOKEND,
    "footer of another size": header(199) + BOOKEND + BOOKEND + bytes(199),
    "footer of zeros": header(200) + BOOKEND + BOOKEND + bytes(200),
    "footer not announced": header() + BOOKEND + BOOKEND + bytes(200),
    "footer of 2**63 bytes": header(2**63) + BOOKEND + BOOKEND,
    "too long": header() + bytes(MAX_SHARD),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_shards_are_refused(what):
    with pytest.raises(BadShard):
        parse_shard(HOSTILE[what])


def with_footer(
    *, tables: bytes = b"", counts=(0, 0, 0), key: bytes = bytes(32), **changed
) -> bytes:
    """A shard as clients of 2025 wrote it, with tables and a footer; `changed` are its numbers."""
    body = made.shard([GOOD], [XORB])
    body = header(200) + body[48:]
    starts = [len(body), len(body) + 12 * counts[0], len(body) + 12 * (counts[0] + counts[1])]
    numbers = {
        "version": 1,
        "files": 48,
        "xorbs": 48 + len(GOOD) + 48,
        "at": len(body) + len(tables),
    } | changed
    lookups = [n for pair in zip(starts, counts, strict=True) for n in pair]
    lookups = numbers.get("lookups", lookups)
    footer = struct.pack("<3Q", numbers["version"], numbers["files"], numbers["xorbs"])
    footer += struct.pack("<6Q", *lookups) + key + bytes(16 + 48 + 24)
    return body + tables + footer + struct.pack("<Q", numbers["at"])


@pytest.mark.parametrize("counts", [(0, 0, 0), (1, 1, 5), (0, 1, 0)])
def test_footer_of_older_clients_is_accepted(counts):
    size = 12 * counts[0] + 12 * counts[1] + 16 * counts[2]
    shard = parse_shard(with_footer(tables=b"?" * size, counts=counts))
    assert [file.hash for file in shard.files] == [b"f" * 32]
    assert [xorb.hash for xorb in shard.xorbs] == [NAME]


def test_footer_without_tables_is_accepted():
    """As @huggingface/hub 2.17 writes it, with zeros where the tables are told of."""
    shard = parse_shard(with_footer(lookups=[0] * 6))
    assert [file.hash for file in shard.files] == [b"f" * 32]


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 2},
        {"files": 96},
        {"xorbs": 48},
        {"at": 0},
        {"key": b"k" * 32},
        {"tables": b"?" * 12},
        {"counts": (1, 0, 0)},
        {"tables": b"?" * 12, "lookups": [0] * 6},
        {"tables": b"?" * 12, "lookups": [0, 1, 0, 0, 0, 0]},
        {"tables": b"?" * 24, "counts": (2, 0, 0)},
        {"tables": b"?" * 16 * 6, "counts": (0, 0, 6)},
        {"tables": b"", "counts": (2**60, 0, 0)},
    ],
)
def test_footer_that_belongs_to_another_shard_is_refused(changed):
    with pytest.raises(BadShard):
        parse_shard(with_footer(**changed))


def test_shard_full_of_tiny_files_takes_little_memory():
    block = file_block(b"f" * 32, [T], [C])[32:]
    blocks = [struct.pack("<Q", k + 1) + bytes(24) + block for k in range(100_000)]
    body = made.shard(blocks, [])
    del blocks
    tracemalloc.start()
    try:
        shard = parse_shard(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(shard.files) == 100_000
    assert peak < 1.5 * len(body)


@PATIENT
@given(st.data())
def test_changed_shards_are_refused_or_read(data):
    body = bytearray(with_footer() if data.draw(st.booleans()) else made.shard([GOOD], [XORB]))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body)))
        end = min(len(body), place + data.draw(st.integers(0, 60)))
        body[place:end] = data.draw(
            st.binary(max_size=60) | st.sampled_from([b"\xff" * 4, bytes(4), BOOKEND, GOOD, XORB])
        )
    with suppress(BadShard):
        shard = parse_shard(bytes(body))
        for file in shard.files:
            assert len(list(file.terms)) == len(list(file.checks))
            assert all(term.start < term.end <= MAX_CHUNKS for term in file.terms)
        for xorb in shard.xorbs:
            assert len(xorb.hashes) == 32 * len(xorb.chunks)


@PATIENT
@given(st.binary(max_size=300))
def test_any_bytes_are_refused(junk):
    with pytest.raises(BadShard):
        parse_shard(junk)
    with suppress(BadShard):
        parse_shard(header() + junk + BOOKEND + BOOKEND)


def test_dedup_answer_tells_keyed_hashes_of_all_xorbs():
    key, xorbs = b"k" * 32, [some_xorb(seed)[1:] for seed in (1, 2)]
    body = dedup_shard(xorbs, key, created=1_700_000_000, expires=1_700_086_400)
    assert body[:48] == header(200)
    assert body[48:96] == BOOKEND
    place = 96
    for name, index in xorbs:
        assert body[place : place + 48] == record(
            name, 0, index.count, index.raw_size, index.stored_size
        )
        for k, size in enumerate(index.raw_sizes(0, index.count)):
            place += 48
            chunk = keyed(bytes(index.hashes_of(k, k + 1)), key)
            assert body[place : place + 48] == record(chunk, index.raw_offset(k), size)
        place += 48
    assert body[place : place + 48] == BOOKEND
    place += 48
    stored, raw = (sum(getattr(i, size) for _, i in xorbs) for size in ("stored_size", "raw_size"))
    assert body[place:] == b"".join([
        struct.pack("<9Q", 1, 48, 96, *(place, 0) * 3),
        key,
        struct.pack("<2Q", 1_700_000_000, 1_700_086_400),
        bytes(48),
        struct.pack("<4Q", stored, 0, raw, place),
    ])  # fmt: skip


def test_dedup_answer_is_not_taken_for_an_upload():
    with pytest.raises(BadShard):
        parse_shard(dedup_shard([(NAME, INDEX)], b"k" * 32, 1, 2))


def test_range_hash_of_a_term_is_over_the_hashes_of_its_chunks():
    assert range_hash(INDEX.hashes_of(1, 3)) == range_hash(INDEX.hashes[32:96])

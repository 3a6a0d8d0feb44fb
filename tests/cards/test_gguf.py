# SPDX-License-Identifier: Apache-2.0
import struct
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubkeep.cards.gguf import read_header
from hubkeep.cards.headers import BadHeader
from hubkeep.cards.model_files import read_file_header

FAST = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=100, deadline=None)


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def string(key: str, value: str) -> bytes:
    return pair(key, 8, text(value))


def u32(key: str, value: int) -> bytes:
    return pair(key, 4, struct.pack("<I", value))


def strings(key: str, values: list[str]) -> bytes:
    body = b"".join(text(value) for value in values)
    return pair(key, 9, struct.pack("<IQ", 8, len(values)) + body)


def tensor(name: str, kind: int, *shape: int) -> bytes:
    dims = struct.pack(f"<{len(shape)}Q", *shape)
    return text(name) + struct.pack("<I", len(shape)) + dims + struct.pack("<IQ", kind, 0)


def build(pairs: list[bytes], tensors: list[bytes], version: int = 3) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs))
    return head + b"".join(pairs) + b"".join(tensors)


PAIRS = [
    string("general.architecture", "llama"),
    u32("llama.context_length", 8192),
    u32("general.file_type", 15),
    strings("tokenizer.ggml.tokens", ["<unk>", "<s>", "</s>", "é"]),
    pair("tokenizer.ggml.scores", 9, struct.pack("<IQ4f", 6, 4, 0, 0, 0, 0)),
    pair("nested", 9, struct.pack("<IQ", 9, 1) + struct.pack("<IQ2B", 0, 2, 1, 2)),
    pair("flag", 7, b"\x01"),
    pair("ratio", 12, struct.pack("<d", 0.5)),
    u32("tokenizer.ggml.bos_token_id", 1),
    u32("tokenizer.ggml.eos_token_id", 2),
    string("tokenizer.chat_template", "{% for m in messages %}"),
]
TENSORS = [tensor("a", 0, 4, 2), tensor("b", 12, 256, 3), tensor("c", 12, 256), tensor("s", 0)]
SOUND = build(PAIRS, TENSORS)


def parse(content: bytes, **limits: int):
    return read_header(lambda at, length: content[at : at + length], len(content), **limits)


@pytest.mark.parametrize("version", [2, 3])
def test_a_whole_header(version):
    content = build(PAIRS, TENSORS, version) + bytes(1000)
    header = read_file_header("gguf", lambda at, n: content[at : at + n], len(content))
    assert header.error is None
    assert header.parameters == {"F32": 9, "Q4_K": 1024}
    assert header.total == 1033
    assert (header.architecture, header.context_length) == ("llama", 8192)
    assert header.file_type == "Q4_K_M"
    assert (header.bos_token, header.eos_token) == ("<s>", "</s>")
    assert header.chat_template == "{% for m in messages %}"


def test_scalars_are_kept_and_arrays_are_not():
    values = parse(SOUND).values
    assert values["flag"] is True
    assert values["ratio"] == 0.5
    assert "nested" not in values
    assert "tokenizer.ggml.tokens" not in values


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not fit"),
        (b"GGML" + bytes(20), "does not start with"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "claims"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60), "claims"),
        (b"GGUF" + struct.pack("<IQQ", 3, 100, 0), "does not fit"),
        (SOUND[:-3], "does not fit"),
        (build([pair("a", 77, b"")], []), "unknown metadata type 77"),
        (build([pair("a", 9, struct.pack("<IQ", 77, 1))], []), "unknown metadata type 77"),
        (build([pair("a", 9, struct.pack("<IQ", 6, 2**62))], []), "does not fit"),
        (build([pair("a", 9, struct.pack("<IQ", 8, 2**62))], []), "more than"),
        (build([pair("a", 9, struct.pack("<IQ", 9, 1) * 9)], []), "nested too deeply"),
        (build([text("a") + struct.pack("<IQ", 8, 2**63)], []), "does not fit"),
        (build([], [tensor("a", 0, *[2] * 9)]), "9 dimensions"),
        (build([], [tensor("a", 0, 2**60, 2**60)]), "impossible shapes"),
    ],
)
def test_bad_headers(content, message):
    with pytest.raises(BadHeader, match=message):
        parse(content)


def test_the_limit_on_bytes():
    content = build([string("a", "x" * 10_000)], [])
    assert parse(content).values["a"] == "x" * 10_000
    with pytest.raises(BadHeader, match="larger than 5000"):
        parse(content, max_header_bytes=5000)


def test_few_reads_and_little_memory_for_a_large_vocabulary():
    vocabulary = strings("tokenizer.ggml.tokens", [f"token {n}" for n in range(150_000)])
    content = build([vocabulary, u32("tokenizer.ggml.eos_token_id", 149_999)], TENSORS)
    reads = []

    def read(offset, length):
        reads.append(length)
        return content[offset : offset + length]

    tracemalloc.start()
    header = read_header(read, len(content))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert header.eos_token == "token 149999"
    assert len(reads) < 12
    assert peak < 3 * len(content)


def test_weights_are_never_read():
    content = build(PAIRS, TENSORS)
    reads = []

    def read(offset, length):
        reads.append(offset + length)
        return (content + bytes(300_000))[offset : offset + length]

    read_header(read, 10**12)
    assert max(reads) <= 128 * 1024


@FAST
@given(st.integers(0, len(SOUND) - 1), st.binary(min_size=1, max_size=9))
def test_a_changed_file_is_read_or_refused(position, change):
    content = SOUND[:position] + change + SOUND[position + len(change) :]
    header = read_file_header("gguf", lambda at, n: content[at : at + n], len(content))
    assert header.error is not None or header.total < 2**53


@FAST
@given(st.binary(max_size=200))
def test_any_tail_is_read_or_refused(tail):
    content = b"GGUF" + struct.pack("<IQQ", 3, 3, 3) + tail
    read_file_header("gguf", lambda at, n: content[at : at + n], len(content))

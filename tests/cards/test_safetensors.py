# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from hubkeep.cards.headers import BadHeader
from hubkeep.cards.model_files import read_file_header
from hubkeep.cards.safetensors import MAX_TENSORS, SafetensorsHeader, read_header

FAST = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60, deadline=None)


class Source:
    """A file in memory that keeps account of what was read of it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.reads: list[tuple[int, int]] = []

    def __call__(self, offset: int, length: int) -> bytes:
        self.reads.append((offset, length))
        return self.content[offset : offset + length]


def parse(content: bytes, **limits: int) -> SafetensorsHeader:
    return read_header(Source(content), len(content), **limits)


def build(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def tensor(dtype: object = "F32", shape: object = (1,), offsets: object = (0, 4)) -> object:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


DTYPES = {"F16": np.float16, "F32": np.float32, "I64": np.int64, "U8": np.uint8, "BOOL": np.bool_}


@FAST
@given(
    # With no tensor but metadata, safetensors 0.8.0 writes a header that is no JSON.
    st.lists(
        st.tuples(st.sampled_from(sorted(DTYPES)), st.lists(st.integers(0, 4), max_size=3)),
        min_size=1,
    ),
    st.dictionaries(st.text("abc", min_size=1), st.text("xyz")),
)
def test_files_of_the_reference_implementation(tensors, metadata):
    arrays = {f"t{n}": np.zeros(shape, DTYPES[kind]) for n, (kind, shape) in enumerate(tensors)}
    content = save(arrays, metadata=metadata)
    header = parse(content)
    expected: dict[str, int] = {}
    for (kind, _), array in zip(tensors, arrays.values(), strict=True):
        expected[kind] = expected.get(kind, 0) + array.size
    assert header.parameters == expected
    assert header.total == sum(expected.values())
    assert header.tensors == len(tensors)
    assert header.metadata == metadata


def test_the_header_alone_is_read():
    source = Source(save({"w": np.zeros((1024, 1024), np.float32)}))
    assert read_header(source, len(source.content)).total == 1024 * 1024
    assert sum(length for _, length in source.reads) < 100_000
    many = Source(save({f"layer.{n}": np.zeros(1, np.float32) for n in range(5_000)}))
    assert read_header(many, len(many.content)).tensors == 5_000
    assert len(many.reads) == 2


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        ({"a": tensor(offsets=(0, 8))}, bytes(8), "another size"),
        ({"a": tensor(shape=(3,))}, bytes(4), "another size"),
        ({"a": tensor(offsets=(0, 400))}, bytes(4), "outside the file"),
        ({"a": tensor(offsets=(4, 0))}, bytes(4), "outside the file"),
        ({"a": tensor(offsets=(0,))}, bytes(4), "outside the file"),
        ({"a": tensor(offsets=(-4, 0))}, bytes(4), "no valid shape or offsets"),
        ({"a": tensor(shape=(True,))}, bytes(4), "no valid shape or offsets"),
        ({"a": tensor(shape=(-1,))}, bytes(4), "no valid shape or offsets"),
        ({"a": tensor(shape=[1] * 65)}, bytes(4), "no valid shape or offsets"),
        ({"a": tensor(shape=[2**63] * 9)}, bytes(4), "impossible shape"),
        ({"a": tensor(shape=(1.0,))}, bytes(4), "no integer"),
        ({"a": tensor("F33")}, bytes(4), "unknown dtype"),
        ({"a": tensor(["F32"])}, bytes(4), "unknown dtype"),
        ({"a": tensor(), "b": tensor()}, bytes(4), "overlap"),
        ({"a": tensor(offsets=(4, 8))}, bytes(8), "leave a hole"),
        ({"a": tensor()}, bytes(8), "do not end where the file ends"),
        ({"a": {"dtype": "F32"}}, bytes(4), "is not described"),
        ({"a": []}, b"", "is not described"),
        ({"__metadata__": {"a": 1}}, b"", "mapping of strings"),
        ({"__metadata__": []}, b"", "mapping of strings"),
        (b'{"a":1,"a":1}', b"", "names a key twice"),
        (b"[]", b"", "does not start with"),
        (b"{", b"", "not valid JSON"),
        (b'{"a":NaN}', b"", "no integer"),
        (b'{"a":"\xff"}', b"", "not valid JSON"),
        (b'{"a":' + b"[" * 100_000, b"", "not valid JSON"),
        (b'{"a":' + b"9" * 10_000 + b"}", b"", "not valid JSON"),
        (b'{"a":[' + b"[]," * (3 * MAX_TENSORS), b"", "more than"),
    ],
    ids=str,
)
def test_bad_headers(header, data, message):
    with pytest.raises(BadHeader, match=message):
        parse(build(header, data))


@pytest.mark.parametrize("content", [b"", b"1234567", bytes([255] * 8), bytes([9, *[0] * 7])])
def test_files_too_short_for_what_they_claim(content):
    with pytest.raises(BadHeader):
        parse(content)


def test_a_large_header_is_not_fetched():
    source = Source(build(b"{" + b" " * 200_000 + b"}"))
    with pytest.raises(BadHeader, match="larger than 1000"):
        read_header(source, len(source.content), max_header_bytes=1000)
    assert sum(length for _, length in source.reads) < 100_000


def test_sub_byte_types_and_padding():
    header = {"a": tensor("F4", (3, 2), (0, 3)), "b": tensor("F6_E2M3", (4,), (3, 6))}
    text = json.dumps(header).encode() + b"   "
    assert parse(build(text, bytes(6))).parameters == {"F4": 6, "F6_E2M3": 4}


SOUND = save({"a": np.zeros((2, 3), np.float32), "b": np.zeros(4, np.float16)})


@FAST
@given(st.integers(0, len(SOUND) - 1), st.binary(min_size=1, max_size=8), st.booleans())
def test_a_changed_file_is_read_or_refused(position, change, cut):
    content = SOUND[:position] + change + SOUND[position + (0 if cut else len(change)) :]
    header = read_file_header("safetensors", Source(content), len(content))
    assert header.error is not None or header.total >= 0


def test_the_stored_form():
    header = read_file_header("safetensors", Source(SOUND), len(SOUND))
    assert (header.format, header.total) == ("safetensors", 10)
    assert header.parameters == {"F32": 6, "F16": 4}
    bad = read_file_header("safetensors", Source(b""), 0)
    assert bad.error == "file too short for a safetensors header"

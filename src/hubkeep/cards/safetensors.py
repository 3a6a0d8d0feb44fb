# SPDX-License-Identifier: Apache-2.0
"""The header of a safetensors file.

Format: https://huggingface.co/docs/safetensors#format. Eight bytes of length (little endian), then
that much JSON: tensor name -> dtype, shape and the span of its bytes in what follows, and
`__metadata__`, string to string. As the reference implementation does, this refuses a header whose
tensors overlap, leave holes, or do not end where the file ends: two readers could disagree on it.
"""

import json
from dataclasses import dataclass, field

from hubkeep.cards.headers import BadHeader, FileHeader, Read, Tensor
from hubkeep.cards.values import clean, encodable

# The reference implementation stops at 100 MB; no published model comes near 25 MiB.
MAX_HEADER_BYTES = 25 * 1024 * 1024
MAX_TENSORS = 200_000
_FIRST_READ = 64 * 1024
_MAX_RANK = 64
_MAX_METADATA = 100

DTYPE_BITS = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}


@dataclass(frozen=True)
class SafetensorsHeader:
    """A valid header: elements by dtype in the order of first appearance, and the metadata.

    `listed` are the first tensors, as many as were asked for.
    """

    parameters: dict[str, int]
    total: int
    metadata: dict[str, str]
    tensors: int
    header_bytes: int
    listed: list[Tensor] = field(default_factory=list)

    def summary(self) -> FileHeader:
        """What is stored of it; the metadata is cut to a bounded number of short strings."""
        pairs = list(self.metadata.items())[:_MAX_METADATA]
        kept = {clean(key) or "": clean(value) or "" for key, value in pairs}
        return FileHeader(
            format="safetensors", parameters=self.parameters, total=self.total, metadata=kept
        )


def read_header(
    read: Read, size: int, *, max_header_bytes: int = MAX_HEADER_BYTES, keep: int = 0
) -> SafetensorsHeader:
    """The header of a file of `size` bytes, in at most two calls of `read`, with `keep` tensors.

    Raises `BadHeader` when it is invalid or longer than `max_header_bytes`.
    """
    start = read(0, min(size, _FIRST_READ))
    if len(start) < 8:
        raise BadHeader("file too short for a safetensors header")
    length = int.from_bytes(start[:8], "little")
    if length > max_header_bytes:
        raise BadHeader(f"header of {length} bytes is larger than {max_header_bytes}")
    if 8 + length > size:
        raise BadHeader("header does not fit into the file")
    text = start[8 : 8 + length]
    if len(text) < length:
        text += read(8 + len(text), length - len(text))
    if len(text) != length:
        raise BadHeader("file ends within its header")
    return _checked(_parse(text), length, size - 8 - length, keep)


def _parse(text: bytes) -> dict[str, object]:
    if not text.startswith(b"{"):
        raise BadHeader("header does not start with '{'")
    # Parsed JSON can take tens of times its length; these counts bound it beforehand.
    if text.count(b"[") + text.count(b"{") > 3 * MAX_TENSORS or text.count(b",") > 16 * MAX_TENSORS:
        raise BadHeader(f"header holds more than {MAX_TENSORS} tensors")
    try:
        parsed = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except BadHeader:
        raise
    except (ValueError, RecursionError):
        raise BadHeader("header is not valid JSON") from None
    return parsed


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadHeader("header names a key twice")
    return found


def _no_float(_text: str) -> object:
    raise BadHeader("header holds a number that is no integer")


def _checked(
    header: dict[str, object], length: int, data_bytes: int, keep: int
) -> SafetensorsHeader:
    metadata = _metadata(header.pop("__metadata__", None))
    parameters: dict[str, int] = {}
    spans: list[tuple[int, int]] = []
    listed: list[Tensor] = []
    for name, entry in header.items():
        dtype, shape, elements, span = _tensor(name, entry, data_bytes)
        if len(listed) < keep:
            listed.append(Tensor(encodable(name), dtype, shape))
        parameters[dtype] = parameters.get(dtype, 0) + elements
        spans.append(span)
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise BadHeader("tensors overlap or leave a hole")
        position = end
    if position != data_bytes:
        raise BadHeader("tensors do not end where the file ends")
    total = sum(parameters.values())
    return SafetensorsHeader(parameters, total, metadata, len(spans), length, listed)


def _metadata(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadHeader("__metadata__ is no mapping of strings")
    metadata: dict[str, str] = {}
    for key, item in value.items():
        if not isinstance(key, str) or not isinstance(item, str):
            raise BadHeader("__metadata__ is no mapping of strings")
        metadata[key] = item
    return metadata


def _tensor(
    name: str, entry: object, data_bytes: int
) -> tuple[str, tuple[int, ...], int, tuple[int, int]]:
    label = repr(name[:80])
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise BadHeader(f"tensor {label} is not described by dtype, shape and data_offsets")
    dtype = entry["dtype"]
    bits = DTYPE_BITS.get(dtype) if isinstance(dtype, str) else None
    if bits is None:
        raise BadHeader(f"tensor {label} has an unknown dtype")
    offsets = _sizes(entry["data_offsets"], label)
    if len(offsets) != 2 or not offsets[0] <= offsets[1] <= data_bytes:
        raise BadHeader(f"tensor {label} lies outside the file")
    elements, shape = 1, tuple(_sizes(entry["shape"], label))
    for dimension in shape:
        elements *= dimension
        if elements.bit_length() > 128:
            raise BadHeader(f"tensor {label} has an impossible shape")
    if elements * bits != 8 * (offsets[1] - offsets[0]):
        raise BadHeader(f"tensor {label} has another size than its shape and dtype")
    return str(dtype), shape, elements, (offsets[0], offsets[1])


def _sizes(value: object, label: str) -> list[int]:
    if not isinstance(value, list) or len(value) > _MAX_RANK:
        raise BadHeader(f"tensor {label} has no valid shape or offsets")
    sizes: list[int] = []
    for item in value:
        if isinstance(item, bool) or not isinstance(item, int) or not 0 <= item < 2**64:
            raise BadHeader(f"tensor {label} has no valid shape or offsets")
        sizes.append(item)
    return sizes

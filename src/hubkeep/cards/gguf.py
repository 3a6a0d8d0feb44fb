# SPDX-License-Identifier: Apache-2.0
"""The header of a GGUF file: metadata and tensor shapes.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little endian;
a big-endian file is recognised and refused. Counts in the file are believed only as far as the
bytes for them are there: arrays (a vocabulary has 100,000 strings and more) are walked over, never
built, and nothing is allocated by a count.
"""

import math
import struct
from array import array
from dataclasses import dataclass, field
from typing import TypeGuard

from hubkeep.cards.gguf_types import ARRAY, FILE_TYPES, SCALARS, STRING, TENSOR_TYPES
from hubkeep.cards.headers import BadHeader, FileHeader, Read, Tensor
from hubkeep.cards.values import clean, encodable
from hubkeep.cards.window import Window

MAX_HEADER_BYTES = 64 * 1024 * 1024
MAX_ITEMS = 4_000_000
MAX_PAIRS = 10_000
MAX_TENSORS = 200_000
_MAX_KEY = 65_535
_MAX_STRING = 64 * 1024
_MAX_TEMPLATE = 32 * 1024
_MAX_TOKENS = 1_000_000
_MAX_RANK = 8
_MAX_ARRAY_DEPTH = 4

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_COUNTS = struct.Struct("<QQ")
_ARRAY = struct.Struct("<IQ")
_TENSOR_END = struct.Struct("<IQ")
_LAYOUTS = {kind: struct.Struct("<" + code) for kind, (code, _) in SCALARS.items()}

_TOKENS = "tokenizer.ggml.tokens"


@dataclass(frozen=True)
class GgufHeader:
    """What the header says; `values` holds the scalar and string metadata (long strings cut), and
    `listed` the first tensors, as many as were asked for.
    """

    version: int
    tensors: int
    parameters: dict[str, int]
    total: int
    values: dict[str, int | float | bool | str] = field(default_factory=dict)
    bos_token: str | None = None
    eos_token: str | None = None
    listed: list[Tensor] = field(default_factory=list)

    def summary(self) -> FileHeader:
        """What is stored of it."""
        architecture = clean(self.values.get("general.architecture"), 64)
        context = self.values.get(f"{architecture}.context_length")
        file_type = self.values.get("general.file_type")
        template = self.values.get("tokenizer.chat_template")
        return FileHeader(
            format="gguf",
            parameters=self.parameters,
            total=self.total,
            architecture=architecture,
            context_length=context if _is_count(context) else None,
            file_type=FILE_TYPES.get(file_type) if _is_count(file_type) else None,
            chat_template=template[:_MAX_TEMPLATE] if isinstance(template, str) else None,
            bos_token=self.bos_token,
            eos_token=self.eos_token,
        )


def read_header(
    read: Read, size: int, *, max_header_bytes: int = MAX_HEADER_BYTES, keep: int = 0
) -> GgufHeader:
    """The header of a file of `size` bytes, with `keep` tensors.

    Raises `BadHeader` when it is invalid, or longer than `max_header_bytes`, or holds more pairs,
    tensors or array items than the limits of this module.
    """
    return _Reader(read, size, max_header_bytes).header(keep)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


class _Reader:
    def __init__(self, read: Read, size: int, limit: int) -> None:
        self._read = read
        self._window = Window(read, size, limit)
        self._items = 0
        self._tokens: array[int] = array("Q")

    def header(self, keep: int) -> GgufHeader:
        version = self._version()
        tensors, pairs = self._window.unpack(_COUNTS)
        if pairs > MAX_PAIRS or tensors > MAX_TENSORS:
            raise BadHeader(f"header claims {pairs} metadata pairs and {tensors} tensors")
        values: dict[str, int | float | bool | str] = {}
        for _ in range(int(pairs)):
            key = self._string(_MAX_KEY)
            value = self._value(key)
            if value is not None:
                values[key] = value
        parameters: dict[str, int] = {}
        listed: list[Tensor] = []
        for _ in range(int(tensors)):
            tensor = self._tensor()
            elements = parameters.get(tensor.dtype, 0) + math.prod(tensor.shape)
            parameters[tensor.dtype] = elements
            if len(listed) < keep:
                listed.append(tensor)
        total = sum(parameters.values())
        # A count is stored in 64 bits and read by JavaScript; no file holds 2**53 weights.
        if total >= 2**53:
            raise BadHeader("tensors have impossible shapes")
        return GgufHeader(
            version=version,
            tensors=int(tensors),
            parameters=parameters,
            total=total,
            values=values,
            bos_token=self._token(values.get("tokenizer.ggml.bos_token_id")),
            eos_token=self._token(values.get("tokenizer.ggml.eos_token_id")),
            listed=listed,
        )

    def _version(self) -> int:
        if self._window.take(4) != b"GGUF":
            raise BadHeader("file does not start with 'GGUF'")
        raw = self._window.take(4)
        version = int.from_bytes(raw, "little")
        if version in (2, 3):
            return version
        if int.from_bytes(raw, "big") in (2, 3):
            raise BadHeader("big-endian GGUF files are not supported")
        raise BadHeader(f"GGUF version {version} is not supported")

    def _string(self, limit: int) -> str:
        """A string; past `limit` bytes it is skipped and only its start is kept."""
        length = int(self._window.unpack(_U64)[0])
        kept = self._window.take(min(length, limit))
        self._window.skip(length - len(kept))
        return encodable(kept.decode("utf-8", "replace"))

    def _value(self, key: str) -> int | float | bool | str | None:
        kind = int(self._window.unpack(_U32)[0])
        if kind == STRING:
            return self._string(_MAX_STRING)
        if kind == ARRAY:
            self._array(keep_offsets=key == _TOKENS, depth=1)
            return None
        return self._window.unpack(self._layout(kind))[0]

    def _array(self, *, keep_offsets: bool, depth: int) -> None:
        kind, count = (int(number) for number in self._window.unpack(_ARRAY))
        if depth > _MAX_ARRAY_DEPTH:
            raise BadHeader("arrays nested too deeply")
        if kind not in (STRING, ARRAY):
            self._window.skip(count * self._layout(kind).size)
            return
        self._items += count
        if self._items > MAX_ITEMS:
            raise BadHeader(f"arrays hold more than {MAX_ITEMS} items")
        window = self._window
        for _ in range(count):
            if kind == ARRAY:
                self._array(keep_offsets=False, depth=depth + 1)
                continue
            if keep_offsets and len(self._tokens) < _MAX_TOKENS:
                self._tokens.append(window.offset)
            window.skip(int(window.unpack(_U64)[0]))

    def _layout(self, kind: int) -> struct.Struct:
        layout = _LAYOUTS.get(kind)
        if layout is None:
            raise BadHeader(f"unknown metadata type {kind}")
        return layout

    def _tensor(self) -> Tensor:
        name = self._string(_MAX_KEY)
        rank = int(self._window.unpack(_U32)[0])
        if rank > _MAX_RANK:
            raise BadHeader(f"a tensor of {rank} dimensions")
        shape = tuple(int(self._window.unpack(_U64)[0]) for _ in range(rank))
        kind, _offset = self._window.unpack(_TENSOR_END)
        return Tensor(name, TENSOR_TYPES.get(int(kind), f"type {kind}"), shape)

    def _token(self, token_id: object) -> str | None:
        """The text of a token, for which its place in the vocabulary is read once more."""
        if not isinstance(token_id, int) or not 0 <= token_id < len(self._tokens):
            return None
        place = self._tokens[token_id]
        length = int.from_bytes(self._read(place, 8), "little")
        raw = self._read(place + 8, min(length, 256)) if length else b""
        return clean(raw.decode("utf-8", "replace"))

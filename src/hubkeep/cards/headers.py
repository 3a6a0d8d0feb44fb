# SPDX-License-Identifier: Apache-2.0
"""What the header of a model file tells, in one shape for all formats."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

# read(offset, length) -> bytes; shorter than `length` only at the end of the file.
Read = Callable[[int, int], bytes]

Format = Literal["safetensors", "gguf"]


class BadHeader(ValueError):
    """The file is no valid file of its format; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as its header names it."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class FileHeader(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is stored of a model file: small, JSON-safe, computed once per file content.

    `parameters` counts elements by data type as the format names them, `total` is their sum. A
    file that could not be read has `error` set and nothing else.
    """

    format: Format
    parameters: dict[str, int] = {}
    total: int = 0
    architecture: str | None = None
    context_length: int | None = None
    file_type: str | None = None
    chat_template: str | None = None
    bos_token: str | None = None
    eos_token: str | None = None
    metadata: dict[str, str] = {}
    error: str | None = None

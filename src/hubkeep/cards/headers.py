# SPDX-License-Identifier: Apache-2.0
"""What the header of a model file tells, in one shape for all formats."""

from collections.abc import Callable
from typing import Literal

import msgspec

# read(offset, length) -> bytes; shorter than `length` only at the end of the file.
Read = Callable[[int, int], bytes]


class BadHeader(ValueError):
    """The file is no valid file of its format; the message says what is wrong with it."""


class FileHeader(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is stored of a model file: small, JSON-safe, computed once per file content.

    `parameters` counts elements by data type as the format names them, `total` is their sum. A
    file that could not be read has `error` set and nothing else.
    """

    format: Literal["safetensors", "gguf"]
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


def header_format(path: str) -> Literal["safetensors", "gguf"] | None:
    """The format whose header `path` has by its name; None for a file without one."""
    lowered = path.lower()
    if lowered.endswith(".safetensors"):
        return "safetensors"
    return "gguf" if lowered.endswith(".gguf") else None


def read_file_header(path: str, read: Read, size: int) -> FileHeader | None:
    """The header of the file at `path`, None when its format has none.

    Never raises for what is in the file (`error` says it); errors of `read` itself pass through.
    """
    from hubkeep.cards import gguf, safetensors

    kind = header_format(path)
    if kind is None:
        return None
    try:
        if kind == "safetensors":
            return safetensors.read_header(read, size).summary()
        return gguf.read_header(read, size).summary()
    except BadHeader as problem:
        return FileHeader(format=kind, error=str(problem))

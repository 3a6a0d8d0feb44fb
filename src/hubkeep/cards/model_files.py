# SPDX-License-Identifier: Apache-2.0
"""Which files have a header worth reading, and reading it whatever its format."""

from typing import Literal

from hubkeep.cards import gguf, safetensors
from hubkeep.cards.headers import BadHeader, FileHeader, Read


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
    kind = header_format(path)
    if kind is None:
        return None
    try:
        if kind == "safetensors":
            return safetensors.read_header(read, size).summary()
        return gguf.read_header(read, size).summary()
    except BadHeader as problem:
        return FileHeader(format=kind, error=str(problem))

# SPDX-License-Identifier: Apache-2.0
"""Reading the header of a model file, whatever its format."""

from hubkeep.cards import gguf, safetensors
from hubkeep.cards.headers import BadHeader, FileHeader, Format, Read


def read_file_header(kind: Format, read: Read, size: int) -> FileHeader:
    """The header of a file of this format and `size` bytes.

    Never raises for what is in the file (`error` says it); errors of `read` itself pass through.
    """
    try:
        if kind == "safetensors":
            return safetensors.read_header(read, size).summary()
        return gguf.read_header(read, size).summary()
    except BadHeader as problem:
        return FileHeader(format=kind, error=str(problem))

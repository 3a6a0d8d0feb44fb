# SPDX-License-Identifier: Apache-2.0
"""Reading the header of a model file, whatever its format."""

from hubkeep.cards import gguf, safetensors
from hubkeep.cards.gguf import GgufHeader
from hubkeep.cards.headers import BadHeader, FileHeader, Format, Read, Tensor
from hubkeep.cards.safetensors import SafetensorsHeader


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


def read_tensors(
    kind: Format, read: Read, size: int, *, keep: int, max_header_bytes: int
) -> tuple[list[Tensor], int]:
    """The first tensors of a file, and how many there are. Raises BadHeader, and what `read` does.

    With a longer header than `max_header_bytes` the file counts as bad.
    """
    header: SafetensorsHeader | GgufHeader
    if kind == "safetensors":
        header = safetensors.read_header(read, size, max_header_bytes=max_header_bytes, keep=keep)
    else:
        header = gguf.read_header(read, size, max_header_bytes=max_header_bytes, keep=keep)
    return header.listed, header.tensors

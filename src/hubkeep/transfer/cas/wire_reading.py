# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire when a file is put together: which chunks, and where to get them.

https://huggingface.co/docs/xet/api. Ranges of chunks do not include their end, ranges of bytes do.
"""

import msgspec


class Range(msgspec.Struct, frozen=True):
    """Chunks of a xorb by number, or bytes of it as `Range` asks for them."""

    start: int
    end: int


class Term(msgspec.Struct, frozen=True):
    """Chunks of a xorb that are the next bytes of a file."""

    hash: str
    unpacked_length: int
    range: Range


class XorbRange(msgspec.Struct, frozen=True):
    """Chunks that are fetched at once, and where they lie in the stored xorb."""

    chunks: Range
    bytes: Range


class XorbFetch(msgspec.Struct, frozen=True):
    """An address, and what may be asked for there, in one request or several."""

    url: str
    ranges: list[XorbRange]


class Reconstruction(msgspec.Struct, frozen=True):
    """A file or a part of it, as `/v2/reconstructions` answers it."""

    offset_into_first_range: int
    terms: list[Term]
    xorbs: dict[str, list[XorbFetch]]


class FetchInfo(msgspec.Struct, frozen=True):
    """What v1 says of chunks that are fetched at once."""

    range: Range
    url: str
    url_range: Range


class ReconstructionV1(msgspec.Struct, frozen=True):
    """A file or a part of it, as `/v1/reconstructions` answers it."""

    offset_into_first_range: int
    terms: list[Term]
    fetch_info: dict[str, list[FetchInfo]]


class ManyFiles(msgspec.Struct, frozen=True):
    """Several whole files; those that are not there are left out."""

    files: dict[str, list[Term]]
    fetch_info: dict[str, list[FetchInfo]]


class FileKey(msgspec.Struct, frozen=True):
    """A file as the body of a request for several names it; the prefix is the same for all."""

    hash: str
    prefix: str = ""


class ManyFilesQuery(msgspec.Struct, frozen=True):
    """The query of a request for several files."""

    file_id: tuple[str, ...] = ()

# SPDX-License-Identifier: Apache-2.0
"""Forms that bring a small file with them, as browsers send it without any script."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from hubkeep import errors
from hubkeep.web.forms import proven, read_form

T = TypeVar("T")

_MOST_FIELDS = 8
_FIELD_BYTES = 4 << 10
_AROUND = 8 << 10
"""Bytes of a body besides the file: boundaries, names, the other fields."""


@dataclass(frozen=True, slots=True)
class FileForm(Generic[T]):
    """A form with one file; `content` is None where the file was larger than it may be."""

    fields: T
    content: bytes | None


class _TooLarge(Exception):
    """There is more of the body than may be."""


async def read_form_with_file(request: Request, kind: type[T], limit: int) -> FileForm[T]:
    """Read a form into the struct `kind`, and its file of at most `limit` bytes.

    The file goes to disk while it comes, past its first megabyte; what is beyond the limit is not
    kept. An empty one stands for none. 400 for what is no such form; its token is checked as by
    `read_form`, and has to come before the file.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return FileForm(await read_form(request, kind), b"")
    content: bytes | None = b""
    async with aclosing(_limited(request, limit + _AROUND)) as stream:
        parser = MultiPartParser(
            request.headers,
            stream,
            max_files=1,
            max_fields=_MOST_FIELDS,
            max_part_size=_FIELD_BYTES,
        )
        try:
            await parser.parse()
        except _TooLarge:
            content = None
        except MultiPartException as bad:
            raise errors.bad_request(f"The form cannot be read: {bad.message}") from bad
    pairs = [(name, value) for name, value in parser.items if isinstance(value, str)]
    for _, file in parser.items:
        if isinstance(file, UploadFile) and content is not None:
            content = await file.read()
            await file.close()
    fields = proven(request, pairs, kind)
    return FileForm(fields, content if content is None or len(content) <= limit else None)


async def _limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    left = limit
    async for part in request.stream():
        yield part[:left]  # what comes before the file is read however much comes at once
        left -= len(part)
        if left < 0:
            raise _TooLarge

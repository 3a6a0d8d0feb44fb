# SPDX-License-Identifier: Apache-2.0
"""What handlers share: reading queries and bodies into structs, and writing JSON answers.

No parameter is accepted in silence: a query or body field that the struct does not have is a 400.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, get_origin
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.kit.cursors import BadCursor, decode_cursor, encode_cursor

T = TypeVar("T")

JSON_LIMIT = 2 << 20
_TRUTH = {"true": True, "1": True, "false": False, "0": False, "": True}


def json_answer(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Write a struct, or plain data, as JSON."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def empty_answer(status: int = 200) -> Response:
    """The `{}` that clients get where only the status matters."""
    return Response(b"{}", status, media_type="application/json")


async def read_body(request: Request, limit: int = JSON_LIMIT) -> bytes:
    """Return the request's body; 413 as soon as it is known to be larger than `limit` bytes."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limit:
        raise errors.too_large(f"The body may have at most {limit} bytes")
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise errors.too_large(f"The body may have at most {limit} bytes")
        parts.append(part)
    return b"".join(parts)


async def read_json(request: Request, kind: type[T], limit: int = JSON_LIMIT) -> T:
    """Decode the body into `kind`; 400 that names the field where it does not fit."""
    return decode_json(await read_body(request, limit), kind)


def decode_json(body: bytes, kind: type[T]) -> T:
    """Decode JSON into `kind`; an empty body is `{}`. 400 that names the field."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as bad:
        raise errors.bad_request(f"The body is not as expected: {bad}") from bad


def read_query(request: Request, kind: type[T]) -> T:
    """Decode the query into the struct `kind`; 400 names a parameter that is unknown or malformed.

    Lists are written `x=a&x=b` or `x[]=a`; of a scalar that is repeated the last value counts.
    Booleans are read as clients of all ages write them (`true`, `True`, `1`).
    """
    return decode_pairs(request.scope["query_string"].decode("latin-1"), kind)


def decode_pairs(encoded: str, kind: type[T]) -> T:
    """Decode `application/x-www-form-urlencoded` text into the struct `kind`; see `read_query`."""
    return convert_pairs(split_pairs(encoded), kind)


def split_pairs(encoded: str) -> list[tuple[str, str]]:
    """Return names and values of `application/x-www-form-urlencoded` text; 400 for too many."""
    try:
        return parse_qsl(encoded, keep_blank_values=True, max_num_fields=2000)
    except ValueError as bad:
        raise errors.bad_request("Too many parameters") from bad


def convert_pairs(pairs: Iterable[tuple[str, str]], kind: type[T]) -> T:
    """Put names and values into the struct `kind`; see `read_query`."""
    fields = _fields_of(kind)
    raw: dict[str, Any] = {}
    for written, value in pairs:
        name = written.removesuffix("[]")
        if name not in fields:
            known = ", ".join(sorted(fields)) or "none"
            raise errors.bad_request(f"Unknown parameter {name!r}; known here: {known}")
        kind_of = fields[name]
        if get_origin(kind_of) in (tuple, list):
            raw.setdefault(name, []).append(value)
        else:
            raw[name] = (
                _TRUTH.get(value.lower(), value) if kind_of in (bool, bool | None) else value
            )
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as bad:
        raise errors.bad_request(f"Bad parameter: {bad}") from bad


@cache
def _fields_of(kind: type) -> Mapping[str, Any]:
    """Types by wire name. Resolving them takes longer than all else that a query needs."""
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}  # ty: ignore


def read_cursor(cursor: str | None, kind: type[T]) -> T | None:
    """Decode the `cursor` parameter of a list; 400 where it is not ours."""
    if not cursor:
        return None
    try:
        return decode_cursor(cursor, kind)
    except BadCursor as bad:
        raise errors.bad_request(str(bad)) from bad


def raw_path(request: Request) -> str:
    """Return the path as it was sent, undecoded: `refs%2Fpr%2F1` is one segment."""
    raw = request.scope.get("raw_path")
    if not raw:  # which ASGI leaves to the server
        return quote(request.scope["path"], safe="/%:@!$&'()*+,;=~")
    return raw.decode("latin-1").partition("?")[0]


def next_link(base: str, request: Request, replaced: Mapping[str, str]) -> dict[str, str]:
    """Return the `Link` header that leads to the next page: this address, with some parameters
    replaced.

    `base` makes it absolute: clients pass the link to their HTTP library as it is.
    """
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if name not in replaced]
    query = urlencode([*kept, *replaced.items()])
    return {"Link": f'<{base}{raw_path(request)}?{query}>; rel="next"'}


def link_after(base: str, request: Request, position: object) -> dict[str, str]:
    """Return the `Link` header of a list that goes on after a position; see `read_cursor`."""
    return next_link(base, request, {"cursor": encode_cursor(position)})

# SPDX-License-Identifier: Apache-2.0
"""Opaque cursors of paged lists: a small JSON value in base64url."""

import base64
import binascii
from typing import Annotated, TypeVar

import msgspec

T = TypeVar("T")
MAX_LENGTH = 8192
Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""An id or a time in a position: no more than databases keep, since cursors come from anybody."""


class AfterId(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A position in a list that goes by id."""

    id: Number = 0


class BadCursor(ValueError):
    """The cursor was not made by this hub for this list."""


def encode_cursor(position: object) -> str:
    """Write a position (any struct or plain value) as a cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def decode_cursor(cursor: str, kind: type[T]) -> T:
    """Read a cursor back as `kind`. BadCursor."""
    if len(cursor) > MAX_LENGTH:
        raise BadCursor("cursor too long")
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=kind)
    except (binascii.Error, msgspec.DecodeError, ValueError) as bad:
        raise BadCursor("the cursor is not one that this list gave") from bad

# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire of uploads to the chunk store.

https://huggingface.co/docs/xet/api says most of it; upload grants are as hf_xet 1.8 asks for them.
"""

from typing import Annotated

import msgspec


class ReadTokenQuery(msgspec.Struct, frozen=True):
    """A token for reading has no parameters."""


class WriteTokenQuery(msgspec.Struct, frozen=True):
    """With `create_pr` the upload is for a pull request that is opened afterwards."""

    create_pr: bool = False


class StoreAccess(msgspec.Struct, frozen=True, rename="camel"):
    """Where the chunk store is, and a token that holds until `exp`, in seconds since the epoch."""

    access_token: str
    exp: int
    cas_url: str


class XorbTaken(msgspec.Struct, frozen=True):
    """The xorb is stored now; whether it was not before, as far as its sender may know."""

    was_inserted: bool


class GrantRequest(msgspec.Struct, frozen=True):
    """A xorb of `length` bytes is to be sent. Its checksum is not looked at: its hash is."""

    length: Annotated[int, msgspec.Meta(ge=1)]


class UploadGrant(msgspec.Struct, frozen=True):
    """Where to put a xorb, with these headers; the id is what to come back with."""

    id: str
    method: str
    url: str
    headers: dict[str, str]

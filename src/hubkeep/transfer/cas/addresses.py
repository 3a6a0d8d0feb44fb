# SPDX-License-Identifier: Apache-2.0
"""The addresses where clients fetch chunks: the hub's own, or of S3.

A client asks for them with nothing but the address. So it carries the right: to certain spans of
one xorb's stored bytes, since other files than the client's have chunks in the same xorb.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from starlette.requests import Request

from hubkeep import errors
from hubkeep.blobs import xorb_key
from hubkeep.kit.batches import batches
from hubkeep.transfer.cas.access import CasToken
from hubkeep.transfer.signing import BadSignature
from hubkeep.xet.hashes import to_text
from hubkeep.xet.reconstruction import Fetch

if TYPE_CHECKING:
    from hubkeep.app import App

ADDRESS_SECONDS = 12 * 3600
"""How long an address holds. Clients ask for addresses of up to 8 GB at once, which come within
this time at 200 kB/s, and ask again after a 403, once.
"""

_PURPOSE = "cas-data"
_SIGNED_AT_ONCE = 64


class DataGrant(msgspec.Struct, frozen=True, array_like=True):
    """The right to spans of the stored bytes of a xorb; `right` says whose it is."""

    right: CasToken
    xorb: bytes
    size: int
    """Bytes of the xorb when this was signed. Where it has others now, the spans may too."""
    spans: list[tuple[int, int]]

    def covers(self, start: int, end: int) -> bool:
        """Whether the bytes [start, end) are in one of the spans."""
        return any(first <= start and end <= last for first, last in self.spans)


class Address(NamedTuple):
    """Where to fetch some runs of chunks of a xorb."""

    url: str
    runs: Sequence[Fetch]


class Wanted(NamedTuple):
    """Runs of chunks of a xorb, in ascending order; `size` is that of the stored xorb."""

    size: int
    runs: Sequence[Fetch]


async def s3_addresses(
    app: "App", wanted: Mapping[bytes, Wanted]
) -> dict[bytes, list[Address]] | None:
    """Return where on S3 all these are, an address for each run; None: the hub sends them."""
    asked = [(xorb, run) for xorb, (_, runs) in wanted.items() for run in runs]
    found: dict[bytes, list[Address]] = {}
    for some in batches(asked, _SIGNED_AT_ONCE):
        urls = await asyncio.gather(*(_signed(app, xorb, run) for xorb, run in some))
        for (xorb, run), url in zip(some, urls, strict=True):
            if url is None:
                return None
            found.setdefault(xorb, []).append(Address(url, [run]))
    return found


def own_addresses(
    app: "App", base: str, token: CasToken, wanted: Mapping[bytes, Wanted], together: int
) -> dict[bytes, list[Address]]:
    """Return addresses of the hub's at `base`, each for at most `together` runs of a xorb."""
    right = msgspec.structs.replace(token, may_write=False)
    return {
        xorb: [
            Address(_own(app, base, DataGrant(right, xorb, size, list(_spans(some)))), some)
            for some in batches(runs, together)
        ]
        for xorb, (size, runs) in wanted.items()
    }


def data_grant(app: "App", request: Request) -> DataGrant:
    """Return what the request's address allows. 403 if it is not one of this hub's that holds; 404
    in another epoch.
    """
    try:
        grant = app.signer.open(_PURPOSE, request.path_params["token"], DataGrant)
    except BadSignature as bad:
        raise errors.forbidden(f"This address does not hold ({bad}); ask for a new one") from bad
    if grant.right.epoch != request.path_params["epoch"]:
        raise errors.other_epoch()
    return grant


async def _signed(app: "App", xorb: bytes, run: Fetch) -> str | None:
    span = (run.stored_start, run.stored_end)
    return await app.blobs.signed_get(xorb_key(to_text(xorb)), seconds=ADDRESS_SECONDS, span=span)


def _own(app: "App", base: str, grant: DataGrant) -> str:
    token = app.signer.sign(_PURPOSE, grant, seconds=ADDRESS_SECONDS)
    return f"{base}/cas/{grant.right.epoch}/data/{token}"


def _spans(runs: Sequence[Fetch]) -> Iterator[tuple[int, int]]:
    """Where runs lie; those next to each other cannot be, since they would be one run."""
    for run in runs:
        yield run.stored_start, run.stored_end

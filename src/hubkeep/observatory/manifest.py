# SPDX-License-Identifier: Apache-2.0
"""What a snapshot says of itself: where it is from, when, of what, and the hash of each file."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from hubkeep.observatory.schema import VERSION

MANIFEST = "manifest.json"

Universe = Literal["public", "all"]
"""`public`: what an anonymous visitor of the source may see. `all`: everything, for
administrators of this hub.
"""


class FileOf(msgspec.Struct, frozen=True, kw_only=True):
    """A Parquet file of a snapshot; `missing` are the columns that the source does not have."""

    rows: int
    bytes: int
    sha256: str
    missing: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a snapshot is from. `kind`: hub (this one), crawl or import."""

    kind: Literal["hub", "crawl", "import"]
    name: str
    """The endpoint that was crawled, the name of the file, or the hub's own address."""
    detail: Mapping[str, str] = {}
    """What else there is to know: the sha256 of an imported file, how long a crawl took."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot, without its rows. It is written last: a folder without one is no snapshot."""

    id: str
    """`20240711T000000Z-` and the first eight digits of the hash."""
    hash: str
    """sha256 over all else that is here, with sorted keys: the snapshot's name in every output."""
    schema: int = VERSION
    taken_at: str
    """`2024-07-11T00:00:00.000Z`."""
    universe: Universe = "public"
    source: Source
    tables: Mapping[str, FileOf]
    """By name; a table that the source does not have is not there."""
    excluded: Mapping[str, Mapping[str, int]] = {}
    """Rows that were left out, by table and reason, such as `{"models": {"duplicate id": 2}}`."""
    cleared: Mapping[str, Mapping[str, int]] = {}
    """Single values that could not be, by table and reason: they are null now, or are without the
    characters that cannot be seen.
    """
    notes: tuple[str, ...] = ()
    """What a reader has to know, such as that a crawl shifted under its pages."""

# SPDX-License-Identifier: Apache-2.0
"""The index of weights that are cut into several files: which tensors are in which."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from hubkeep.web.repo_places import Spot

MAX_SHARDS = 1000

_NO_FILE = ("/", "\\", "\0")


class Shard(msgspec.Struct, rename="camel"):
    """A file of the index, and how many tensors it has."""

    name: str
    href: str | None
    tensors: int


class Shards(msgspec.Struct, rename="camel"):
    """What an index says: its files by name, at most MAX_SHARDS of `count`; `size` is that of all
    tensors in bytes, as far as the index says it.
    """

    files: Sequence[Shard]
    count: int
    tensors: int
    size: int | None


class _Index(msgspec.Struct):
    weight_map: dict[str, str]
    metadata: object = None


def shards_of(content: bytes, spot: Spot) -> Shards | None:
    """Return what the index at a place says; None for what is no index."""
    try:
        index = msgspec.json.decode(content, type=_Index)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    tensors = Counter(index.weight_map.values())
    folder = spot.path.rpartition("/")[0]
    files = [
        Shard(name, _href(spot, folder, name), tensors[name])
        for name in sorted(tensors)[:MAX_SHARDS]
    ]
    return Shards(files, len(tensors), len(index.weight_map), _size(index.metadata))


def _href(spot: Spot, folder: str, name: str) -> str | None:
    """Where a file of the index is, which stands beside it."""
    if not name or name in (".", "..") or any(sign in name for sign in _NO_FILE):
        return None
    return spot.to("blob", f"{folder}/{name}" if folder else name)


def _size(metadata: object) -> int | None:
    size = metadata.get("total_size") if isinstance(metadata, dict) else None
    is_size = isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**63
    return size if is_size else None

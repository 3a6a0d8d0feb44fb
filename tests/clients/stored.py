# SPDX-License-Identifier: Apache-2.0
"""What a live hub has stored as chunks, and files that are cut into them."""

import os
from contextlib import closing
from dataclasses import dataclass

from huggingface_hub import HfApi
from sqlalchemy import func, select

from hubkeep.db import Database
from hubkeep.db.tables import xorbs
from tests.harness.hub import LiveHub

KiB = 1 << 10
MiB = 1 << 20


@dataclass(frozen=True)
class Stored:
    """How many xorbs the hub has, and their bytes."""

    xorbs: int
    size: int

    def __sub__(self, other: "Stored") -> "Stored":
        return Stored(self.xorbs - other.xorbs, self.size - other.size)


def stored(hub: LiveHub) -> Stored:
    """Count the hub's xorbs."""
    with closing(Database(hub.database_url)) as db:
        counted = select(func.count(), func.coalesce(func.sum(xorbs.c.size), 0))
        count, size = db.read_now(lambda conn: conn.execute(counted.where(xorbs.c.ready)).one())
    return Stored(count, int(size))


def weights(size: int) -> bytes:
    """Bytes as in tensors of small float32: every fourth is nearly always the same."""
    data = bytearray(os.urandom(size))
    data[3::4] = b"\x3c" * len(data[3::4])
    return bytes(data)


def edited(content: bytes, *places: int) -> bytes:
    """A copy of the same length with a few other bytes at each place."""
    copy = bytearray(content)
    for place in places:
        copy[place : place + 100] = os.urandom(100)
    return bytes(copy)


def xet_hash(api: HfApi, repo: str, path: str) -> str | None:
    """What the hub says that a file's Xet hash is; None for one that is not stored as chunks."""
    [info] = api.get_paths_info(repo, [path])
    return info.xet_hash

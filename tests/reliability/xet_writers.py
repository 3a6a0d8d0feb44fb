# SPDX-License-Identifier: Apache-2.0
"""Clients that write by Xet until they are stopped."""

import random

from tests.reliability.ledger import Ledger
from tests.reliability.process import Mortal
from tests.reliability.writers import REPO, Writer
from tests.reliability.xet_client import (
    Part,
    Store,
    Xorb,
    content_of,
    digest,
    shard_of,
    some_xorb,
)

_REMEMBERED = 8


class XetFiles(Writer):
    """Files of new chunks and of chunks that the hub has acknowledged, then a commit to `main`."""

    def __init__(self, name: str, hub: Mortal, ledger: Ledger) -> None:
        super().__init__(name, hub, ledger)
        self._known: list[Xorb] = []

    def step(self, number: int) -> None:
        store = Store(self.call, REPO, "write")
        fresh = [some_xorb(self._random, self._random.randint(1, 30))]
        if self._random.random() < 0.1:
            fresh.append(some_xorb(self._random, 150))
        for xorb in fresh:
            store.put_xorb(xorb)
        parts = [Part(xorb, 0, len(xorb.chunks)) for xorb in fresh]
        parts += [_some_of(xorb, self._random) for xorb in self._known[-2:]]
        self._random.shuffle(parts)
        content = content_of(parts)
        xet_hash, shard = shard_of(parts, fresh, digest(content))
        store.put_shard(shard, version=1 + number % 2)
        self._known = [*self._known, *fresh][-_REMEMBERED:]
        self.commit_large(number, digest(content), len(content), xet_hash)


def _some_of(xorb: Xorb, chance: random.Random) -> Part:
    start = chance.randrange(len(xorb.chunks))
    return Part(xorb, start, chance.randint(start + 1, len(xorb.chunks)))

# SPDX-License-Identifier: Apache-2.0
"""A cache of bytes that is bounded by what it holds."""

import threading
from collections import OrderedDict
from collections.abc import Hashable

# What a key, its entry and the object around the bytes take, roughly: bounds tiny values too.
_OVERHEAD = 250


class ByteCache:
    """Holds at most `limit` bytes, bookkeeping included; the least recently used goes first.

    For values that never change under their key: nothing is ever invalidated. Thread-safe.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._entries: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> bytes | None:
        """Return the value, which becomes the most recently used; None where there is none."""
        with self._lock:
            value = self._entries.get(key)
            if value is not None:
                self._entries.move_to_end(key)
            return value

    def put(self, key: Hashable, value: bytes) -> None:
        """Keep the value, unless it alone would take more than a quarter of the cache."""
        cost = len(value) + _OVERHEAD
        if cost > self._limit // 4:
            return
        with self._lock:
            if key in self._entries:
                return
            self._entries[key] = value
            self._used += cost
            while self._used > self._limit:
                _, dropped = self._entries.popitem(last=False)
                self._used -= len(dropped) + _OVERHEAD

    @property
    def limit(self) -> int:
        """Bytes that it may hold."""
        return self._limit

    @property
    def used(self) -> int:
        """Bytes held, bookkeeping included."""
        return self._used

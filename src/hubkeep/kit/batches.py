# SPDX-License-Identifier: Apache-2.0
"""Long lists a bounded piece at a time, as statements and transactions want them."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

SIZE = 500


def batches(items: Iterable[T], size: int = SIZE) -> Iterator[list[T]]:
    """Yield the items in order, in lists of `size`, of which the last may be shorter."""
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch

# SPDX-License-Identifier: Apache-2.0
"""Time as the hub keeps it: whole milliseconds since 1970-01-01T00:00:00Z, in UTC."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Millis: TypeAlias = int
Clock: TypeAlias = Callable[[], Millis]

DAY: Millis = 86_400_000


def now() -> Millis:
    """Return the current time in milliseconds."""
    return time.time_ns() // 1_000_000


def wire(at: Millis) -> str:
    """Write a time as Hugging Face does: `2026-11-21T06:00:00.000Z`."""
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return f"{moment.isoformat()[:19]}.{at % 1000:03d}Z"


def unwire(text: str) -> Millis:
    """Read a time that `wire` wrote."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def day_of(at: Millis) -> int:
    """Return the number of whole days between 1970-01-01 and a time, in UTC."""
    return at // DAY

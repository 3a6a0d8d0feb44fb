# SPDX-License-Identifier: Apache-2.0
"""When the next request may be sent: not before the hub wants one."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from hubkeep.observatory.crawling.failure import Stopped

# `"api";r=0;t=55`: how many requests are left, and seconds until there are more.
_PART: Final = re.compile(r";\s*([rt])\s*=\s*(\d{1,9})")
_SECONDS: Final = re.compile(r"\d{1,9}")


class Pace:
    """Holds back all threads of a crawl together.

    `wait` waits so many seconds, or until the crawl is to stop, and says whether it is; `tell`
    hears how long a wait is that the hub has asked for.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
        tell: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._stop = threading.Event()
        self._wait = wait or self._stop.wait
        self._tell = tell
        self._lock = threading.Lock()
        self._until = 0.0

    @property
    def stopped(self) -> bool:
        """Whether the crawl is to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End all waiting; who asks for a turn from now on gets Stopped."""
        self._stop.set()

    def hold(self, seconds: float) -> None:
        """Let nobody send anything for so long."""
        with self._lock:
            self._until = max(self._until, self._clock() + seconds)
        if seconds > 0:
            self._tell(seconds)

    def turn(self) -> None:
        """Return when a request may be sent. Stopped."""
        while True:
            with self._lock:
                left = self._until - self._clock()
            if left <= 0:
                break
            self.sleep(left)
        if self.stopped:
            raise Stopped

    def sleep(self, seconds: float) -> None:
        """Wait for so long, this thread alone. Stopped."""
        if self._wait(seconds) or self.stopped:
            raise Stopped


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a refusal asks to wait; None where it does not say.

    `Retry-After` in seconds or as a date, else what `RateLimit` says of a window that is used up.
    Names of headers are in lower case.
    """
    said = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(said):
        return float(said)
    if said:
        try:
            moment = parsedate_to_datetime(said)
        except (ValueError, OverflowError):
            return window(headers)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    return window(headers)


def window(headers: Mapping[str, str]) -> float | None:
    """Return in how many seconds a limit's next window opens, where this one is used up.

    A hub may name several limits, of which the last to open counts.
    """
    limits = [dict(_PART.findall(one)) for one in headers.get("ratelimit", "").split(",")]
    spent = [float(one["t"]) for one in limits if "t" in one and int(one.get("r", 1)) == 0]
    return max(spent) if spent else None

# SPDX-License-Identifier: Apache-2.0
"""Downloads of the last days as a line, and as numbers for who does not see lines."""

from collections.abc import Sequence

import msgspec

from hubkeep.kit.time import Millis
from hubkeep.web import words

DAYS = 30
_DAY = 86_400_000
_WIDTH, _HEIGHT = 144, 36


class DayShown(msgspec.Struct, rename="camel"):
    """A day, as people write it, and its downloads."""

    day: str
    count: int


class Downloads(msgspec.Struct, rename="camel"):
    """Downloads of the last days, oldest first, today last; `total` is theirs, `ever` all."""

    total: int
    ever: int
    by_day: Sequence[DayShown]

    @property
    def line(self) -> str:
        """The path of a line in 144 by 36; empty where there were none."""
        most = max((one.count for one in self.by_day), default=0)
        if not most:
            return ""
        step = _WIDTH / (len(self.by_day) - 1)
        points = (
            f"{i * step:.1f},{_HEIGHT - 2 - (_HEIGHT - 4) * one.count / most:.1f}"
            for i, one in enumerate(self.by_day)
        )
        return "M" + " L".join(points)

    @property
    def said(self) -> str:
        """What the line shows, in words."""
        most = max(self.by_day, key=lambda one: one.count)
        return (
            f"Downloads by day, {self.by_day[0].day} to {self.by_day[-1].day}: "
            f"most on {most.day}, {words.exactly(most.count)}"
        )

    @property
    def with_some(self) -> Sequence[DayShown]:
        """The days on which there were downloads, newest first."""
        return [one for one in reversed(self.by_day) if one.count]


def downloads_shown(total: int, ever: int, by_day: Sequence[int], now: Millis) -> Downloads:
    """Return what is shown of counts by day, of which the last is today's."""
    first = now - (len(by_day) - 1) * _DAY
    days = [DayShown(words.day(first + i * _DAY), count) for i, count in enumerate(by_day)]
    return Downloads(total, ever, days)

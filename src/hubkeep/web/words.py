# SPDX-License-Identifier: Apache-2.0
"""How values are written for people: sizes, counts, times, and text that might play tricks."""

import re
from datetime import UTC, datetime

from markupsafe import Markup, escape

from hubkeep.kit.time import Millis

_SIZES = ("kB", "MB", "GB", "TB", "PB")
_COUNTS = ("", "K", "M", "B", "T")
# What turns the direction of text around, hides it, or ends a line where nobody sees one.
_TRICKS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_STEPS = (
    (60, "second"),
    (60, "minute"),
    (24, "hour"),
    (30.44, "day"),
    (12, "month"),
    (1e9, "year"),
)


def size(count: int | None) -> str:
    """Return bytes in powers of a thousand, three digits: `1.24 GB`."""
    if count is None:
        return ""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in _SIZES:
        value /= 1000
        if value < 999.5 or unit == _SIZES[-1]:
            return f"{_three(value)} {unit}"
    raise AssertionError("unreachable")


def count(number: int | float | None) -> str:
    """Return a count as short as it is said: `950`, `1.2K`, `7.24B`."""
    if number is None:
        return ""
    value = float(number)
    for unit in _COUNTS:
        if abs(value) < 999.5 or unit == _COUNTS[-1]:
            return f"{_three(value) if unit else round(value)}{unit}"
        value /= 1000
    raise AssertionError("unreachable")


def _three(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    text = f"{value:.2f}" if value < 9.995 else f"{value:.1f}"
    return text.rstrip("0").rstrip(".")


def exactly(number: int | None) -> str:
    """Return a count in full, with thin spaces between thousands."""
    return "" if number is None else f"{number:,}".replace(",", "\u202f")


def ago(at: Millis, now: Millis) -> str:
    """Return how long ago something was, in the largest unit that fits: `3 days ago`."""
    value = (now - at) / 1000
    if value < 45:
        return "just now"
    for limit, name in _STEPS:
        if value < limit or name == "year":
            whole = max(1, int(value))
            return f"{whole} {name}{'' if whole == 1 else 's'} ago"
        value /= limit
    raise AssertionError("unreachable")


def day(at: Millis) -> str:
    """Return a date: `21 Nov 2026`."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment.day} {moment:%b %Y}"


def moment(at: Millis) -> str:
    """Return a date and a time in UTC, for machines: what `datetime` attributes want."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(text: str) -> Markup:
    """Return text with characters that hide or turn it around shown as what they are."""
    return Markup(_TRICKS.sub(_shown, str(escape(text))))  # noqa: S704 - escaped just there


def _shown(found: re.Match[str]) -> str:
    return f'<span class="trick" title="an invisible character">U+{ord(found[0]):04X}</span>'

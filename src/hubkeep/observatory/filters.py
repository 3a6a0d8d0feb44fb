# SPDX-License-Identifier: Apache-2.0
"""Which models a reader asks about, and why the others are left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args

from hubkeep.observatory.dimensions import ORG_TYPES
from hubkeep.observatory.figure import BadParameter
from hubkeep.observatory.workbench import quoted

STAMP: Final = "2022-03-02"
"""The day that huggingface.co gave to all repositories that are older: no date, a bound."""

Flagged = Literal["mark", "keep", "drop"]
"""What becomes of counters that stand out: marked and left out of shares, counted like all others,
or left out of everything.
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which models a reader asks about; the empty ones are all. Raises BadParameter."""

    org_type: str = ""
    since: str = ""
    """First day of being made, such as 2024-01-01; models without a date are left out then."""
    until: str = ""
    """Last day of being made."""
    flagged: Flagged = "mark"

    def __post_init__(self) -> None:
        if self.org_type and self.org_type not in ORG_TYPES:
            raise BadParameter(f"org_type must be one of {', '.join(ORG_TYPES)}")
        for name, day in (("since", self.since), ("until", self.until)):
            if day and not _is_day(day):
                raise BadParameter(f"{name} must be a day such as 2024-01-31, got {day!r}")
        if self.flagged not in get_args(Flagged):
            raise BadParameter(f"flagged must be one of {', '.join(get_args(Flagged))}")


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL that holds for the models that stay, and the reason why others do not."""

    reason: str
    sql: str


def conditions(filters: Filters) -> Sequence[Condition]:
    """Return what a model has to fulfil, the first that it fails being the reason it is out."""
    found = []
    since, until = filters.since, filters.until
    if filters.flagged == "drop":
        found.append(Condition("flagged", "NOT is_flagged"))
    if filters.org_type:
        found.append(
            Condition("of another organisation type", f"org_type = {quoted(filters.org_type)}")
        )
    if since or until:
        found.append(Condition("no date", "created_at IS NOT NULL"))
    if since or (until and until < STAMP):
        found.append(Condition("made before March 2022, nobody knows when", "NOT is_censored"))
    if since:
        found.append(
            Condition(
                f"made before {since}", f"created_at >= TIMESTAMP {quoted(f'{since} 00:00:00')}"
            )
        )
    if until:
        found.append(
            Condition(
                f"made after {until}",
                f"created_at < TIMESTAMP {quoted(f'{until} 00:00:00')} + INTERVAL 1 DAY",
            )
        )
    return found


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False

# SPDX-License-Identifier: Apache-2.0
"""Emissions told in what people know: kilometres by car, flights, years of a life.

The comparisons are rows of a table of the observatory, each with its source: cards and figures
tell emissions by the same.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).parents[1] / "observatory" / "tables" / "comparisons.csv"

SHOWN: Final = 3
_MOST: Final = 10_000
"""Of a unit that there are more of, nobody has an idea."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Something that emits, by which emissions are told: `grams` of CO2 for one of `unit`.

    `unit` is what it is called after a number: `km by car`.
    """

    id: str
    what: str
    unit: str
    grams: float
    source: str


@cache
def comparisons() -> Sequence[Comparison]:
    """Return all comparisons, the smallest first."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        found = [
            Comparison(row["id"], row["what"], row["unit"], float(row["grams"]), row["source"])
            for row in csv.DictReader(file)
        ]
    return sorted(found, key=lambda one: (one.grams, one.id))


def compared(grams: float) -> list[tuple[float, Comparison]]:
    """Return up to SHOWN comparisons and how many of each it takes, the fewest first.

    Those of which it takes 1 to 10,000; where there are none, the one that comes nearest. Nothing
    for no emissions.
    """
    if not grams > 0:
        return []
    counts = [(grams / one.grams, one) for one in reversed(comparisons())]
    fitting = [(count, one) for count, one in counts if 1 <= count < _MOST]
    return fitting[:SHOWN] or ([counts[0]] if counts[0][0] >= 1 else [counts[-1]])


def in_words(grams: float) -> list[str]:
    """Return what emissions are as much as: `430 km by car`; see `compared`."""
    return [f"{_number(count)} {one.unit}" for count, one in compared(grams)]


def _number(count: float) -> str:
    return f"{count:.2g}" if count < 1 else f"{count:.1f}" if count < 9.95 else f"{count:,.0f}"

# SPDX-License-Identifier: Apache-2.0
"""What the data say to a claim, and the words that numbers are told in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hubkeep.observatory.figure import Scalar
from hubkeep.observatory.running import Result
from tools.findings.shelf import Row, Shelf


@dataclass(frozen=True, slots=True)
class Answer:
    """`found` is empty where the data cannot test a claim; `why` says then what they lack."""

    found: str
    how: str
    why: str


Answers = Mapping[str, Callable[[Shelf], Answer]]
"""By the id of a claim."""


def untested(why: str) -> Callable[[Shelf], Answer]:
    """Answer that the data do not tell."""
    return lambda _shelf: Answer("", "", why)


def by(name: str, result: Result) -> str:
    """Say how a number was computed: the figure, what it was asked, and over which snapshots."""
    defaults = {one.name: one.default for one in result.figure.parameters}
    asked = [f"{key}={value}" for key, value in result.parameters.items() if value != defaults[key]]
    told = f" ({', '.join(asked)})" if asked else ""
    until = f", models made until {result.filters.until}" if result.filters.until else ""
    return f"{result.figure.id}{told} over {name}{until}"


def percent(value: Scalar, digits: int = 1) -> str:
    """A share as text: 0.5 is 50.0%."""
    return f"{100 * float(value or 0):.{digits}f}%"


def ranged(row: Row, value: str, low: str, high: str) -> str:
    """Return a share with its interval."""
    return f"{percent(row[value])} ({percent(row[low], 0)} to {percent(row[high], 0)})"


def whole(value: Scalar) -> str:
    """A count as text, with commas."""
    return f"{int(value or 0):,}"


def million(value: Scalar) -> str:
    """Return millions, as text."""
    return f"{float(value or 0) / 1e6:.1f} million"


def listed(rows: list[Row], column: str, share: str) -> str:
    """Names with their shares, in a row."""
    return ", ".join(f"{row[column]} {percent(row[share])}" for row in rows)

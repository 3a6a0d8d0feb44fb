# SPDX-License-Identifier: Apache-2.0
"""The list of endpoints that clients of Hugging Face call (`contract.txt`), as data."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).with_name("contract.txt")

_AREA = re.compile(r"= (\d+) (P\d) (.+)")
_ELSEWHERE = re.compile(r"~ (\d+) (.+)")
_ENDPOINT = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE)((?: /\S*)+)")


@dataclass(frozen=True)
class Endpoint:
    """A method and the patterns that it has to have: all of them are one endpoint."""

    method: str
    patterns: tuple[str, ...]


@dataclass
class Area:
    """A section of the contract; P0 is what no push or pull works without, P3 what few miss."""

    number: int
    priority: str
    name: str
    endpoints: list[Endpoint] = field(default_factory=list)
    elsewhere: list[tuple[int, str]] = field(default_factory=list)
    """Endpoints that are no addresses of a hub: how many, and what they are."""

    @property
    def size(self) -> int:
        """The number of endpoints, those elsewhere among them."""
        return len(self.endpoints) + sum(count for count, _ in self.elsewhere)


def read_contract(text: str | None = None) -> list[Area]:
    """Return the areas in their order; ValueError names a line that is not as it should be."""
    areas: list[Area] = []
    for number, line in _lines(FILE.read_text("utf-8") if text is None else text):
        if begun := _AREA.fullmatch(line):
            areas.append(Area(int(begun[1]), begun[2], begun[3]))
        elif areas and (elsewhere := _ELSEWHERE.fullmatch(line)):
            areas[-1].elsewhere.append((int(elsewhere[1]), elsewhere[2]))
        elif areas and (endpoint := _ENDPOINT.fullmatch(line)):
            areas[-1].endpoints.append(Endpoint(endpoint[1], tuple(endpoint[2].split())))
        else:
            raise ValueError(f"{FILE.name}, line {number}: {line!r}")
    return areas


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.strip()

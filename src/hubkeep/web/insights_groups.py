# SPDX-License-Identifier: Apache-2.0
"""The contents of the observatory: its figures, by what they are about."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hubkeep.observatory.reader.wire import FigureOf
from hubkeep.web.insights import Scene

GROUPS: Final[Sequence[tuple[str, Sequence[str]]]] = (
    ("Growth and age", ("F1", "B12", "B7")),
    ("Organisations", ("F2", "F3", "S3", "S4", "B5")),
    ("Use", ("B1", "S6", "B13", "B14")),
    ("Licences", ("S1", "S2", "B3")),
    ("Tasks, languages, data", ("S5", "B6", "B15")),
    ("Size", ("F4", "B8")),
    ("Lineage", ("B2", "B4")),
    ("Documentation, formats, access", ("B9", "B11", "B10")),
    ("Emissions", ("F5", "B16")),
    ("Forecast", ("S7",)),
    ("This hub and others", ("B17",)),
)
_MORE: Final = "More"


class FigureEntry(msgspec.Struct, rename="camel", kw_only=True):
    """A figure in the contents; `lacks` is what it needs and the snapshot does not have."""

    id: str
    href: str
    title: str
    question: str
    lacks: Sequence[str]
    is_current: bool = False


class FigureGroup(msgspec.Struct, rename="camel", kw_only=True):
    """Figures about one thing."""

    name: str
    figures: Sequence[FigureEntry]


def path_of(figure: str) -> str:
    """Return the address of a figure's page, without its parameters."""
    return f"/insights/{figure.lower()}"


def grouped(figures: Sequence[FigureOf], scene: Scene, current: str = "") -> Sequence[FigureGroup]:
    """Return the figures in their groups; one that stands in none comes last."""
    by_id = {one.id: one for one in figures}
    named = {name for _, names in GROUPS for name in names}
    rest = [one for one in by_id if one not in named]
    groups = [
        FigureGroup(
            name=group,
            figures=[_entry(by_id[one], scene, current) for one in names if one in by_id],
        )
        for group, names in [*GROUPS, (_MORE, rest)]
    ]
    return [one for one in groups if one.figures]


def _entry(figure: FigureOf, scene: Scene, current: str) -> FigureEntry:
    return FigureEntry(
        id=figure.id,
        href=scene.href(path_of(figure.id)),
        title=figure.title,
        question=figure.question,
        lacks=figure.missing,
        is_current=figure.id == current,
    )

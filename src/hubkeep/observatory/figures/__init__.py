# SPDX-License-Identifier: Apache-2.0
"""All figures: each is a file of SQL and one of Python with the same name in this folder."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from hubkeep.observatory.figure import Figure

_FOLDER = Path(__file__).parent
_STEP = re.compile(r"([a-z]+)(\d+)")


@dataclass(frozen=True, slots=True)
class Known:
    """A figure and its SQL as written."""

    figure: Figure
    sql: str


@cache
def all_figures() -> Mapping[str, Known]:
    """Return all figures by id, in the order F1 .. F5, S1 .. S7, B1 .. B17."""
    found = {}
    halves = [path for path in _FOLDER.glob("*.sql") if path.with_suffix(".py").exists()]
    for path in sorted(halves, key=_place):
        figure: Figure = import_module(f"{__name__}.{path.stem}").FIGURE
        found[figure.id] = Known(figure, path.read_text(encoding="utf-8"))
    return MappingProxyType(found)


def _place(path: Path) -> tuple[int, int]:
    letters = _STEP.fullmatch(path.stem)
    assert letters, f"{path.name}: name it by its id, such as f1.sql"
    return "fsb".index(letters[1]), int(letters[2])

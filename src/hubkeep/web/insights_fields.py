# SPDX-License-Identifier: Apache-2.0
"""What a reader may ask of a figure: by its address, or by a form that works without a script."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from hubkeep.observatory.dimensions import ORG_TYPES
from hubkeep.observatory.document import FiltersOf, ParameterOf
from hubkeep.observatory.figure import BadParameter, Value
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.reader.wire import FigureOf
from hubkeep.web.fields import Choice, Field
from hubkeep.web.insights_scales import Scale

_OF_PAGES: Final = ("snapshot", "universe", "scale", "format")
RESERVED: Final = frozenset((*_OF_PAGES, *FiltersOf.__struct_fields__))
"""Parameters that all pages of figures have: no figure calls its own so."""

_SCALES: Final[Mapping[Scale, str]] = {"": "As it comes", "linear": "Linear", "log": "Logarithmic"}
_FLAGGED: Final = {
    "mark": "Shown, left out of shares",
    "keep": "Counted like all others",
    "drop": "Left out of everything",
}
_FAR: Final = 1e6
"""A bound beyond it tells a reader nothing."""

_NAMES: Final = {
    "k": "Universe: top so many models",
    "rule": "Universe: top models by",
    "merged": "With individuals among the others",
    "min_bytes": "Least size in bytes",
    "downloads_30d": "downloads in 30 days",
    "downloads_all": "downloads of all time",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks of a figure; `given` is without what says nothing."""

    snapshot: str
    universe: str
    scale: str
    given: Mapping[str, str]

    @property
    def parameters(self) -> Mapping[str, str]:
        """What is asked of the figure itself."""
        known = FiltersOf.__struct_fields__
        return {name: value for name, value in self.given.items() if name not in known}

    def filters(self) -> FiltersOf:
        """Return which models are asked about. BadParameter."""
        known = FiltersOf.__struct_fields__
        told = {name: value for name, value in self.given.items() if name in known}
        filters = Filters(**told)  # ty: ignore[invalid-argument-type]
        return msgspec.convert(filters, FiltersOf, from_attributes=True)

    def drawn_on(self) -> Scale:
        """Return the scale that is asked for. BadParameter."""
        for scale in _SCALES:
            if self.scale == scale:
                return scale
        raise BadParameter("scale must be one of linear, log")


def asked_in(pairs: Sequence[tuple[str, str]]) -> Asked:
    """Return what parameters ask for. Empty ones, as forms send them, ask for nothing; of one that
    is repeated the last counts.
    """
    told = {name: value for name, value in pairs if value}
    given = {name: value for name, value in told.items() if name not in _OF_PAGES}
    return Asked(told.get("snapshot", ""), told.get("universe", ""), told.get("scale", ""), given)


def defaults_of(figure: FigureOf) -> dict[str, str]:
    """Return what holds where an address says nothing, as addresses would say it."""
    found = {one.name: written(one.default) for one in figure.parameters}
    return {**found, "flagged": FiltersOf().flagged}


def kept_pairs(figure: FigureOf, asked: Asked) -> list[tuple[str, str]]:
    """Return the parameters that say something else than what holds anyway, in one order."""
    defaults = defaults_of(figure)
    order = [*defaults, *FiltersOf.__struct_fields__]
    named = dict.fromkeys(name for name in [*order, *asked.given] if name in asked.given)
    found = [(name, asked.given[name]) for name in named]
    found = [(name, value) for name, value in found if value != defaults.get(name)]
    return [*found, *([("scale", asked.scale)] if asked.scale else [])]


def fields_of(
    figure: FigureOf, asked: Asked, scales: Sequence[Scale], problem: str
) -> Sequence[Field]:
    """Return the fields of a figure's form; the one that a problem is about says so."""
    given = asked.given
    found = [_of_parameter(one, given.get(one.name)) for one in figure.parameters]
    found += _of_filters(given)
    if scales or asked.scale:
        found.append(
            _select(
                "scale",
                "Axes of numbers",
                asked.scale,
                [Choice(one, _SCALES[one]) for one in ("", *scales)],
            )
        )
    about = problem.partition(" ")[0]
    return [
        msgspec.structs.replace(one, error=problem) if one.name == about else one for one in found
    ]


def written(value: Value) -> str:
    """Return a value as addresses have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).removesuffix(".0")


def _of_parameter(one: ParameterOf, given: str | None) -> Field:
    label = _NAMES.get(one.name) or one.name.replace("_", " ").capitalize()
    value = written(one.default) if given is None else given
    if isinstance(one.default, bool) and not one.default:
        is_on = value.lower() in ("true", "yes", "1")
        return Field(name=one.name, label=label, kind="check", value="true" if is_on else "")
    if isinstance(one.default, bool):
        choices = [Choice("true", "Yes"), Choice("false", "No")]
        return _select(one.name, label, value, choices, one.meaning)
    if one.choices:
        names = [Choice(name, _NAMES.get(name) or name.replace("_", " ")) for name in one.choices]
        return _select(one.name, label, value, names, one.meaning)
    # A field for numbers would not show what is none, and why it was refused.
    kind = "number" if isinstance(one.default, int | float) and _is_number(value) else "text"
    return Field(name=one.name, label=label, kind=kind, value=value, hint=_hint(one))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _of_filters(given: Mapping[str, str]) -> list[Field]:
    types = [Choice("", "All"), *(Choice(one, one.capitalize()) for one in ORG_TYPES)]
    flagged = [Choice(value, name) for value, name in _FLAGGED.items()]
    return [
        _select("org_type", "Organisations", given.get("org_type", ""), types),
        _day("since", "Made since", given),
        _day("until", "Made until", given),
        _select("flagged", "Counters that stand out", given.get("flagged", "mark"), flagged),
    ]


def _day(name: str, label: str, given: Mapping[str, str]) -> Field:
    return Field(name=name, label=label, value=given.get(name, ""), placeholder="2024-01-31")


def _select(name: str, label: str, value: str, choices: Sequence[Choice], hint: str = "") -> Field:
    return Field(name=name, label=label, kind="select", value=value, choices=choices, hint=hint)


def _hint(one: ParameterOf) -> str:
    low, high = one.least, one.most
    if low is None or high is None or high > _FAR:
        return one.meaning
    return f"{one.meaning}; {low:,g} to {high:,.0f}"

# SPDX-License-Identifier: Apache-2.0
"""`co2_eq_emissions` in the ways that people write it, as grams of CO2 equivalent.

Source of the field: https://huggingface.co/docs/hub/model-cards-co2. A bare number is grams; a
mapping carries it as `emissions` beside `source`, `training_type`, `geographical_location` and
`hardware_used`. Strings with units, decimal commas and lists occur in real cards.
"""

import math
import re
from collections.abc import Mapping

import msgspec

from hubkeep.cards.values import clean, strings

# Nobody has trained a model for a billion tonnes; such numbers are slips of a unit.
MAX_GRAMS = 1e15
_MAX_TEXT = 512
_MAX_PARTS = 100

_UNITS = {
    "": 1.0,
    "mg": 1e-3,
    "milligram": 1e-3,
    "milligrams": 1e-3,
    "g": 1.0,
    "gr": 1.0,
    "gram": 1.0,
    "grams": 1.0,
    "gramme": 1.0,
    "grammes": 1.0,
    "kg": 1e3,
    "kgs": 1e3,
    "kilo": 1e3,
    "kilos": 1e3,
    "kilogram": 1e3,
    "kilograms": 1e3,
    "t": 1e6,
    "ton": 1e6,
    "tons": 1e6,
    "tonne": 1e6,
    "tonnes": 1e6,
    "mt": 1e6,
    "kt": 1e9,
    "lb": 453.59237,
    "lbs": 453.59237,
    "pound": 453.59237,
    "pounds": 453.59237,
}
_AMOUNT = re.compile(
    r"(?:~|≈|about|approx\.?|ca\.?)?\s*"
    r"(?P<number>[-+]?(?:\d[\d.,' _\u00a0\u202f]*|\.\d+)(?:e[-+]?\d+)?)\s*"
    r"(?:metric\s+)?(?P<unit>[a-z]*)",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"(?<=\d)[ '_\u00a0\u202f](?=\d{3}(?!\d))")
_CO2_SUFFIX = re.compile(
    r"[\s.-]*(?:of\s+)?(?:co[2₂][\s_-]*(?:eq\w*|e)?|\(?eq\w*\)?)?[\s.)]*$", re.IGNORECASE
)


class Emissions(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a card says of its emissions.

    `grams` is None when something is written that is no plausible amount; `raw` keeps what was
    written, as text.
    """

    grams: float | None
    raw: str
    source: str | None = None
    training_type: str | None = None
    geographical_location: str | None = None
    hardware_used: str | None = None


def emissions_grams(card: Mapping[str, object]) -> Emissions | None:
    """The card's emissions; None when it names none."""
    written = card.get("co2_eq_emissions")
    if written is None:
        return None
    details = written if isinstance(written, dict) else {}
    amount = details.get("emissions") if isinstance(written, dict) else written
    return Emissions(
        grams=_grams(amount),
        raw="; ".join(strings(amount, count=_MAX_PARTS, limit=_MAX_TEXT))[:_MAX_TEXT],
        source=clean(details.get("source"), _MAX_TEXT),
        training_type=clean(details.get("training_type"), _MAX_TEXT),
        geographical_location=clean(details.get("geographical_location"), _MAX_TEXT),
        hardware_used=clean(details.get("hardware_used"), _MAX_TEXT),
    )


def _grams(value: object) -> float | None:
    if isinstance(value, list):
        return _total(value)
    if isinstance(value, dict):
        return _grams(value.get("emissions")) if "emissions" in value else None
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _plausible(value)


def _total(values: list[object]) -> float | None:
    """A list reports several trainings: their sum, or nothing when one of them is unreadable."""
    if not values or len(values) > _MAX_PARTS:
        return None
    total = 0.0
    for value in values:
        part = None if isinstance(value, list) else _grams(value)
        if part is None:
            return None
        total += part
    return _plausible(total)


def _plausible(value: int | float) -> float | None:
    if isinstance(value, int) and value.bit_length() > 64:
        return None
    grams = float(value)
    return grams if math.isfinite(grams) and 0 <= grams <= MAX_GRAMS else None


def _from_text(text: str) -> float | None:
    if len(text) > _MAX_TEXT:
        return None
    bare = _CO2_SUFFIX.sub("", text.strip())
    match = _AMOUNT.fullmatch(bare)
    if match is None:
        return None
    factor = _UNITS.get(match["unit"].lower())
    number = _number(match["number"])
    return None if factor is None or number is None else _plausible(number * factor)


def _number(text: str) -> float | None:
    """A number with a decimal point or comma, and separators between thousands."""
    text = _THOUSANDS.sub("", text.rstrip())
    last_comma, last_point = text.rfind(","), text.rfind(".")
    if last_comma > last_point:
        # "1,234" is above a thousand, "12,5" and "0,125" are not: groups of three digits after
        # a leading digit other than 0 make the difference.
        groups = re.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+", text)
        decimal_comma = groups is None and text.count(",") == 1
        text = text.replace(".", "").replace(",", "." if decimal_comma else "")
    else:
        text = text.replace(",", "")
        if text.count(".") > 1:
            text = text.replace(".", "")
    try:
        return float(text)
    except ValueError:
        return None

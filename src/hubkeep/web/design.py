# SPDX-License-Identifier: Apache-2.0
"""What the style sheet says of colours, sizes of text and spaces, and how well colours can be told
apart: read from the sheet, so that the page about it cannot differ.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec

from hubkeep.web.assets import FOLDER, read_source

_SHEET = "css/hubkeep.css"
TEXT = 4.5
"""The contrast that WCAG 2.2 AA asks of text; of what is not text, 3."""
NOT_TEXT = 3.0

_COLOUR = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
_SIZE = re.compile(r"--(small|body|large|title|display): ([0-9.]+)rem;")
_USES = {
    "paper": "the ground of pages",
    "surface": "fields, the head",
    "sunken": "code, what the pointer is on",
    "ink": "text",
    "soft": "what is beside the point",
    "rule": "hairlines between things",
    "edge": "the edge of what can be used",
    "accent": "links, what is chosen",
    "accent-wash": "the ground of what is chosen",
    "on-accent": "text on the accent",
    "good": "done, added",
    "good-wash": "the ground of that",
    "warn": "look at this",
    "warn-wash": "the ground of that",
    "bad": "wrong, removed, for good",
    "bad-wash": "the ground of that",
    "mark": "the line that an address names",
}
# What stands on what.
_PAIRS = (
    ("ink", "paper", TEXT),
    ("ink", "surface", TEXT),
    ("ink", "sunken", TEXT),
    ("ink", "mark", TEXT),
    ("soft", "paper", TEXT),
    ("soft", "sunken", TEXT),
    ("accent", "paper", TEXT),
    ("accent", "surface", TEXT),
    ("accent", "accent-wash", TEXT),
    ("on-accent", "accent", TEXT),
    ("good", "good-wash", TEXT),
    ("warn", "warn-wash", TEXT),
    ("bad", "bad-wash", TEXT),
    ("bad", "surface", TEXT),
    ("ink", "good-wash", TEXT),
    ("ink", "bad-wash", TEXT),
    ("edge", "surface", NOT_TEXT),
    ("edge", "paper", NOT_TEXT),
)


class Colour(msgspec.Struct, rename="camel"):
    """A colour by its name in the sheet, as `#rrggbb` in light and in dark."""

    name: str
    light: str
    dark: str
    use: str


class Contrast(msgspec.Struct, rename="camel"):
    """How a colour stands out from what it stands on: from 1, not at all, to 21."""

    colour: str
    ground: str
    light: float
    dark: float
    needed: float


class TextSize(msgspec.Struct, rename="camel"):
    """A size of text, in pixels where the reader has not chosen another."""

    name: str
    pixels: float


@cache
def sheet() -> str:
    """Return the style sheet as it was written."""
    return read_source(FOLDER, _SHEET).decode()


def colours() -> Sequence[Colour]:
    """The colours that have a meaning of their own. KeyError for one that nobody has explained."""
    found = _COLOUR.findall(sheet())
    return [Colour(name, light, dark, _USES[name]) for name, light, dark in found]


def contrasts() -> Sequence[Contrast]:
    """How well what stands on something can be told apart from it."""
    known: Mapping[str, Colour] = {each.name: each for each in colours()}
    return [
        Contrast(
            colour,
            ground,
            contrast(known[colour].light, known[ground].light),
            contrast(known[colour].dark, known[ground].dark),
            needed,
        )
        for colour, ground, needed in _PAIRS
    ]


def text_sizes() -> Sequence[TextSize]:
    """The sizes of text, the smallest first."""
    found = [TextSize(name, float(size) * 16) for name, size in _SIZE.findall(sheet())]
    return sorted(found, key=lambda each: each.pixels)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG has it, with two digits, never rounded up."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return int((bright + 0.05) / (dark + 0.05) * 100) / 100


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

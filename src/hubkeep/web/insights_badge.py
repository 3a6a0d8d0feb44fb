# SPDX-License-Identifier: Apache-2.0
"""A badge as SVG: downloads in 30 days, their course, and the day that this is of."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from xml.sax.saxutils import escape

from hubkeep.web import words

POINTS: Final = 60
"""Of the line, at most."""

_LINE_WIDTH, _HEIGHT = 72, 28
_LETTER: Final = 6.4
"""How wide a letter is, about; the text is made as wide as that says, whatever the font."""
_PAD: Final = 9
_LABEL: Final = "downloads, 30 days"
# Colours of the pages; a badge is shown by pages that know nothing of ours.
_STYLE: Final = (
    ".b{fill:#fbfaf7;stroke:#87908c}.s{fill:#55605c}.i{fill:#1a211f}.l{stroke:#0072b2}.d{fill:#0072b2}"
    "@media(prefers-color-scheme:dark){.b{fill:#181d1c;stroke:#66736e}.s{fill:#a0aca7}"
    ".i{fill:#e7ebe9}.l{stroke:#56b4e9}.d{fill:#56b4e9}}"
)


def badge(name: str, values: Sequence[int | None], day: str) -> str:
    """Return the badge of a name whose last value is of the day (ISO 8601). Gaps are gaps.

    Nothing of it depends on who looks, nothing in it runs or loads, and the name is text.
    """
    last = next((one for one in reversed(values) if one is not None), None)
    number = "not known" if last is None else words.count(last)
    on = date.fromisoformat(day)
    when = f"{on.day} {on:%b %Y}"
    said = f"{name}: {number} downloads in the 30 days before {when}"
    parts, x = [], float(_PAD)
    for text, kind, weight in ((_LABEL, "s", 400), (number, "i", 600)):
        parts.append(_text(x, text, kind, weight))
        x += _wide(text, weight) + 7
    line = _line(values, x)
    if line:
        parts.append(line)
        x += _LINE_WIDTH + 8
    parts.append(_text(x, when, "s", 400))
    width = round(x + _wide(when) + _PAD)
    title = escape(_visible(said))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT}" '
        f'viewBox="0 0 {width} {_HEIGHT}" role="img" aria-labelledby="t">'
        f'<title id="t">{title}</title><style>{_STYLE}</style>'
        f'<rect class="b" x=".5" y=".5" width="{width - 1}" height="{_HEIGHT - 1}" rx="5"/>'
        f'<g font-family="system-ui,sans-serif" font-size="12">{"".join(parts)}</g></svg>\n'
    )


def _text(x: float, text: str, kind: str, weight: int) -> str:
    wide = f'textLength="{_wide(text, weight):.1f}" lengthAdjust="spacingAndGlyphs"'
    place = f'x="{x:.1f}" y="18" font-weight="{weight}"'
    return f'<text class="{kind}" {place} {wide}>{escape(text)}</text>'


def _wide(text: str, weight: int = 400) -> float:
    narrow = sum(sign in " .,il1jt" for sign in text)
    return (len(text) * _LETTER - narrow * 2.2) * (1.12 if weight > 400 else 1)


def _line(values: Sequence[int | None], x: float) -> str:
    """The course as a path from zero up; a value between two gaps is a dot."""
    known = [one for one in values if one is not None]
    if len(known) < 2 or len(values) < 2:
        return ""
    most, step = max(*known, 1), _LINE_WIDTH / (len(values) - 1)
    drawn, dots, is_on = [], [], False
    for at, value in enumerate(values):
        if value is None:
            is_on = False
            continue
        point = f"{x + at * step:.1f} {_HEIGHT - 7 - (_HEIGHT - 14) * value / most:.1f}"
        drawn.append(f"{'L' if is_on else 'M'}{point}")
        if not is_on and (at + 1 == len(values) or values[at + 1] is None):
            cx, cy = point.split()
            dots.append(f'<circle class="d" cx="{cx}" cy="{cy}" r="1.5"/>')
        is_on = True
    path = f'<path class="l" d="{"".join(drawn)}" fill="none" stroke-width="1.5"/>'
    return path + "".join(dots)


def _visible(text: str) -> str:
    """Without what XML cannot hold, or turns text around."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)

# SPDX-License-Identifier: Apache-2.0
"""Pictures for links: what a repository, an account or the hub looks like in somebody's chat.

1200 by 630 pixels, in the colours and the type of the pages. Whatever text comes, it is fitted,
broken or cut, and never leaves its place. What the type cannot write is left out.
"""

from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from hubkeep.web.social_shapes import shape

WIDTH, HEIGHT = 1200, 630
VERSION = 1
"""To be raised when the same words are drawn in another way: names what is kept elsewhere."""

_FONT = Path(__file__).parent / "static" / "fonts" / "plex-sans.woff2"
_PAPER, _INK, _SOFT = (251, 250, 247), (26, 33, 31), (85, 96, 92)
_RULE, _ACCENT = (227, 223, 214), (13, 100, 87)
_COLOURS = 48
_EDGE = 80
_ROOM = WIDTH - 2 * _EDGE
_SIZES = (88, 76, 66, 58, 50, 44)
_NAME_LINES = 3
_ABOUT_SIZE, _SMALL = 32, 30
_ABOUT_LINES = 2
_BREAKS = "-_./ "
_MAX_TEXT = 400


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a picture says, from top to bottom; each may be empty but `name`."""

    kind: str
    """Of the shape: a type of repository, `user`, `org` or `hub`."""
    word: str
    """What that is called."""
    over: str
    """Above the name: whose it is."""
    name: str
    about: str
    facts: tuple[str, ...]
    place: str
    """Where it is: the hub's host."""


class Drawing:
    """The type in its sizes. For one thread at a time: each picture has a drawing of its own."""

    def __init__(self) -> None:
        self._content = _FONT.read_bytes()
        self._fonts: dict[tuple[int, int], ImageFont.FreeTypeFont] = {}

    def png(self, drawn: Drawn) -> bytes:
        """Return the picture as a PNG."""
        picture = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
        draw = ImageDraw.Draw(picture)
        draw.rectangle((0, 0, WIDTH, 12), fill=_ACCENT)
        picture.paste(shape(drawn.kind, 64, _ACCENT, _PAPER), (_EDGE, 76))
        if over := self._writable(drawn.over):
            font = self._font(44, 400)
            draw.text((_EDGE + 88, 108), self._cut(over, font, _ROOM - 88), _SOFT, font, "lm")
        bottom = self._name(draw, self._writable(drawn.name) or "·")
        self._about(draw, self._writable(drawn.about), bottom + 26)
        self._foot(picture, draw, drawn)
        written = BytesIO()
        flat = picture.quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        flat.save(written, "PNG", optimize=True)
        return written.getvalue()

    def _name(self, draw: ImageDraw.ImageDraw, name: str) -> int:
        """Write the name as large as it fits; return where it ends."""
        for size in _SIZES:
            font = self._font(size, 600)
            lines = self._broken(name, font, _ROOM)
            if len(lines) <= (1 if size == _SIZES[0] else 2):
                break
        if len(lines) > _NAME_LINES:
            rest = "".join(lines[_NAME_LINES - 1 :])
            lines = [*lines[: _NAME_LINES - 1], self._cut(rest, font, _ROOM)]
        top = 172
        for line in lines:
            draw.text((_EDGE - 3, top), line, _INK, font, "la")
            top += round(size * 1.2)
        return top

    def _about(self, draw: ImageDraw.ImageDraw, about: str, top: int) -> None:
        font = self._font(_ABOUT_SIZE, 400)
        step = round(_ABOUT_SIZE * 1.4)
        room = max(0, (HEIGHT - 184 - top) // step)
        lines = self._broken(about, font, _ROOM, at=" ") if about else []
        if len(lines) > (count := min(room, _ABOUT_LINES)):
            rest = self._cut(" ".join(lines[max(count - 1, 0) :]), font, _ROOM)
            lines = [*lines[: count - 1], rest] if count else []
        for line in lines:
            draw.text((_EDGE, top), line, _SOFT, font, "la")
            top += step

    def _foot(self, picture: Image.Image, draw: ImageDraw.ImageDraw, drawn: Drawn) -> None:
        font = self._font(_SMALL, 400)
        said = ""
        for fact in filter(None, map(self._writable, drawn.facts)):
            more = f"{said}   ·   {fact}" if said else fact
            if font.getlength(more) > _ROOM:
                break
            said = more
        draw.text((_EDGE, HEIGHT - 152), said, _INK, font, "lm")
        draw.line((_EDGE, HEIGHT - 112, WIDTH - _EDGE, HEIGHT - 112), fill=_RULE, width=2)
        middle = HEIGHT - 64
        draw.text((_EDGE, middle), drawn.word, _SOFT, font, "lm")
        font = self._font(_SMALL, 600)
        place = self._cut(self._writable(drawn.place) or "Hubkeep", font, _ROOM - 300)
        left = WIDTH - _EDGE - font.getlength(place)
        draw.text((left, middle), place, _INK, font, "lm")
        picture.paste(shape("hub", 40, _ACCENT, _PAPER), (round(left) - 54, middle - 22))

    def _font(self, size: int, weight: int) -> ImageFont.FreeTypeFont:
        found = self._fonts.get((size, weight))
        if found is None:
            found = ImageFont.truetype(
                BytesIO(self._content), size, layout_engine=ImageFont.Layout.BASIC
            )
            found.set_variation_by_axes([weight])
            self._fonts[size, weight] = found
        return found

    @cached_property
    def _nothing(self) -> bytes:
        """What the type draws for a character that it does not have."""
        return self._look("\uffff")

    def _writable(self, text: str) -> str:
        """As much of a text as the type can write; empty if that is less than most of it."""
        text = " ".join(text[:_MAX_TEXT].split())
        has = {one for one in set(text) if one == " " or self._has(one)}
        kept = "".join(one if one in has else "\0" for one in text)
        letters = len(text.replace(" ", ""))
        if kept.count("\0") * 4 > letters:
            return ""
        return " ".join(kept.replace("\0", "").split())

    def _has(self, one: str) -> bool:
        return one.isprintable() and self._look(one) != self._nothing

    def _look(self, one: str) -> bytes:
        picture = Image.new("L", (40, 40))
        ImageDraw.Draw(picture).text((8, 4), one, 255, self._font(24, 400))
        return picture.tobytes()

    def _broken(
        self, text: str, font: ImageFont.FreeTypeFont, room: int, at: str = _BREAKS
    ) -> list[str]:
        """A text in lines that fit, broken after marks where there are some."""
        lines: list[str] = []
        rest = text
        while rest and len(lines) < 8:
            if font.getlength(rest) <= room:
                return [*lines, rest]
            end = self._fitting(rest, font, room)
            mark = max(rest.rfind(one, 0, end) for one in at) + 1
            end = mark if mark > end // 3 else end
            lines.append(rest[:end].rstrip())
            rest = rest[end:].lstrip()
        return [*lines, rest] if rest else lines

    def _cut(self, text: str, font: ImageFont.FreeTypeFont, room: int) -> str:
        """A text that fits, with a sign that it was cut."""
        if font.getlength(text) <= room:
            return text
        return text[: self._fitting(text, font, room - round(font.getlength("…")))].rstrip() + "…"

    @staticmethod
    def _fitting(text: str, font: ImageFont.FreeTypeFont, room: int) -> int:
        """How many characters fit, at least one."""
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if font.getlength(text[:middle]) <= room:
                low = middle
            else:
                high = middle - 1
        return low


def draw(drawn: Drawn) -> bytes:
    """Return a picture as a PNG."""
    return Drawing().png(drawn)

# SPDX-License-Identifier: Apache-2.0
"""The shapes of pictures for links: what kind of thing it is, and the mark of the hub.

Those of the pages' icons, as lines in a square of 24 by 24.
"""

from PIL import Image, ImageDraw

Point = tuple[float, float]
Colour = tuple[int, int, int]
# Drawn larger and made smaller: edges are smooth then.
_FINER = 4

_CUBE: tuple[tuple[Point, ...], ...] = (
    ((12, 3), (20, 7.5), (20, 16.5), (12, 21), (4, 16.5), (4, 7.5), (12, 3)),
    ((12, 12), (20, 7.5)),
    ((12, 12), (12, 21)),
    ((12, 12), (4, 7.5)),
)
_WINDOW: tuple[tuple[Point, ...], ...] = (
    ((4, 5), (20, 5), (20, 19), (4, 19), (4, 5)),
    ((4, 9.5), (20, 9.5)),
)
_CHIP: tuple[tuple[Point, ...], ...] = (
    ((7, 7), (17, 7), (17, 17), (7, 17), (7, 7)),
    *(((x, 7), (x, 4)) for x in (10, 14)),
    *(((x, 20), (x, 17)) for x in (10, 14)),
    *(((7, y), (4, y)) for y in (10, 14)),
    *(((20, y), (17, y)) for y in (10, 14)),
)
_KEEP: tuple[tuple[Point, ...], ...] = (
    (
        (4, 21), (4, 9.5), (3, 8.5), (3, 4), (6.4, 4), (6.4, 6), (9.6, 6), (9.6, 4), (14.4, 4),
        (14.4, 6), (17.6, 6), (17.6, 4), (21, 4), (21, 8.5), (20, 9.5), (20, 21), (4, 21),
    ),
    ((9.3, 21), (9.3, 16.4)),
    ((14.7, 21), (14.7, 16.4)),
)  # fmt: skip
_LINES = {"model": _CUBE, "space": _WINDOW, "kernel": _CHIP, "hub": _KEEP}
# Boxes of ellipses, with the degrees at which an arc of them begins and ends.
_ARCS: dict[str, tuple[tuple[tuple[float, float, float, float], int, int], ...]] = {
    "dataset": (
        ((4, 3, 20, 9), 0, 360),
        ((4, 9, 20, 15), 0, 180),
        ((4, 15, 20, 21), 0, 180),
    ),
    "hub": (((9.3, 13.7, 14.7, 19.1), 180, 360), ((11, 9, 13, 11), 0, 360)),
    "user": (((8, 4, 16, 12), 0, 360), ((4, 14, 20, 28), 180, 360)),
    "org": (((5, 5, 12, 12), 0, 360), ((2, 14, 15, 26), 180, 360), ((13, 6, 19, 12), 0, 360),
            ((11, 14, 22, 25), 250, 360)),
}  # fmt: skip
_SIDES: dict[str, tuple[tuple[Point, ...], ...]] = {
    "dataset": (((4, 6), (4, 18)), ((20, 6), (20, 18)))
}


def shape(name: str, size: int, colour: Colour, ground: Colour) -> Image.Image:
    """Return the shape of a kind of thing as a square picture on its ground."""
    scale = size * _FINER / 24
    picture = Image.new("RGB", (size * _FINER, size * _FINER), ground)
    draw = ImageDraw.Draw(picture)
    width = round(1.6 * scale)
    for line in (*_LINES.get(name, ()), *_SIDES.get(name, ())):
        points = [(x * scale, y * scale) for x, y in line]
        draw.line(points, fill=colour, width=width, joint="curve")
        for x, y in points:
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)
    for box, start, end in _ARCS.get(name, ()):
        grown = (box[0] - 0.8, box[1] - 0.8, box[2] + 0.8, box[3] + 0.8)
        draw.arc([edge * scale for edge in grown], start, end, fill=colour, width=width)
    return picture.resize((size, size), Image.Resampling.LANCZOS)

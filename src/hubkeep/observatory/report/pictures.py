# SPDX-License-Identifier: Apache-2.0
"""Charts as pictures, drawn without a browser; the first one takes a second or two."""

import textwrap
from typing import Final

from hubkeep.observatory.document import FigureDocument, Spec, filled
from hubkeep.observatory.report.said import lack

VEGA_LITE: Final = "6.4"
_SCALE: Final = 2.0
_LINE: Final = 88
_NOTHING: Final[Spec] = {
    "data": {"values": [{}]},
    "width": 520,
    "height": 1,
    "mark": {"type": "point", "opacity": 0},
}


def picture_of(document: FigureDocument) -> Spec:
    """Return a chart with its data, its title, its question and its caption in it.

    Without rows there is nothing to draw, and scales have no ends: the caption stands alone.
    """
    if not document.table.rows:
        return captioned({**_NOTHING, "config": document.chart["config"]}, document)
    return captioned(filled(document.chart, document.table, document.points), document)


def captioned(spec: Spec, document: FigureDocument) -> Spec:
    """Return a chart on white with its title, its question and its caption above it: a picture
    that can be passed on alone.
    """
    return {**spec, "background": "#ffffff", "padding": 16, "title": heading(document)}


def heading(document: FigureDocument) -> dict[str, object]:
    """Return the title of a picture: title, question, n, day, snapshot, what was left out."""
    lines = [document.question, document.caption, lack(document)]
    return {
        "text": f"{document.id}  {document.title}",
        "fontSize": 16,
        "subtitle": [part for line in lines for part in textwrap.wrap(line, _LINE)],
        "anchor": "start",
        "frame": "bounds",
        "offset": 12,
    }


def svg_of(document: FigureDocument) -> bytes:
    """Return the chart as SVG, dark on white."""
    import vl_convert

    text = vl_convert.vegalite_to_svg(
        picture_of(document), vl_version=VEGA_LITE, allowed_base_urls=[]
    )
    return text.encode()


def png_of(document: FigureDocument) -> bytes:
    """Return the chart as PNG, each of its points two pixels wide."""
    import vl_convert

    return vl_convert.vegalite_to_png(
        picture_of(document), vl_version=VEGA_LITE, scale=_SCALE, allowed_base_urls=[]
    )

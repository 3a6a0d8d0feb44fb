# SPDX-License-Identifier: Apache-2.0
"""The report that is one file: it opens from a disk, asks nobody for anything, and runs no script
but its own, whatever a snapshot's texts are.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hubkeep.observatory.document import FigureDocument, TableOf
from hubkeep.observatory.report.pictures import heading
from hubkeep.observatory.report.said import cell_text, flags, remarks

ROWS: Final = 12
"""Of a table that a reader sees; the download has more."""

EMBEDDED: Final = 20_000
"""Rows of a table that the file holds at most."""

_PAGE: Final = Path(__file__).parent / "page"
_STATIC: Final = files("hubkeep") / "web" / "static"
_SCRIPTS: Final = (
    "vendor/vega/vega.min.js",
    "vendor/vega/vega-lite.min.js",
    "vendor/vega/vega-interpreter.min.js",
    "js/charts.js",
)
_TOKENS: Final = "css/hubkeep/01-tokens.css"
_HARMLESS: Final = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as the page has it."""

    document: FigureDocument
    remarks: Sequence[str]
    flags: tuple[str, Sequence[str]]
    """How many counters stand out, and a line for each."""
    rows: Sequence[Sequence[str]]
    more: str
    """What the table does not show, in words."""
    scalars: Sequence[tuple[str, str]]
    data: Markup
    """The document as JSON that cannot end the script that it stands in."""

    @property
    def is_empty(self) -> bool:
        return not self.document.table.rows


def html_of(documents: Sequence[FigureDocument]) -> bytes:
    """Return a page with all figures, which are about the same snapshot."""
    scripts = [(_STATIC / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    scripts.append((_PAGE / "report.js").read_text(encoding="utf-8"))
    style = (_STATIC / _TOKENS).read_text(encoding="utf-8")
    style += (_PAGE / "report.css").read_text(encoding="utf-8")
    page = _environment().get_template("report.html")
    text = page.render(
        policy=_policy(scripts, style),
        scripts=[Markup(one) for one in scripts],  # noqa: S704 the program's own files
        style=Markup(style),  # noqa: S704 the same
        figures=[shown(one) for one in documents],
        about=max(documents, key=lambda one: len(one.history)),
    )
    return text.encode("utf-8", errors="replace")


def shown(document: FigureDocument) -> Shown:
    """Return what the page says of a figure."""
    table = document.table
    units = [one.unit for one in document.columns]
    return Shown(
        document=document,
        remarks=remarks(document),
        flags=flags(document),
        rows=[
            [cell_text(cell, unit) for cell, unit in zip(row, units, strict=True)]
            for row in table.rows[:ROWS]
        ],
        more=_more(len(table.rows)),
        scalars=[(name, cell_text(value)) for name, value in document.scalars.items()],
        data=embedded(document),
    )


def embedded(document: FigureDocument) -> Markup:
    """Return a document, and the heading of its picture, as JSON to stand in a script element.

    No character in it is one that HTML or a script could end at: all such are written as JSON
    writes any character, by their numbers.
    """
    held = msgspec.structs.replace(
        document,
        table=_first(document.table),
        points={name: _first(one) for name, one in document.points.items()},
    )
    text = msgspec.json.encode({"document": held, "heading": heading(document)}).decode()
    return Markup(text.translate(_HARMLESS))  # noqa: S704 nothing is left that HTML could read


def _first(table: TableOf) -> TableOf:
    return msgspec.structs.replace(table, rows=table.rows[:EMBEDDED])


def _more(rows: int) -> str:
    if rows <= ROWS:
        return ""
    held = "" if rows <= EMBEDDED else f" The file holds {EMBEDDED:,} of them."
    return f"The first {ROWS} of {rows:,} rows.{held}"


def _policy(scripts: Sequence[str], style: str) -> str:
    """Scripts and style of this file alone, by their hashes; nothing from anywhere else."""
    hashes = " ".join(_hash(one) for one in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src {_hash(style)}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    formats: Mapping[str, object] = {"count": lambda number: f"{number:,}"}
    environment.filters.update(formats)
    return environment

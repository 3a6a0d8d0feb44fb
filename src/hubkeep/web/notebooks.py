# SPDX-License-Identifier: Apache-2.0
"""Notebooks as cells: sources, texts and images. Nothing in them is run, and no HTML of theirs is
shown.
"""

import re
import time
from collections.abc import Iterator, Sequence

import msgspec

from hubkeep.web.markdown import Place, highlight, render_markdown
from hubkeep.web.words import plain

MAX_CELLS = 500
MAX_OUTPUTS = 20
MAX_OUTPUT = 20_000

_MAX_SOURCE = 100_000
_MAX_IMAGES = 6 << 20
_SECONDS = 1.0
# What terminals take for colours and movements.
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_IMAGES = ("image/png", "image/jpeg")


class Output(msgspec.Struct, rename="camel"):
    """What a cell gave: a text, an image (as a `data:` address), or neither of what it has."""

    kind: str
    text: str = ""
    image: str | None = None


class Cell(msgspec.Struct, rename="camel"):
    """A cell; `number` is when it ran. `lines` are code as safe HTML, `html` is rendered text."""

    kind: str
    number: int | None = None
    lines: Sequence[str] = ()
    html: str | None = None
    outputs: Sequence[Output] = ()


class Notebook(msgspec.Struct, rename="camel"):
    """The first cells of a notebook; `isCut` if there are more."""

    language: str
    cells: Sequence[Cell]
    is_cut: bool


class _Raw(msgspec.Struct):
    """What is read of a cell; anything may be missing or of another type."""

    cell_type: object = None
    source: object = ""
    outputs: object = None
    execution_count: object = None


class _RawNotebook(msgspec.Struct):
    nbformat: int
    cells: list[_Raw]
    metadata: object = None


def notebook_of(content: bytes, place: Place) -> Notebook | None:
    """Return a notebook of format 4; None for anything else. It never raises."""
    try:
        raw = msgspec.json.decode(content, type=_RawNotebook)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if raw.nbformat != 4:
        return None
    language = _language(raw.metadata)
    reader = _Reader(language, place)
    cells = [reader.cell(each) for each in raw.cells[:MAX_CELLS]]
    return Notebook(language, cells, len(raw.cells) > MAX_CELLS)


def _language(metadata: object) -> str:
    for group, name in (("language_info", "name"), ("kernelspec", "language")):
        found = _at(_at(metadata, group), name)
        if isinstance(found, str) and found:
            return found[:40]
    return "python"


def _at(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: object) -> str:
    """A text as notebooks have it: whole, or in lines."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


class _Reader:
    """Reads cells one after another, within what all of them together may cost."""

    def __init__(self, language: str, place: Place) -> None:
        self._language = language
        self._place = place
        self._end = time.thread_time() + _SECONDS
        self._images = _MAX_IMAGES

    def cell(self, raw: _Raw) -> Cell:
        source = _text(raw.source)[:_MAX_SOURCE].replace("\r\n", "\n")
        left = self._end - time.thread_time()
        if raw.cell_type == "markdown" and left > 0:
            return Cell("markdown", html=render_markdown(source, self._place).html)
        if raw.cell_type != "code":
            return Cell("raw", lines=_lines(source))
        number = raw.execution_count if isinstance(raw.execution_count, int) else None
        lines = highlight(source, self._language, seconds=left) if left > 0 else None
        outputs = raw.outputs if isinstance(raw.outputs, list) else []
        return Cell(
            "code",
            number,
            _lines(source) if lines is None else lines,
            outputs=[out for each in outputs[:MAX_OUTPUTS] for out in self._outputs(each)],
        )

    def _outputs(self, raw: object) -> Iterator[Output]:
        kind = _at(raw, "output_type")
        if kind == "stream":
            yield _written("text", _text(_at(raw, "text")))
        elif kind == "error":
            trace = _at(raw, "traceback")
            lines = trace if isinstance(trace, list) else []
            yield _written("error", "\n".join(each for each in lines if isinstance(each, str)))
        elif kind in ("display_data", "execute_result"):
            yield self._shown(_at(raw, "data"))

    def _shown(self, data: object) -> Output:
        for media_type in _IMAGES:
            encoded = "".join(_text(_at(data, media_type)).split())
            if encoded and len(encoded) <= self._images and _BASE64.fullmatch(encoded):
                self._images -= len(encoded)
                return Output("image", image=f"data:{media_type};base64,{encoded}")
        text = _text(_at(data, "text/plain"))
        return _written("text", text) if text else Output("hidden")


def _written(kind: str, text: str) -> Output:
    text = _ANSI.sub("", text).replace("\r\n", "\n")
    if len(text) > MAX_OUTPUT:
        text = f"{text[:MAX_OUTPUT]}\n…"
    return Output(kind, text.rstrip("\n"))


def _lines(source: str) -> list[str]:
    return [str(plain(line)) for line in source.split("\n")] if source else []

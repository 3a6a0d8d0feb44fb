# SPDX-License-Identifier: Apache-2.0
"""A report: figures are run one after the other, and each is written in the forms that are wanted.

Files are written whole or not at all, each under a name of its own (`F1.csv`, `index.html`); what
else lies in the folder is left alone. The same snapshots give the same bytes.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Final, Literal, get_args

import msgspec

from hubkeep.observatory.document import FigureDocument, documented
from hubkeep.observatory.figure import BadParameter, Value
from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.report.html import html_of
from hubkeep.observatory.report.pictures import png_of, svg_of
from hubkeep.observatory.report.prints import markdown_of
from hubkeep.observatory.report.tables import csv_of, parquet_of
from hubkeep.observatory.running import Result
from hubkeep.observatory.session import NoSuchFigure, Session

Format = Literal["html", "csv", "parquet", "json", "svg", "png", "md"]
FORMATS: Final[Sequence[Format]] = get_args(Format)
INDEX: Final = "index.html"
_READABLE: Final = 0o644
_SECRET: Final = 0o600


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is to have: figures by id, forms, and what readers set, by figure."""

    figures: Sequence[str]
    formats: Sequence[Format] = ("html",)
    parameters: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)


class FileMade(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a report."""

    name: str
    bytes: int
    sha256: str


class FigureMade(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a figure; without an answer n is 0 and `missing_columns` say why."""

    id: str
    title: str
    n: int
    rows: int
    missing: Mapping[str, int]
    missing_columns: Sequence[str]
    excluded: Mapping[str, int]


class ReportMade(msgspec.Struct, frozen=True, kw_only=True):
    """What was written, of which snapshot."""

    folder: str
    snapshot: str
    hash: str
    figures: Sequence[FigureMade]
    files: Sequence[FileMade]


def make(
    session: Session, wanted: Wanted, folder: Path, step: Callable[[str, float], None]
) -> ReportMade:
    """Write a report into a folder, which is made if needed; `step` is told of each figure, and
    of the page in the end, with the seconds it took. BadParameter; OSError.

    What is told of private repositories nobody but the user who asks can read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mode = _SECRET if session.is_secret else _READABLE
    documents, files = [], []
    session.settle(len(wanted.figures))
    for name in wanted.figures:
        start = perf_counter()
        result = session.figure(name, wanted.parameters.get(name))
        document = documented(result)
        documents.append(document)
        for suffix, content in _files(result, document, wanted.formats):
            files.append(_write(folder, f"{document.id}.{suffix}", content, mode))
        step(f"{document.id} {document.title}", perf_counter() - start)
    if "html" in wanted.formats:
        start = perf_counter()
        files.append(_write(folder, INDEX, html_of(documents), mode))
        step(INDEX, perf_counter() - start)
    about = documents[0].snapshot
    return ReportMade(
        folder=str(folder),
        snapshot=about.id,
        hash=about.hash,
        figures=[_made(one) for one in documents],
        files=files,
    )


def figures_of(names: Iterable[str]) -> Sequence[str]:
    """Return the ids of figures in their order; all of them for none. NoSuchFigure."""
    known = all_figures()
    chosen = {name.strip().upper() for name in names}
    unknown = sorted(chosen - known.keys())
    if unknown:
        raise NoSuchFigure(f"there is no figure {unknown[0][:20]!r}; there are: {', '.join(known)}")
    return [name for name in known if not chosen or name in chosen]


def parameters_of(
    settings: Iterable[str], figures: Sequence[str]
) -> Mapping[str, Mapping[str, Value]]:
    """Return what `k=100` and `S7.months=3` set, by figure: without a figure it is for each that
    has such a parameter. BadParameter where none has.
    """
    found: dict[str, dict[str, Value]] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise BadParameter(
                f"--set wants NAME=VALUE, such as k=100 or S7.months=3; got {text!r}"
            )
        figure, point, parameter = name.rpartition(".")
        having = [
            one
            for one in ([figure.upper()] if point else figures)
            if one in figures
            and parameter in {each.name for each in all_figures()[one].figure.parameters}
        ]
        if not having:
            raise BadParameter(f"no figure of this report has a parameter {name!r}")
        for one in having:
            found.setdefault(one, {})[parameter] = value
    return found


def _files(
    result: Result, document: FigureDocument, formats: Sequence[Format]
) -> Iterable[tuple[str, bytes]]:
    """A figure in each form that is a file for each figure."""
    if "csv" in formats:
        yield "csv", csv_of(document)
    if "parquet" in formats:
        yield "parquet", parquet_of(result.table, document)
    if "json" in formats:
        yield "json", msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
    if "svg" in formats:
        yield "svg", svg_of(document)
    if "png" in formats:
        yield "png", png_of(document)
    if "md" in formats:
        drawn = next((one for one in ("svg", "png") if one in formats), None)
        yield "md", markdown_of(document, f"{document.id}.{drawn}" if drawn else None)


def _write(folder: Path, name: str, content: bytes, mode: int) -> FileMade:
    """Write a file whole: under another name first, which is given up if anything goes wrong."""
    handle, scratch = tempfile.mkstemp(prefix=f".{name}-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(scratch).chmod(mode)
        Path(scratch).replace(folder / name)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
    return FileMade(name=name, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _made(document: FigureDocument) -> FigureMade:
    return FigureMade(
        id=document.id,
        title=document.title,
        n=document.n,
        rows=len(document.table.rows),
        missing=document.missing,
        missing_columns=document.missing_columns,
        excluded=document.excluded,
    )

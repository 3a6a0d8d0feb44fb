# SPDX-License-Identifier: Apache-2.0
"""A figure's files when all that a snapshot says is hostile: nothing runs, nothing breaks out."""

import csv
import io
import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.document import Cell, FigureDocument, TableOf, documented
from hubkeep.observatory.report.html import html_of
from hubkeep.observatory.report.prints import markdown_of, plain
from hubkeep.observatory.report.said import cell_text, flags, remarks
from hubkeep.observatory.report.tables import csv_of
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.hostile import FORMULAS, NAMES, hostile


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return hostile(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def documents(snapshot: Snapshot) -> list[FigureDocument]:
    return [documented(snapshot.figure(name)) for name in ("S3", "S4", "S6", "F3")]


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def with_rows(document: FigureDocument, *rows: Sequence[Cell]) -> FigureDocument:
    table = TableOf(columns=[f"c{at}" for at in range(len(rows[0]))], rows=rows)
    return FigureDocument(
        **{name: getattr(document, name) for name in document.__struct_fields__ if name != "table"},
        table=table,
    )


def test_no_cell_of_csv_is_a_formula(documents: list[FigureDocument]):
    rows = read(csv_of(with_rows(documents[0], *[(text, -1) for text in FORMULAS])))[1:]
    assert [row[0] for row in rows] == [f"'{text}" for text in FORMULAS]
    for document in documents:
        for row in read(csv_of(document)):
            assert not any(re.match(r"[=+@\t\r]|-(?![\d.])", cell) for cell in row)


def test_numbers_of_csv_are_exact_and_what_is_missing_is_empty(documents: list[FigureDocument]):
    cells = (-5, 0.1 + 0.2, 1e-7, 3.0, None, True, False, 'a "b", c\nd')
    row = read(csv_of(with_rows(documents[0], cells)))[1]
    assert row == ["-5", "0.30000000000000004", "1e-07", "3.0", "", "true", "false", cells[-1]]
    assert float(row[1]) == cells[1]


def test_names_are_text_in_markdown(documents: list[FigureDocument]):
    for name in NAMES:
        shown = plain(name)
        bare = re.sub(r"\\[\\`*_\[\]#!|~$@:.]|&(lt|gt|amp);", "", shown)
        assert not re.search(r"[`*\[\]<>|#!~$@&]|://|\bwww\.", bare), shown
        assert "\n" not in shown
    for document in documents:
        text = markdown_of(document).decode()
        assert "<script" not in text
        head = f"| {' | '.join(document.table.columns)} |"
        lines = text.partition(head)[2].split("\n\n")[0].splitlines()[1:]
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
        assert cells == {len(document.columns) + 1}


KNOWN = """
html head meta title style body header h1 p dl div dt dd code input span button nav ul li a b small
main noscript article h2 details summary table thead tr th tbody td pre script
"""


class Outline(HTMLParser):
    """Which elements and attributes a page has, and what stands in its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.scripts: list[str] = []
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}
        given = dict(attrs)
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data


def test_the_page_has_no_element_that_a_snapshot_made(documents: list[FigureDocument]):
    page = html_of(documents)
    outline = Outline()
    outline.feed(page.decode())
    assert set(outline.elements) <= set(KNOWN.split())
    assert not any(name.startswith("on") or name in ("src", "style") for name in outline.attributes)
    data = [json.loads(one) for one in outline.scripts[: len(documents)]]
    assert [one["document"]["id"] for one in data] == [one.id for one in documents]
    assert data[0]["document"]["table"]["rows"][0][0] in NAMES or any(
        row[0] in {name.partition("/")[0] for name in NAMES}
        for row in data[0]["document"]["table"]["rows"]
    )
    assert "unsafe" not in outline.policy
    assert outline.policy.startswith("default-src 'none'; script-src 'sha256-")
    assert len(outline.scripts) == len(documents) + 5


def test_what_people_read_is_rounded_in_its_unit_and_short():
    assert cell_text(None) == "–"  # noqa: RUF001 what stands for nothing
    assert cell_text(0.1234, "share") == "12.3%"
    assert cell_text(0.00012, "share") == "0.012%"
    assert cell_text(14_000_000_000, "bytes") == "14 GB"
    assert cell_text(999, "bytes") == "999 B"
    assert cell_text(1_234_567) == "1,234,567"
    assert cell_text(12_345.678) == "12,346"
    assert cell_text(0.0123456) == "0.01235"
    assert len(cell_text("x" * 10_000)) < 200


def test_flagged_counters_and_what_is_left_out_are_told(documents: list[FigureDocument]):
    told, lines = flags(documents[1])
    assert told == "1 counter stands out, left out of shares"
    assert len(lines) == 1
    assert any(text.startswith("Left out: 1 flagged") for text in remarks(documents[1]))


def test_reports_are_the_same_bytes_again(snapshot: Snapshot, tmp_path: Path):
    again = hostile(tmp_path)
    assert again.manifest.hash == snapshot.manifest.hash
    pages = [html_of([documented(one.figure("S4"))]) for one in (snapshot, again)]
    assert pages[0] == pages[1]

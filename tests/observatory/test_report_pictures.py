# SPDX-License-Identifier: Apache-2.0
"""Charts as pictures and in notebooks: they say what they are, and what a snapshot says is text."""

import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
pytest.importorskip("altair", reason="altair is not installed")

from hubkeep.observatory.document import FigureDocument, documented
from hubkeep.observatory.report.pictures import png_of, svg_of
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.hostile import NAMES, hostile
from tests.observatory.shelf import ecosystem


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return ecosystem(tmp_path_factory.mktemp("ecosystem"))


@pytest.fixture(scope="module")
def licences(snapshot: Snapshot) -> FigureDocument:
    return documented(snapshot.figure("S2"))


def texts(svg: bytes) -> list[str]:
    """What is written in a picture; fails where it is no XML."""
    root = ElementTree.fromstring(svg)
    return [text for one in root.iter() if (text := "".join(one.itertext()).strip())]


def test_a_picture_says_what_it_is(licences: FigureDocument):
    written = " ".join(texts(svg_of(licences)))
    for text in (
        "S2 Licences by downloads",
        "Under which licences are the models that people download most?",
        f"n = {licences.n}",
        licences.snapshot.id,
        "1 counter stands out",
        "Share of downloads",
        "apache-2.0",
    ):
        assert text in " ".join(written.split()), text


def test_a_png_has_two_pixels_for_a_point_and_is_the_same_again(licences: FigureDocument):
    picture = png_of(licences)
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    root = ElementTree.fromstring(svg_of(licences))
    assert abs(width - 2 * float(root.attrib["width"])) <= 2
    assert abs(height - 2 * float(root.attrib["height"])) <= 2
    assert png_of(licences) == picture


def test_a_figure_without_an_answer_has_a_picture_that_says_so(snapshot: Snapshot):
    document = documented(snapshot.figure("S7"))
    picture = svg_of(document)
    assert float(ElementTree.fromstring(picture).attrib["width"]) < 1000
    assert png_of(document).startswith(b"\x89PNG")
    written = " ".join(texts(picture))
    assert "There is no answer: it needs 3 snapshots; there is 1." in written
    assert "n = 0" in written


def test_names_are_text_in_pictures(tmp_path: Path):
    snapshot = hostile(tmp_path)
    for name in ("S4", "S6"):
        svg = svg_of(documented(snapshot.figure(name)))
        root = ElementTree.fromstring(svg)
        kinds = {one.tag.rpartition("}")[2] for one in root.iter()}
        assert kinds <= {"svg", "g", "path", "text", "rect", "defs", "clipPath", "line", "tspan"}
        assert not any(
            key.startswith("on") or key.endswith("href")
            for one in root.iter()
            for key in one.attrib
        )
        assert any(NAMES[1][:12] in text for text in texts(svg)), name


def test_a_notebook_gets_a_chart_with_its_data(snapshot: Snapshot):
    chart = snapshot.figure("S6").chart()
    spec = chart.to_dict()
    assert spec["title"]["text"].endswith("Likes and downloads")
    assert {row["id"] for row in spec["datasets"]["points"]} >= {"google/small", "mit/absurd"}
    assert "vega" in str(chart._repr_mimebundle_())

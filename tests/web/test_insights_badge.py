# SPDX-License-Identifier: Apache-2.0
"""Badges: well-formed, the same for everybody, asked for again without asking the reader again."""

from collections.abc import Iterator
from xml.etree import ElementTree as XML

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.queries_concealed import conceal
from hubkeep.web.insights_badge import badge
from tests.content.shelf import Shelf
from tests.harness.hub import BASE, TestHub
from tests.harness.world import ALICE
from tests.web.html import BROWSER, read_html
from tests.web.insights_own import SECRET, own_hub

SVG = "{http://www.w3.org/2000/svg}"
PATH = "/insights/badge/models/acme/grows.svg"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    with own_hub(tmp_path_factory.mktemp("badge")) as started:
        yield started


def words(svg: str) -> list[str]:
    return [one.text or "" for one in XML.fromstring(svg).iter(f"{SVG}text")]


def test_it_says_how_often_and_when(hub: TestHub):
    answer = hub.get(PATH)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert words(answer.text) == ["downloads, 30 days", "400", "18 Jul 2024"]
    path = XML.fromstring(answer.text).find(f".//{SVG}path")
    assert path is not None
    assert path.attrib["d"].count("L") == 3
    assert "prefers-color-scheme:dark" in answer.text


def test_it_is_public_and_asked_for_again_by_its_tag(hub: TestHub):
    answer = hub.get(PATH)
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert "set-cookie" not in answer.headers
    assert hub.get(PATH, token=ALICE).content == answer.content
    again = hub.get(PATH, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "public, max-age=3600"


def test_nothing_in_it_can_run_where_it_is_opened_by_itself(hub: TestHub):
    rules = hub.get(PATH).headers["content-security-policy"]
    assert rules == "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def test_the_reader_is_asked_once(hub: TestHub, monkeypatch: pytest.MonkeyPatch):
    path = "/insights/badge/models/other/steady.svg"
    assert hub.get(path).status_code == 200

    async def asked_again(_text: bytes) -> bytes:
        raise AssertionError("the reader is asked again")

    monkeypatch.setattr(hub.app.reader, "_answer", asked_again)
    assert hub.get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "models/acme/unseen.svg",
        f"models/{SECRET}.svg",
        "models/acme/grows",
        "models/acme/grows.png",
        "accounts/acme.svg",
        "kernels/acme/grows.svg",
        "models/.svg",
        "models/%3Cscript%3E/x.svg",
    ],
)
def test_what_has_none_is_not_there(hub: TestHub, path: str):
    answer = hub.get(f"/insights/badge/{path}", headers=BROWSER)
    assert answer.status_code == 404
    assert "public" not in answer.headers.get("cache-control", "")


def test_it_goes_when_the_repository_is_hidden(hub: TestHub):
    path = "/insights/badge/models/many/m1.svg"
    assert hub.get(path).status_code == 200
    hub.write(lambda conn: conceal(conn, 2, "model", ["many/m1"], hub.clock()))
    assert hub.get(path).status_code == 404


def test_the_page_gives_the_words_for_a_card(hub: TestHub):
    told = hub.get("/insights/models/acme/grows?format=json").json()
    assert told["badge"] == PATH
    assert told["markdown"].startswith("[![Downloads](http")
    assert f"{PATH})](" in told["markdown"]


def test_a_card_on_the_same_hub_shows_it(tmp_path):
    with own_hub(tmp_path, public_url=BASE) as hub:
        shelf = Shelf(hub).create()
        told = hub.get("/insights/models/acme/grows?format=json").json()["markdown"]
        assert f"{BASE}{PATH}" in told
        assert shelf.commit({"README.md": told.encode()}).status_code == 200
        answer = hub.get(shelf.web, headers=BROWSER)
    pictures = [one.attributes for one in read_html(answer).all("img")]
    assert [one["src"] for one in pictures if one["alt"] == "Downloads"] == [PATH]
    assert "img-src 'self'" in answer.headers["content-security-policy"]


def test_whatever_it_is_called_it_is_a_picture_of_a_text():
    name = 'a/"><script>alert(1)</script>\u202e&\x00\x08\ufffe'
    svg = badge(name, [1, None, 3, None, None, 5, 5], "2024-07-01")
    tree = XML.fromstring(svg)
    assert not list(tree.iter(f"{SVG}script"))
    title = tree.find(f"{SVG}title")
    assert title is not None
    assert title.text is not None
    assert "<script>" in title.text
    assert "\u202e" not in svg


def test_gaps_break_the_line_and_what_stands_alone_is_a_dot():
    tree = XML.fromstring(badge("a/b", [4, None, 2, 1, None, 8], "2024-07-01"))
    path = tree.find(f".//{SVG}path")
    assert path is not None
    assert path.attrib["d"].count("M") == 3
    assert len(list(tree.iter(f"{SVG}circle"))) == 2
    assert not list(XML.fromstring(badge("a/b", [None], "2024-07-01")).iter(f"{SVG}path"))
    assert "not known" in badge("a/b", [None], "2024-07-01")

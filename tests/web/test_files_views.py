# SPDX-License-Identifier: Apache-2.0
"""Single files in the browser, each kind as what it is, and none of them able to do anything."""

import base64
import json
import struct

import pytest

from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.web.html import Element
from tests.web.shelves import SCRIPT, TURN, data, page

pytestmark = on_sqlite

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


def shown(shelf: Shelf, path: str, content: bytes, query: str = "") -> Element:
    shelf.commit({path: content})
    return page(shelf, f"/blob/main/{path}{query}")


def notebook(*cells: dict, **more: object) -> bytes:
    return json.dumps({"nbformat": 4, "cells": cells, **more}).encode()


def code(*outputs: dict, source: str = "1") -> dict:
    return {"cell_type": "code", "source": source, "outputs": outputs, "execution_count": 1}


def gives(**by_type: object) -> dict:
    return {"output_type": "display_data", "data": by_type}


def test_code_has_colours_and_lines_that_can_be_linked(shelf: Shelf) -> None:
    seen = shown(shelf, "src/run.py", b"import os\r\n\r\ndef run():\r\n    pass\r\n")
    source = seen.one("div", class_="source")
    assert [row.attributes["id"] for row in source.all("tr")] == ["L1", "L2", "L3", "L4"]
    assert [one.attributes["href"] for one in source.all("a")] == ["#L1", "#L2", "#L3", "#L4"]
    assert source.all("span", class_="kn")[0].text == "import"
    assert source.all("tr")[2].all("td")[1].text == "def run():"


def test_text_is_inert_and_shows_what_turns_it_around(shelf: Shelf) -> None:
    text = f"x = 1 {SCRIPT} <img src=x onerror=alert(1)>\n# {TURN}tset\n"
    names = ["a.py", "a.html", "a.json", "a.txt", "a.unknown", "LICENSE", "a.svg?plain=1"]
    shelf.commit({name.partition("?")[0]: text.encode() for name in names})
    for name in names:
        source = page(shelf, f"/blob/main/{name}").one("div", class_="source")
        assert f"x = 1 {SCRIPT} <img src=x onerror=alert(1)>" in source.text, name
        assert "U+202Etset" in source.text, name


def test_markdown_is_rendered_and_has_a_source(shelf: Shelf) -> None:
    text = f"# Title\n\n{SCRIPT}\n\n![p](img.png) [up](../x.md) [bad](javascript:alert(1))\n"
    seen = shown(shelf, "docs/a.md", text.encode())
    prose = seen.one("article", class_="prose")
    assert prose.all("h1")[0].text.startswith("Title")
    assert prose.one("img").attributes["src"] == f"{shelf.web}/preview/main/docs/img.png"
    assert prose.link("up") == f"{shelf.web}/blob/main/x.md"
    source = page(shelf, "/blob/main/docs/a.md?plain=1")
    assert seen.link("Source") == f"{shelf.web}/blob/main/docs/a.md?plain=1"
    assert source.link("Rendered") == f"{shelf.web}/blob/main/docs/a.md"
    assert SCRIPT in source.one("div", class_="source").text


def test_the_page_leads_to_all_that_there_is_of_a_file(shelf: Shelf) -> None:
    seen = shown(shelf, "a.txt", b"text")
    assert seen.link("Raw") == f"{shelf.web}/raw/main/a.txt"
    assert seen.link("Download") == f"{shelf.web}/resolve/main/a.txt"
    assert seen.link("History") == f"{shelf.web}/commits/main/a.txt"
    permalink = f"{shelf.web}/blob/{shelf.head()}/a.txt"
    assert seen.link("Permalink") == permalink
    still = page(shelf, permalink.removeprefix(shelf.web))
    assert "Permalink" not in [one.text for one in still.all("a")]


def test_a_table_is_a_table_of_text(shelf: Shelf) -> None:
    rows = "\n".join(f'{n},"a, b",{SCRIPT}' for n in range(500))
    seen = shown(shelf, "data/t.csv", f"id,{TURN}name,bad\n{rows}\n".encode())
    table = seen.one("table", class_="cells")
    assert [cell.text for cell in table.all("th")][1:] == ["id", "U+202Ename", "bad"]
    body = table.one("tbody").all("tr")
    assert len(body) == 200
    assert [cell.text for cell in body[1].all("td")] == ["2", "1", "a, b", SCRIPT]
    assert "There is more in this table than is shown" in seen.text


def test_tables_of_all_sorts(shelf: Shelf) -> None:
    tables = {
        "a.tsv": (b"a\tb,c\n1\t2\n", ["a", "b,c"]),
        "a.csv": (b"a;b\n1;2\n", ["a", "b"]),
        "b.csv": (b"\xef\xbb\xbfa,b\r\n1\r\n", ["a", "b"]),
        "c.csv": ("größe,b\n".encode("latin-1"), ["gr\ufffd\ufffde", "b"]),
    }
    shelf.commit({name: content for name, (content, _) in tables.items()})
    for name, (_, head) in tables.items():
        assert data(shelf, f"/blob/main/{name}")["table"]["head"] == head, name


def test_what_only_calls_itself_a_table_is_text(shelf: Shelf) -> None:
    seen = shown(shelf, "a.csv", b'"' + b"x" * 200_000)
    assert not seen.all("table", class_="cells")
    assert seen.all("div", class_="source")


def test_a_notebook_is_cells(shelf: Shelf) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Notes\n", "text"]},
        code(gives(**{"image/png": PNG}), source="plot()"),
        code({"output_type": "stream", "text": ["one\n", "two"]}),
        code({"output_type": "error", "traceback": ["\x1b[0;31mValueError\x1b[0m: no"]}),
    ]
    seen = shown(shelf, "a.ipynb", notebook(*cells)).one("div", class_="notebook")
    assert seen.all("h1")[0].text.startswith("Notes")
    assert seen.one("img").attributes["src"] == f"data:image/png;base64,{PNG}"
    assert [one.text for one in seen.all("pre", class_="out")] == ["one two", "ValueError: no"]


def test_what_a_notebook_gave_cannot_do_anything(shelf: Shelf) -> None:
    hostile = [
        {
            "cell_type": "markdown",
            "source": f"{SCRIPT}<img src=x onerror=alert(1)>[x](javascript:a)",
        },
        code(gives(**{"text/html": SCRIPT, "application/javascript": "alert(1)"})),
        code(gives(**{"image/svg+xml": f"<svg>{SCRIPT}</svg>"})),
        code(gives(**{"image/png": f'"><script>alert(1)</script>{PNG}'})),
        code(gives(**{"text/html": SCRIPT, "text/plain": f"{SCRIPT} {TURN}x"}), source=SCRIPT),
        {"cell_type": SCRIPT, "source": SCRIPT},
        {"cell_type": "code", "source": {"a": 1}, "outputs": [1, None, {"output_type": []}]},
        code({"output_type": "stream", "text": {"a": SCRIPT}}, {"output_type": "error"}),
        {},
    ]
    meta = {"language_info": {"name": SCRIPT}}
    seen = shown(shelf, "a.ipynb", notebook(*hostile, metadata=meta)).one("div", class_="notebook")
    assert not [one for one in seen.all("img") if "data:" in one.attributes.get("src", "")]
    assert seen.text.count("An output of a kind that is not shown.") == 3
    assert f"{SCRIPT} U+202Ex" in seen.text


def test_what_only_calls_itself_a_notebook_is_text(shelf: Shelf) -> None:
    contents = [b"{}", b"[1]", b"no json", b'{"nbformat":3,"cells":[]}', b"[" * 5000]
    shelf.commit({f"{n}.ipynb": content for n, content in enumerate(contents)})
    for n, content in enumerate(contents):
        seen = page(shelf, f"/blob/main/{n}.ipynb")
        assert not seen.all("div", class_="notebook")
        assert content[:20].decode() in seen.one("div", class_="source").text


def test_pictures_and_sounds_load_from_where_files_are_sent(shelf: Shelf) -> None:
    media = {"a.png": "img", "a.JPG": "img", "a.wav": "audio", "a.mp4": "video"}
    shelf.commit(dict.fromkeys(media, b"\x00\x01\x02"))
    for name, tag in media.items():
        found = page(shelf, f"/blob/main/{name}").one("div", class_="media").one(tag)
        assert found.attributes["src"] == f"{shelf.web}/preview/main/{name}"


def test_bytes_are_not_shown(shelf: Shelf) -> None:
    names = ["a.pkl", "a.bin", "a.txt", "a.md"]
    shelf.commit(dict.fromkeys(names, b"\x80\x04\x95\x00\x00" + bytes(range(256))))
    for name in names:
        seen = page(shelf, f"/blob/main/{name}" + ("?plain=1" if name == "a.md" else ""))
        assert "not shown" in seen.one("div", class_="empty").text
        assert seen.link("Download") == f"{shelf.web}/resolve/main/{name}"


def test_a_long_text_is_not_shown(shelf: Shelf) -> None:
    seen = shown(shelf, "a.log", b"x" * ((1 << 20) + 1))
    assert "too large to be shown" in seen.one("div", class_="empty").text
    assert not seen.all("div", class_="source")


def test_many_lines_are_cut(shelf: Shelf) -> None:
    seen = shown(shelf, "a.log", b"\n" * 30_000)
    assert len(seen.one("div", class_="source").all("tr")) == 20_000
    assert "The first 20 000 lines." in seen.text


def test_empty_files_say_so(shelf: Shelf) -> None:
    assert "This file is empty." in shown(shelf, "a.txt", b"").text
    assert "Nothing is written here." in shown(shelf, "b.md", b"").text


def test_weights_are_told_from_their_header(shelf: Shelf) -> None:
    header = json.dumps(
        {
            "__metadata__": {"format": "pt", "by": SCRIPT},
            "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
            "b": {"dtype": "BF16", "shape": [2], "data_offsets": [24, 28]},
        }
    ).encode()
    content = struct.pack("<Q", len(header)) + header + bytes(28)
    line = ("lfsFile", {**shelf.upload(content), "path": "model.safetensors"})
    assert shelf.commit(lines=[line]).status_code == 200
    seen = page(shelf, "/blob/main/model.safetensors")
    rows = [
        [[cell.text for cell in row.all("td")] for row in table.all("tr")[1:]]
        for table in seen.all("table", class_="table")
    ]
    assert rows == [
        [["F32", "6", "75 %"], ["BF16", "2", "25 %"]],
        [["w", "F32", "2 \N{MULTIPLICATION SIGN} 3", "6"], ["b", "BF16", "2", "2"]],
    ]
    assert SCRIPT in seen.text
    assert seen.link("Pointer") == f"{shelf.web}/raw/main/model.safetensors"
    large = data(shelf, "/blob/main/model.safetensors")["large"]
    assert (large["sha256"], large["size"]) == (line[1]["oid"], len(content))
    assert large["sha256"] in seen.text


def test_a_header_that_cannot_be_read_is_said_so(shelf: Shelf) -> None:
    line = ("lfsFile", {**shelf.upload(b"GGUF" + b"\xff" * 99), "path": "a.gguf"})
    assert shelf.commit(lines=[line]).status_code == 200
    assert "cannot be read" in page(shelf, "/blob/main/a.gguf").text


def test_a_large_file_that_is_gone_leaves_its_pointer(shelf: Shelf) -> None:
    line = ("lfsFile", {**shelf.upload(b"gone soon"), "path": "a.bin"})
    shelf.commit(lines=[line])
    held = shelf.hub.get(f"{shelf.api}/lfs-files", token=shelf.token).json()
    body = {"deletions": {"sha": [held[0]["fileOid"]], "rewriteHistory": False}}
    gone = shelf.hub.post(f"{shelf.api}/lfs-files/batch", token=shelf.token, json=body)
    assert gone.status_code == 200, gone.text
    seen = page(shelf, "/blob/main/a.bin")
    assert "The file itself is gone" in seen.text
    assert "Download" not in [one.text for one in seen.all("a")]


def test_the_data_of_a_file_is_json_too(shelf: Shelf) -> None:
    shelf.commit({"a.txt": b"one\ntwo\n"})
    found = data(shelf, "/blob/main/a.txt")
    assert (found["kind"], found["size"], found["path"]) == ("text", 8, "a.txt")
    assert found["lines"] == {"html": ["one", "two"], "total": 2}
    assert found["commit"] == shelf.head()

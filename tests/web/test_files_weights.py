# SPDX-License-Identifier: Apache-2.0
"""Files of weights in the browser: their tensors, files of several, and how they are stored."""

import json
import struct

import pytest

from hubkeep.app import LOOKS_AT_ONCE
from hubkeep.web import looks
from tests.cards import test_gguf as gguf
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.web.html import Element
from tests.web.shelves import SCRIPT, TURN, data, page

pytestmark = on_sqlite


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


def safetensors(names: list[str]) -> bytes:
    """A file of one number for each name."""
    header = {
        name: {"dtype": "F32", "shape": [1, 1], "data_offsets": [4 * at, 4 * at + 4]}
        for at, name in enumerate(names)
    }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(4 * len(names))


def put(shelf: Shelf, content: bytes, path: str = "model.safetensors") -> None:
    line = ("lfsFile", {**shelf.upload(content), "path": path})
    assert shelf.commit(lines=[line]).status_code == 200


def tensors(seen: Element) -> list[list[str]]:
    table = seen.all("table", class_="cells")[0]
    return [[cell.text for cell in row.all("td")] for row in table.all("tr")[1:]]


def test_many_tensors_come_in_pages(shelf: Shelf) -> None:
    put(shelf, safetensors([f"layer.{n}" for n in range(10_000)]))
    seen = page(shelf, "/blob/main/model.safetensors")
    assert "10 000 tensors" in seen.text.replace("\u202f", " ")
    assert tensors(seen)[0] == ["layer.0", "F32", "1 \N{MULTIPLICATION SIGN} 1", "1"]
    assert len(tensors(seen)) == 500
    after = page(shelf, seen.link("More").removeprefix(shelf.web))
    assert tensors(after)[0][0] == "layer.500"
    assert after.link("Before") == f"{shelf.web}/blob/main/model.safetensors"
    last = page(shelf, "/blob/main/model.safetensors?p=19")
    assert tensors(last)[-1][0] == "layer.9999"
    assert not [one for one in last.all("a") if one.text == "More"]
    assert "no tensors on this page" in page(shelf, "/blob/main/model.safetensors?p=20").text


def test_hostile_names_of_tensors_are_text(shelf: Shelf) -> None:
    put(shelf, safetensors([SCRIPT, f"{TURN}x", "\ud800"]))
    names = [row[0] for row in tensors(page(shelf, "/blob/main/model.safetensors"))]
    assert names == [SCRIPT, "U+202Ex", "\ufffd"]


def test_a_long_vocabulary_before_the_tensors_is_read_over(shelf: Shelf) -> None:
    words = gguf.strings("tokenizer.ggml.tokens", [f"word {n}" * 3 for n in range(20_000)])
    put(shelf, gguf.build([words], [gguf.tensor("output.weight", 0, 4, 8)]), "a.gguf")
    seen = page(shelf, "/blob/main/a.gguf")
    assert tensors(seen) == [["output.weight", "F32", "4 \N{MULTIPLICATION SIGN} 8", "32"]]


def test_weights_in_git_are_read_too(shelf: Shelf) -> None:
    shelf.commit({"w.safetensors": safetensors(["a"]), ".gitattributes": b""})
    found = data(shelf, "/blob/main/w.safetensors")
    assert (found["kind"], found["large"], found["weights"]["total"]) == ("weights", None, 1)
    assert [each["name"] for each in found["tensors"]["rows"]] == ["a"]


def test_a_header_that_is_too_long_lists_nothing(shelf: Shelf) -> None:
    put(shelf, safetensors([f"{n}{'x' * 600}" for n in range(7000)]))
    seen = page(shelf, "/blob/main/model.safetensors")
    assert "7K parameters" in seen.text
    assert "The tensors are not listed" in seen.text


def test_an_index_names_its_files(shelf: Shelf) -> None:
    index = {
        "metadata": {"total_size": 14_500_000_000},
        "weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors", "c": "m-2.safetensors"},
    }
    path = "unet/m.safetensors.index.json"
    shelf.commit({path: json.dumps(index).encode()})
    seen = page(shelf, f"/blob/main/{path}")
    assert "3 tensors in 2 files, 14.5 GB" in seen.text
    assert seen.link("m-2.safetensors") == f"{shelf.web}/blob/main/unet/m-2.safetensors"
    assert '"weight_map"' in page(shelf, f"/blob/main/{path}?plain=1").text


def test_hostile_indexes_are_harmless(shelf: Shelf) -> None:
    odd = {"a": "../../x", "b": SCRIPT, "c": "", "d": "..", "e": "/login"}
    shelf.commit({"a.safetensors.index.json": json.dumps({"weight_map": odd}).encode()})
    seen = page(shelf, "/blob/main/a.safetensors.index.json")
    links = [one.attributes["href"] for one in seen.one("table", class_="table").all("a")]
    assert links == []
    for broken in (b"{}", b'{"weight_map": {"a": 1}}', b"[" * 5000):
        shelf.commit({"b.safetensors.index.json": broken})
        assert page(shelf, "/blob/main/b.safetensors.index.json").all("div", class_="source")


def test_a_large_file_says_how_it_is_stored(shelf: Shelf) -> None:
    put(shelf, b"12345", "a.bin")
    seen = page(shelf, "/blob/main/a.bin")
    pointer = seen.one("section", class_="large-file").one("pre").text
    assert pointer.startswith("version https://git-lfs.github.com/spec/v1 oid sha256:5994471a")
    assert pointer.endswith("size 5")
    assert seen.one("input", id="file-path").attributes["value"] == "a.bin"


def test_the_same_bytes_under_another_name_hide_nothing(shelf: Shelf) -> None:
    put(shelf, safetensors(["one"]), "model.gguf")
    page(shelf, "/blob/main/model.gguf")
    put(shelf, safetensors(["one"]))
    assert len(tensors(page(shelf, "/blob/main/model.safetensors"))) == 1


def test_while_other_files_are_looked_into_no_page_waits_for_its_turn_for_long(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shelf, safetensors(["one"]))
    shelf.commit({"data.parquet": b"PAR1"})
    gate, portal = shelf.hub.app.look_gate, shelf.hub.client.portal
    assert portal is not None
    monkeypatch.setattr(looks, "PATIENCE", 0.05)
    for _ in range(LOOKS_AT_ONCE):
        portal.call(gate.acquire)
    try:
        busy = page(shelf, "/blob/main/model.safetensors")
        assert "busy looking into other files" in page(shelf, "/blob/main/data.parquet").text
    finally:
        for _ in range(LOOKS_AT_ONCE):
            portal.call(gate.release)
    assert "1 parameters" in busy.text
    assert "not listed: The hub is busy looking into other files" in busy.text
    assert busy.all("table", class_="cells") == []
    assert tensors(page(shelf, "/blob/main/model.safetensors"))[0][0] == "one"

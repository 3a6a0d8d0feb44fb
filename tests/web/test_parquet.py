# SPDX-License-Identifier: Apache-2.0
"""Parquet files in the browser: what is in them, and what files that are none can do to the hub."""

import hashlib
import io
import json
import struct
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Connection, update

from hubkeep.db.tables import repo_files
from tests.content.shelf import Shelf
from tests.content.test_xet_files import add
from tests.harness.hub import TestHub, on_sqlite
from tests.transfer.cas.shelf import shelf_of
from tests.web.shelves import SCRIPT, TURN, data, page

pytestmark = on_sqlite

DAY = 86_400_000


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


def written(columns: dict[str, Any], **how: Any) -> bytes:
    """A file of these columns."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **how)
    return out.getvalue()


def put(shelf: Shelf, content: bytes, path: str = "a.parquet") -> None:
    """Commit a file as clients do, by git-lfs."""
    line = ("lfsFile", {**shelf.upload(content), "path": path})
    assert shelf.commit(lines=[line]).status_code == 200


def looked(shelf: Shelf, content: bytes) -> dict:
    """What the hub finds in a file."""
    put(shelf, content)
    return data(shelf, "/blob/main/a.parquet")["parquet"]


def cells(found: dict) -> dict[str, list[str | None]]:
    """The values that are shown, by the names of columns."""
    columns = found["footer"]["columns"]
    return {columns[each["number"]]["name"]: each["cells"] for each in found["columns"]}


def errors(found: dict) -> dict[str, str]:
    """What is said of columns that cannot be shown."""
    columns = found["footer"]["columns"]
    return {columns[e["number"]]["name"]: e["error"] for e in found["columns"] if e["error"]}


def test_columns_and_first_rows_are_shown(shelf: Shelf) -> None:
    text = ["", None, f"{SCRIPT} {TURN}x"] + ["more"] * 197
    schema = pa.schema(
        [pa.field("id", pa.int64(), nullable=False), pa.field(SCRIPT, pa.string())],
        metadata={"made": f"by {SCRIPT}", "long": "x" * 5000},
    )
    out = io.BytesIO()
    table = pa.Table.from_arrays([pa.array(range(200)), pa.array(text)], schema=schema)
    pq.write_table(table, out, row_group_size=100, compression="zstd")
    put(shelf, out.getvalue())
    seen = page(shelf, "/blob/main/a.parquet")
    assert "200 rows, 2 columns" in seen.text
    table, columns = seen.all("table", class_="table")
    assert [cell.text for cell in table.all("th")] == ["Row", "id", SCRIPT]
    rows = [[cell.text for cell in row.all("td")] for row in table.one("tbody").all("tr")]
    assert rows[:3] == [["1", "0", '""'], ["2", "1", "null"], ["3", "2", f"{SCRIPT} U+202Ex"]]
    assert len(rows) == 50
    assert [row.all("td")[1].text for row in columns.all("tr")[1:]] == ["int64 required", "string"]
    for said in ("Row groups2", "zstd", "parquet-cpp-arrow", f"by {SCRIPT}", "The first 50 rows."):
        assert said in seen.text
    footer = data(shelf, "/blob/main/a.parquet")["parquet"]["footer"]
    assert len(dict(footer["metadata"])["long"]) == 1001


def test_values_of_all_sorts_are_written_for_people(shelf: Shelf) -> None:
    columns = {
        "decimal": pa.array([Decimal("1.50"), None]),
        "moment": pa.array([DAY, None], pa.timestamp("ms", tz="Asia/Tokyo")),
        "fine": pa.array([1, None], pa.timestamp("ns")),
        "far": pa.array([2**62, None], pa.timestamp("ms")),
        "day": pa.array([1, None], pa.date32()),
        "long": pa.array(["x" * 10_000, "ü"]),
        "bytes": pa.array([b"\x00" * 1234, b""]),
        "label": pa.array(["yes", None]).dictionary_encode(),
        "list": pa.array([list(range(20)), None]),
        "image": pa.array([{"bytes": b"\x89PNG", "path": "a.png"}, {"bytes": None, "path": None}]),
        "map": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int32())),
        "deep": pa.array([[[[[[[[[1]]]]]]]], None]),
        "flag": pa.array([True, None]),
        "nothing": pa.nulls(2),
    }
    found = cells(looked(shelf, written(columns)))
    assert {name: values[0] for name, values in found.items() if name not in ("long", "far")} == {
        "decimal": "1.50",
        "moment": "1970-01-02 00:00:00 UTC",
        "fine": "1970-01-01 00:00:00.000000001",
        "day": "1970-01-02",
        "bytes": "1,234 bytes",
        "label": "yes",
        "list": "[0, 1, 2, 3, 4, 5, 6, 7, … 20 in all]",
        "image": '{bytes: 4 bytes, path: "a.png"}',
        "map": '[{key: "a", value: 1}]',
        "deep": "[[[[[[…]]]]]]",
        "flag": "true",
        "nothing": None,
    }
    assert found["long"] == ["x" * 300 + "…", "ü"]
    assert found["image"][1] == "{bytes: null, path: null}"
    assert found["bytes"][1] == "0 bytes"
    assert found["list"][1] is None


def test_only_what_is_needed_is_read(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = shelf.hub.app.blobs
    read, parts = type(blobs).read, []

    async def counting(self: object, key: str, start: int, length: int) -> bytes:
        parts.append(length)
        return await read(self, key, start, length)

    monkeypatch.setattr(type(blobs), "read", counting)
    noise = [f"{n * 7919 % 104729}".rjust(200, "x") for n in range(40_000)]
    content = written({"a": noise}, row_group_size=20_000, compression="none", use_dictionary=False)
    put(shelf, content)
    parts.clear()
    assert len(cells(data(shelf, "/blob/main/a.parquet")["parquet"])["a"]) == 50
    assert sum(parts) < len(content) / 4
    parts.clear()
    data(shelf, "/blob/main/a.parquet")
    assert parts == []


def test_files_in_chunks_and_in_git_are_read_too(shelf: Shelf) -> None:
    content = written({"a": list(range(1000))}, compression="none")
    xorbs = shelf_of(shelf.hub)
    cut = [content[at : at + 700] for at in range(0, len(content), 700)]
    add(shelf, "b.parquet", xorbs.file(shelf.path, [xorbs.xorb(cut).term(0, len(cut))]))
    shelf.commit({"c.parquet": content, ".gitattributes": b""})
    for name in ("b.parquet", "c.parquet"):
        found = data(shelf, f"/blob/main/{name}")
        assert cells(found["parquet"])["a"][:3] == ["0", "1", "2"], name


def test_what_is_no_parquet_file_says_so(shelf: Shelf) -> None:
    good = written({"a": ["x"] * 1000})
    footer = int.from_bytes(good[-8:-4], "little")
    broken = {
        "text": b"id,name\n1,x\n" * 100,
        "cut": good[: len(good) // 2],
        "noise": good[: -8 - footer] + b"\xff" * footer + good[-8:],
        "huge": good[:-8] + struct.pack("<I", 2**32 - 1) + b"PAR1",
    }
    for name, content in broken.items():
        put(shelf, content, f"{name}.parquet")
        seen = page(shelf, f"/blob/main/{name}.parquet")
        assert "This file cannot be shown" in seen.one("div", class_="notice").text, name
        assert seen.link("Download")


def test_rows_that_cannot_be_read_leave_the_rest(shelf: Shelf) -> None:
    content = written({"a": [1] * 100, "b": ["text"] * 100}, compression="none")
    at = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(1).dictionary_page_offset
    found = looked(shelf, content[:at] + b"\xff" * 20 + content[at + 20 :])
    assert cells(found)["a"] == ["1"] * 50
    assert errors(found).keys() == {"b"}
    assert "b: " in page(shelf, "/blob/main/a.parquet").one("ul", class_="plain-list").text


def test_what_unpacks_to_more_than_there_is_memory_for_is_left_out(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubkeep.web.parquet.MEMORY", 40 << 20)
    bomb = pa.array(["x" * (48 << 20)])
    content = written({"bomb": bomb, "id": [1]}, compression="zstd")
    assert len(content) < 1 << 20
    found = looked(shelf, content)
    assert cells(found)["id"] == ["1"]
    assert errors(found).keys() == {"bomb"} or found["note"]


def test_pages_that_are_too_large_are_not_read(shelf: Shelf) -> None:
    noise = Random(1).randbytes(17 << 20)
    columns = {"big": [noise], "id": [1]}
    found = looked(shelf, written(columns, compression="none", use_dictionary=False))
    assert cells(found)["id"] == ["1"]
    assert errors(found) == {"big": "too large to be shown here"}


def test_many_columns_and_row_groups_are_cut(shelf: Shelf) -> None:
    columns = {f"c{n}": [1, 2, 3] for n in range(700)}
    put(shelf, written(columns, row_group_size=1))
    footer = data(shelf, "/blob/main/a.parquet")["parquet"]["footer"]
    assert (len(footer["columns"]), footer["columnCount"], footer["rowGroups"]) == (500, 700, 3)
    seen = page(shelf, "/blob/main/a.parquet")
    assert "The first 3 rows of the first 60 columns." not in seen.text
    assert len(seen.all("table")[0].all("tr")[1].all("td")) == 61
    assert "The first 500 columns." in seen.text


def test_empty_tables_are_tables(shelf: Shelf) -> None:
    put(shelf, written({"a": pa.array([], pa.string())}))
    assert "0 rows, 1 column" in page(shelf, "/blob/main/a.parquet").text
    put(shelf, b"")
    assert "This file is empty." in page(shelf, "/blob/main/a.parquet").text


def test_who_takes_too_long_is_stopped(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubkeep.web.parquet.SECONDS", 0.0)
    put(shelf, written({"a": [1]}))
    assert "more time or memory" in page(shelf, "/blob/main/a.parquet").text
    monkeypatch.undo()
    shelf.hub.clock.move(hours=1)
    assert "1 row, 1 column" in page(shelf, "/blob/main/a.parquet").text


def test_without_pyarrow_the_page_says_how_to_get_it(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubkeep.web.parquet.find_spec", lambda _: None)
    put(shelf, written({"a": [1]}))
    seen = page(shelf, "/blob/main/a.parquet")
    assert "hubkeep[observatory]" in seen.one("div", class_="notice").text
    assert json.dumps(data(shelf, "/blob/main/a.parquet")["large"]["sha256"])[1:-1] in seen.text


def test_a_file_whose_bytes_are_missing_says_so(shelf: Shelf) -> None:
    content = written({"a": [1]})
    put(shelf, content)
    for path in (shelf.hub.app.config.data / "blobs").rglob("*"):
        if path.is_file() and path.read_bytes() == content:
            path.unlink()
    assert "cannot be read now" in page(shelf, "/blob/main/a.parquet").text


def test_who_claims_the_hash_of_a_file_sees_and_changes_nothing_of_it(shelf: Shelf) -> None:
    secret, other = (written({name: [name]}, compression="none") for name in ("secret", "other"))
    oid = hashlib.sha256(secret).digest()

    def claimed(path: str) -> Shelf:
        """A repository with other bytes under that hash, as before the hub has computed it."""
        mine = Shelf(shelf.hub, path).create()
        xorbs = shelf_of(shelf.hub)
        file = xorbs.file(path, [xorbs.xorb([other]).term(0, 1)])

        def claim(conn: Connection) -> None:
            link = repo_files.c.file_id == file.id
            conn.execute(update(repo_files).where(link).values(oid=oid))

        shelf.hub.write(claim)
        pointer = {"path": "a.parquet", "algo": "sha256", "oid": oid.hex(), "size": len(other)}
        assert mine.commit(lines=[("lfsFile", pointer)]).status_code == 200
        return mine

    assert cells(looked(shelf, secret)) == {"secret": ["secret"]}
    assert cells(data(claimed("alice/liar"), "/blob/main/a.parquet")["parquet"]) == {
        "other": ["other"]
    }
    assert cells(data(shelf, "/blob/main/a.parquet")["parquet"]) == {"secret": ["secret"]}

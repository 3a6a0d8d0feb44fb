# SPDX-License-Identifier: Apache-2.0
"""Files that are broken or meant ill: a clear error and no snapshot, or a counted exclusion."""

import gzip
import json
import random
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import pyarrow as pa
import pyarrow.parquet as pq

from hubkeep.observatory.imports.files import UnknownShape
from hubkeep.observatory.imports.reading import BadFile
from tests.observatory.importing import Imports


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    return Imports(tmp_path / "snapshots")


def models(rows: int = 100) -> pa.Table:
    ids = [f"a/m{number}" for number in range(rows)]
    return pa.table(
        {
            "id": ids,
            "downloads": list(range(rows)),
            "pipeline_tag": ["text-generation"] * rows,
            "tags": [["en", f"license:{number % 7}"] for number in range(rows)],
        }
    )


def parquet(path: Path) -> bytes:
    pq.write_table(models(), path)
    return path.read_bytes()


def refused(imports: Imports, path: Path) -> str:
    """What is said of a file that makes no snapshot."""
    with pytest.raises((BadFile, UnknownShape)) as error:
        imports.files(path)
    assert imports.left() == []
    said = str(error.value)
    assert path.name in said
    assert "\n" not in said
    assert len(said) < 1000
    return said


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("models.csv", b"", "is empty"),
        ("models.parquet", b"PAR1", "cannot be read"),
        ("models.parquet", b"PAR1" + b"\x00" * 40 + b"PAR1", "cannot be read"),
        ("models.parquet", b"PAR1" + b"\xff" * 40 + b"PAR1", "cannot be read"),
        ("models.parquet", b"id,likes\na,1\n", "is neither Parquet nor JSON"),
        ("models.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
        ("models.csv", b"\x7fELF\x02\x00\x00\x01\n", "is neither"),
        ("models.csv.gz", gzip.compress(b"id,likes\na,1\n", mtime=0), "is compressed"),
        ("models.csv", gzip.compress(b"id,likes\na,1\n", mtime=0), "is compressed"),
        ("models.csv", "id,likes\na,1\n".encode("utf-16"), "is UTF-16"),
        ("models.csv", b"id,likes,likes\na,1,2\n", "twice"),
        ("models.csv", b"id,,likes\na,1,2\n", "names no column"),
        ("models.csv", b"id,likes\n", "no row that can be used"),
        ("models.csv", b'id,likes\n"a,1\nb,2\nc,3\nd,4\n', "4 lines cannot be read, 0 can"),
        ("models.csv", b"<html><body>404</body></html>\n", "is of no shape"),
        ("models.csv", b"name,size\na,1\n", "its columns are: name, size"),
        ("models.jsonl", b"{\n" * 10, "no line that is a JSON object"),
        ("models.jsonl", b"[" * 200_000, "cannot be read"),
        ("models.jsonl", b'{"name": 1}\n', "has no field that is known"),
        ("models.json", b'[{"id": "a"}, {"id": ', "cannot be read"),
        ("models.json", b"[1, 2, 3]", "no line that is a JSON object"),
        ("models.jsonl", b'{"id": "../../etc/passwd", "likes": 1}\n', "1 x no usable id in models"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    imports: Imports, tmp_path, name: str, content: bytes, why: str
):
    (tmp_path / name).write_bytes(content)
    assert why in refused(imports, tmp_path / name)


def test_what_is_no_file_is_refused(imports: Imports, tmp_path):
    assert "is not there" in refused(imports, tmp_path / "gone.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "is no file" in refused(imports, tmp_path / "folder.csv")


def test_a_truncated_or_changed_parquet_makes_no_wrong_snapshot(imports: Imports, tmp_path):
    """Whatever byte is another: an error, or a snapshot that is well formed."""
    good = parquet(tmp_path / "models.parquet")
    path = tmp_path / "broken-models.parquet"
    for length in (5, 50, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:length])
        assert "was cut off" in refused(imports, path) or length < 8
    chance = random.Random(1)
    for number in range(10):
        changed = bytearray(good)
        for _ in range(1 + number % 3):
            changed[chance.randrange(4, len(good) - 4)] = chance.randrange(256)
        path.write_bytes(changed)
        try:
            imports.files(path)
        except (BadFile, UnknownShape) as error:
            assert path.name in str(error)  # noqa: PT017
        assert not [name for name in imports.left() if name.startswith(".")]


def test_lines_of_csv_that_do_not_fit_are_left_out_and_counted(imports: Imports, tmp_path):
    path = tmp_path / "models.csv"
    path.write_bytes(
        b"id,likes,downloads\r\na/b,1,2\r\n=cmd|' /C calc'!A0,3,4\r\n\"<b>x</b>\n\",1,1\r\n"
        b"q\x00w,1,1\r\ntoo,few\r\n" + b'a/c,"un"closed",1\r\na/d,1,1,1\r\n\xff\xfe,1,1\r\n'
        b"a/big," + b"9" * 5_000_000 + b",1\r\na/long," + b"9" * 3_000_000 + b",7\r\na/e,=1+1,1\r\n"
    )
    told = imports.files(path)
    assert told.rows("models", "id", "likes", "downloads_30d") == [
        ("a/b", 1, 2),
        ("a/e", None, 1),
        ("a/long", None, 7),
    ]
    assert told.manifest.excluded["models"] == {"no usable id": 3, "unreadable line": 5}
    assert told.manifest.cleared["models"] == {"likes is no whole number": 2}


def test_lines_after_a_quote_that_is_never_closed_are_counted(imports: Imports, tmp_path):
    rows = "".join(f"a/m{number},{number}\n" for number in range(10))
    (tmp_path / "models.csv").write_text(f'id,likes\n{rows}"a/x,1\na/y,2\na/z,3\n')
    told = imports.files(tmp_path / "models.csv")
    assert told.manifest.tables["models"].rows == 10
    assert told.manifest.excluded == {"models": {"unreadable line": 3}}


def test_cells_of_several_lines_are_no_lost_lines(imports: Imports, tmp_path):
    (tmp_path / "models.csv").write_text(
        'id,likes,pipeline_tag\na/b,1,"\none\n\ntwo\n"\n\n\na/c,2,x\n'
    )
    told = imports.files(tmp_path / "models.csv")
    assert told.rows("models", "id", "task") == [("a/b", "onetwo"), ("a/c", "x")]
    assert told.manifest.excluded == {}


def test_lines_of_json_that_are_none_are_left_out_and_counted(imports: Imports, tmp_path):
    lines = [
        b'{"id": "a/b", "likes": 1, "tags": ["en"]}',
        b'{"id": "a/c", "likes": 1e999}',
        b'{"id": "a/d", "likes": 123456789012345678901234567890}',
        b'{"id": "a/e", "id": "a/twice", "likes": 2}',
        b'{"id": "a/f", "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"id": "a/g", "tags": {"not": "a list"}}',
        b'{"id": "a/h", "tags": [1, null, {"x": 1}, ["en"]]}',
        b'{"id": ["a/i"], "likes": 1}',
        b'{"id": "a/j", "cardData": "' + b'\\"' * 1000 + b'", "safetensors": 7}',
        b'{"id": "a/k", "likes": "\xff"}',
        b'{"id": "a/l"',
        b"[1]",
        b'"text"',
        b"null",
    ]
    (tmp_path / "models.jsonl").write_bytes(b"\n".join(lines))
    told = imports.files(tmp_path / "models.jsonl")
    ids = [row[0] for row in told.rows("models", "id")]
    assert ids == ["a/b", "a/c", "a/d", "a/e", "a/f", "a/g", "a/h", "a/j"]
    assert told.manifest.excluded["models"] == {"no usable id": 1, "unreadable line": 5}
    assert ("a/c", None) in told.rows("models", "id", "likes")
    assert ("a/d", None) in told.rows("models", "id", "likes")


def test_a_small_file_that_becomes_huge_is_taken_in_bounds(imports: Imports, tmp_path):
    """150 MB of text from a file of some kilobytes, in a column that is kept."""
    path = tmp_path / "models-bomb.parquet"
    rows = 150
    table = pa.table(
        {
            "id": [f"a/m{number}" for number in range(rows)],
            "likes": [1] * rows,
            "pipeline_tag": pa.array(["x" * 1_000_000] * rows),
        }
    )
    pq.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 2_000_000
    told = imports.files(path)
    assert told.manifest.cleared["models"] == {"task is longer than 256 letters": rows}


@pytest.mark.parametrize(
    "name",
    ["models 'it''s'.csv", 'models "x".csv', "models[1]*?.csv", "models;--.csv", "models\n.csv"],
)
def test_any_name_of_a_file_is_a_name(imports: Imports, tmp_path, name: str):
    (tmp_path / name).write_text("id,likes\na/b,1\n")
    assert imports.files(tmp_path / name).rows("models", "id", "likes") == [("a/b", 1)]


def test_columns_of_a_census_of_other_types_are_refused(imports: Imports, tmp_path):
    columns = ["id", "downloads", "likes", "pipeline_tag", "licenses", "base_models", "arxiv"]
    path = tmp_path / "census.csv"
    path.write_text(",".join([*columns, "library_name", "created_at", "datasets", "tags"]) + "\n")
    with path.open("a") as file:
        file.write("a,1,1,x,x,x,x,x,x,x,x\n")
    assert "cannot be read" in refused(imports, path)


def test_a_hostile_file_beside_a_good_one_leaves_no_snapshot(imports: Imports, tmp_path):
    (tmp_path / "models.jsonl").write_text(json.dumps({"id": "a/b", "likes": 1}))
    (tmp_path / "datasets.parquet").write_bytes(b"PAR1" + b"\x01" * 64 + b"PAR1")
    with pytest.raises(BadFile, match=r"datasets\.parquet cannot be read"):
        imports.files(tmp_path / "models.jsonl", tmp_path / "datasets.parquet")
    assert imports.left() == []


def test_nothing_is_fetched(imports: Imports, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("https://127.0.0.1:1/models.parquet", "s3://bucket/models.parquet"):
        with pytest.raises(BadFile, match="is not there"):
            imports.files(Path(name))

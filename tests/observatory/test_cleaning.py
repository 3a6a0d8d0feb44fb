# SPDX-License-Identifier: Apache-2.0
"""What comes into a snapshot is of the schema, whatever a source says; what is not is counted."""

import re
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb")

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubkeep.observatory.cleaning import MAX_ID, MAX_TEXT, MOST, MOST_COUNTED
from hubkeep.observatory.schema import TABLES, Kind
from hubkeep.observatory.workbench import workbench
from hubkeep.observatory.writing import Written, write_table

moment = datetime.fromisoformat
TAKEN = "2024-07-11T00:00:00.000Z"
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def cleaned(
    folder: Path, name: str, source: pa.Table | str
) -> tuple[list[dict[str, Any]], Written]:
    """The rows of a table as they come out, and what was counted."""
    with workbench(folder) as connection:
        if not isinstance(source, str):
            connection.register("source", source)
            source = "SELECT * FROM source"
        told = write_table(connection, name, source, folder, TAKEN)
    return pq.read_table(folder / f"{name}.parquet").to_pylist(), told


def one(folder: Path, column: str, sql: str) -> tuple[Any, dict[str, int]]:
    """What becomes of one value of a model."""
    rows, told = cleaned(folder, "models", f"SELECT 'a/b' AS id, {sql} AS {column}")
    assert not told.excluded
    return rows[0][column], dict(told.cleared)


@pytest.mark.parametrize(
    "written",
    [
        "NULL",
        "''",
        "'a/b/c'",
        "'/b'",
        "'a/'",
        "'a b'",
        "'a/b' || chr(10)",
        "chr(8238) || 'a'",
        "'https://huggingface.co/a/b'",
        "'<b>'",
        "repeat('x', 194)",
        "'a/b' || chr(0)",
        "'ä/ö'",
    ],
)
def test_rows_without_usable_id_are_left_out_and_counted(tmp_path, written: str):
    rows, told = cleaned(
        tmp_path, "models", f"SELECT unnest([{written}, 'ok/ok']) AS id, 1 AS likes"
    )
    assert [row["id"] for row in rows] == ["ok/ok"]
    assert told.excluded == {"no usable id": 1}


@pytest.mark.parametrize(
    ("column", "sql", "value", "reason"),
    [
        ("likes", "-1", None, "likes cannot be"),
        ("likes", f"{MOST_COUNTED}", MOST_COUNTED, ""),
        ("size", f"{MOST}", MOST, ""),
        ("likes", f"{MOST_COUNTED + 1}", None, "likes cannot be"),
        ("size", f"{MOST + 1}", None, "size cannot be"),
        ("co2_grams", "1e300", None, "co2_grams cannot be"),
        ("likes", "'12'", 12, ""),
        ("likes", "' 12 '", 12, ""),
        ("likes", "12.0::DOUBLE", 12, ""),
        ("likes", "12.5::DOUBLE", None, "likes is no whole number"),
        ("likes", "'12.5'", None, "likes is no whole number"),
        ("likes", "'many'", None, "likes is no whole number"),
        ("likes", "'=1+1'", None, "likes is no whole number"),
        ("likes", "true", None, "likes is no whole number"),
        ("likes", "[1]", None, "likes is no whole number"),
        ("likes", "{'a': 1}", None, "likes is no whole number"),
        ("likes", "'nan'::DOUBLE", None, "likes is no whole number"),
        ("likes", "'inf'::DOUBLE", None, "likes is no whole number"),
        ("likes", "99999999999999999999999999::HUGEINT", None, "likes is no whole number"),
        ("likes", "repeat('9', 4000)", None, "likes is no whole number"),
        ("likes", "'7'::JSON", 7, ""),
        ("likes", "NULL", None, ""),
        ("trending", "'nan'::DOUBLE", None, "trending cannot be"),
        ("trending", "'inf'", None, "trending cannot be"),
        ("trending", "1e400::VARCHAR", None, "trending cannot be"),
        ("trending", "-0.5", None, "trending cannot be"),
        ("trending", "'0.25'", 0.25, ""),
        ("trending", "date '2020-01-01'", None, "trending is no number"),
        ("private", "'true'", True, ""),
        ("private", "'perhaps'", None, "private is no yes or no"),
        ("private", "[true]", None, "private is no yes or no"),
        ("created_at", "TIMESTAMP '2014-12-31 23:59:59'", None, "created_at cannot be"),
        ("created_at", "TIMESTAMP '2015-01-01'", moment("2015-01-01"), ""),
        ("created_at", "TIMESTAMP '2024-07-12'", moment("2024-07-12"), ""),
        ("created_at", "TIMESTAMP '2024-07-12 00:00:01'", None, "created_at cannot be"),
        ("created_at", "'infinity'::TIMESTAMP", None, "created_at cannot be"),
        ("created_at", "'2023-08-01T12:00:00.000Z'", moment("2023-08-01 12:00"), ""),
        ("created_at", "'2023-08-01 12:00:00+02:00'", moment("2023-08-01 10:00"), ""),
        ("created_at", "TIMESTAMPTZ '2023-08-01 12:00:00+02:00'", moment("2023-08-01 10:00"), ""),
        ("created_at", "DATE '2023-08-01'", moment("2023-08-01"), ""),
        ("created_at", "'yesterday'", None, "created_at is no time"),
        ("created_at", "1690000000", None, "created_at is no time"),
        ("created_at", "[TIMESTAMP '2023-08-01']", None, "created_at is no time"),
        ("task", "repeat('x', 256)", "x" * 256, ""),
        ("task", "repeat('x', 257)", None, "task is longer than 256 letters"),
        ("task", "'  '", None, ""),
        ("task", "'a' || chr(8238) || 'b'", "ab", "task had characters that cannot be seen"),
        ("task", "'a' || chr(0) || 'b'", "ab", "task had characters that cannot be seen"),
        ("task", "chr(27) || chr(8203)", None, "task had characters that cannot be seen"),
        ("task", "'<script>'", "<script>", ""),
        ("gated", "'auto'", "auto", ""),
        ("gated", "'sometimes'", None, "gated is none of no, auto, manual"),
    ],
)
def test_values_are_of_their_type_or_null_and_counted(tmp_path, column, sql, value, reason: str):
    assert one(tmp_path, column, sql) == (value, {reason: 1} if reason else {})


def test_each_table_says_what_a_row_lacks(tmp_path):
    rows, told = cleaned(
        tmp_path,
        "lineage",
        "SELECT * FROM (VALUES ('a', './local path'), (NULL, 'b'), ('a', 'b')) AS t(child, parent)",
    )
    assert [(row["child"], row["parent"]) for row in rows] == [("a", "b")]
    assert told.excluded == {"no usable child": 1, "no usable parent": 1}


def test_events_need_a_day_that_can_be(tmp_path):
    rows, told = cleaned(
        tmp_path,
        "events",
        "SELECT 'a/' || i AS id, ['added', 'vanished'][i % 2 + 1] AS event, "
        "DATE '2024-07-10' + CAST(i AS INTEGER) AS day FROM range(5) AS t(i)",
    )
    assert [(row["id"], row["day"]) for row in rows] == [
        ("a/0", date(2024, 7, 10)),
        ("a/2", date(2024, 7, 12)),
    ]
    assert told.excluded == {"no usable event": 2, "no usable day": 1}
    assert told.cleared == {"day cannot be": 2}


_TEXT = st.text(max_size=8) | st.text(
    st.sampled_from("ab/.-_ \x00\x1b\u202e\u200b'\"<=,;\n%\\"), max_size=300
)
_ODD = st.one_of(
    _TEXT,
    st.integers(-(1 << 80), 1 << 80).map(str),
    st.floats().map(str),
    st.datetimes().map(str),
    st.sampled_from(["no", "name", "2024-07-11", "true", "a/b", "model", "added", "language"]),
    st.none(),
)
_VALUES = {
    pa.string(): _ODD,
    pa.int64(): st.integers(-(1 << 63), (1 << 63) - 1) | st.none(),
    pa.uint64(): st.integers(0, (1 << 64) - 1) | st.none(),
    pa.float64(): st.floats() | st.none(),
    pa.bool_(): st.booleans() | st.none(),
    pa.timestamp("us"): st.datetimes() | st.none(),
    pa.date32(): st.dates() | st.none(),
    pa.list_(pa.string()): st.lists(_TEXT, max_size=2) | st.none(),
    pa.struct([("x", pa.string())]): st.fixed_dictionaries({"x": _TEXT}) | st.none(),
    pa.binary(): st.binary(max_size=9) | st.none(),
}


@st.composite
def sources(draw: st.DrawFn) -> tuple[str, pa.Table]:
    name = draw(st.sampled_from(sorted(TABLES)))
    rows = draw(st.integers(0, 6))
    columns = {}
    for column in TABLES[name].columns:
        if draw(st.booleans()) or column.required:
            kind = draw(st.sampled_from(list(_VALUES)))
            values = draw(st.lists(_VALUES[kind], min_size=rows, max_size=rows))
            columns[column.name] = pa.array(values, kind)
    return name, pa.table(columns)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sources())
def test_what_comes_out_is_always_of_the_schema(source: tuple[str, pa.Table]):
    name, table = source
    with tempfile.TemporaryDirectory() as folder:
        rows, told = cleaned(Path(folder), name, table)
    assert len(rows) == told.file.rows
    assert len(rows) + sum(told.excluded.values()) == table.num_rows
    keys = [tuple(row[key] for key in TABLES[name].order) for row in rows]
    assert keys == sorted(set(keys), key=lambda key: [str(part).encode() for part in key])
    for row in rows:
        for column in TABLES[name].columns:
            value = row[column.name]
            assert value is not None or not column.required
            if value is not None:
                assert fits(column.kind, value), (column, value)
            if column.choices:
                assert value is None or value in column.choices


def fits(kind: Kind, value: object) -> bool:
    match value:
        case bool():
            return kind is Kind.FLAG
        case int():
            return kind is Kind.WHOLE and 0 <= value <= MOST
        case float():
            return kind is Kind.REAL and 0 <= value < float("inf")
        case str():
            long = max(MAX_ID, MAX_TEXT)
            return kind is Kind.TEXT and 0 < len(value) <= long and not HIDDEN.search(value)
        case datetime():
            return kind is Kind.TIME and moment("2015-01-01") <= value <= moment("2024-07-12")
        case date():
            return kind is Kind.DAY and date(2015, 1, 1) <= value <= date(2024, 7, 12)
    return False

# SPDX-License-Identifier: Apache-2.0
"""Rows of the hub's database as Parquet files of a folder, a piece at a time: what a snapshot is
made of. Needs pyarrow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from hubkeep.observatory.taking.queries_taking import people, read_through, repositories

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

Step = Callable[[str], None]

_TOLD_EVERY: Final = 100_000
_TEXTS: Final = pa.list_(pa.string())
_MOMENT: Final = pa.timestamp("ms")

# In the order of the columns that the queries give.
_REPOSITORIES: Final = pa.schema(
    [
        ("repo_id", pa.int64()),
        ("kind", pa.string()),
        ("id", pa.string()),
        ("created_at", _MOMENT),
        ("last_modified", _MOMENT),
        ("downloads_30d", pa.int64()),
        ("downloads_all", pa.int64()),
        ("likes", pa.int64()),
        ("trending", pa.float64()),
        ("license", pa.string()),
        ("has_head", pa.bool_()),
        ("size", pa.int64()),
        ("used_storage", pa.int64()),
        ("gated", pa.string()),
        ("private", pa.bool_()),
        ("disabled", pa.bool_()),
        ("has_card", pa.bool_()),
        ("task", pa.string()),
        ("library", pa.string()),
        ("parameters", pa.int64()),
        ("parameters_from", pa.string()),
        ("co2_grams", pa.float64()),
        ("co2_written", pa.string()),
        ("weights", pa.string()),
        ("sdk", pa.string()),
        ("tags", _TEXTS),
        ("models", _TEXTS),
        ("datasets", _TEXTS),
        ("languages", _TEXTS),
    ]
)
_PEOPLE: Final = pa.schema(
    [
        ("account_id", pa.int64()),
        ("name", pa.string()),
        ("kind", pa.string()),
        ("org_type", pa.string()),
        ("fullname", pa.string()),
        ("created_at", _MOMENT),
        ("disabled", pa.bool_()),
    ]
)


class _SpaceFacts(msgspec.Struct, frozen=True):
    """What of the facts of a Space is in no column of its own."""

    models: list[str] = []
    datasets: list[str] = []
    languages: list[str] = []


_NO_FACTS: Final = _SpaceFacts()
_tags = msgspec.json.Decoder(list[str]).decode
_facts = msgspec.json.Decoder(_SpaceFacts).decode


@dataclass(frozen=True, slots=True)
class Staged:
    """The files of one reading: everything that was to be seen, ids of the database with it."""

    repositories: Path
    people: Path


def stage(conn: "Connection", folder: Path, step: Step, *, with_private: bool) -> Staged:
    """Write what the hub holds into files of `folder`.

    In the one transaction of `conn`: all of it is of the same moment. May be run again, and begins
    anew then.
    """
    staged = Staged(folder / "repositories.parquet", folder / "people.parquet")
    read_through(conn)
    count = 0
    with pq.ParquetWriter(staged.repositories, _REPOSITORIES, compression="zstd") as writer:
        for rows in repositories(conn, with_private=with_private):
            writer.write_batch(_batch(_REPOSITORIES, _with_lists(rows)))
            count += len(rows)
            if count % _TOLD_EVERY < len(rows):
                step(f"reading repositories, {count:,} so far")
    step(f"read {count:,} repositories, reading accounts")
    with pq.ParquetWriter(staged.people, _PEOPLE, compression="zstd") as writer:
        for rows in people(conn, with_disabled=with_private):
            writer.write_batch(_batch(_PEOPLE, list(zip(*rows, strict=True))))
    return staged


def _with_lists(rows: "Sequence[Row]") -> Sequence[Sequence[object]]:
    """The columns of rows, with what stands as JSON in the last two taken apart."""
    *plain, tags, facts = zip(*rows, strict=True)
    told = [_NO_FACTS if data is None else _facts(data) for data in facts]
    return [
        *plain,
        [_tags(text) for text in tags],
        [one.models for one in told],
        [one.datasets for one in told],
        [one.languages for one in told],
    ]


def _batch(schema: pa.Schema, columns: "Sequence[Sequence[object]]") -> pa.RecordBatch:
    arrays = [pa.array(column, field.type) for field, column in zip(schema, columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)

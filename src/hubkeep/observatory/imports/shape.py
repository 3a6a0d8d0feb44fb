# SPDX-License-Identifier: Apache-2.0
"""Shapes of files that become snapshots: known by their columns, mapped to the schema by SQL."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of file.

    `tables` has, for each table of the schema that the file tells of, a SELECT from the view
    `source` by the schema's column names; it leaves out what the file does not have.
    """

    name: str
    what: str
    columns: frozenset[str]
    """Those that a file must have to be of this shape."""
    tables: Mapping[str, str]
    notes: tuple[str, ...] = ()


def author(of: str = "id") -> str:
    """Return SQL for the namespace of an id; null where it has none."""
    return f"CASE WHEN contains({of}, '/') THEN split_part({of}, '/', 1) END"

# SPDX-License-Identifier: Apache-2.0
"""Fields of the hub API as SQL, whichever way a file keeps them: a list, a struct, JSON or text."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Values:
    """The fields of a file: the types of its columns, and which column is which field."""

    types: Mapping[str, str]
    fields: Mapping[str, str]

    def has(self, field: str) -> bool:
        """Whether the file has the field."""
        return field in self.fields

    def plain(self, field: str) -> str:
        """The value as it is kept; cleaning makes it what it should be."""
        return f'"{self.fields[field]}"'

    def text(self, field: str) -> str:
        """The value as text."""
        name = self.plain(field)
        return f"({name} ->> '$')" if self._type(field) == "JSON" else f"CAST({name} AS VARCHAR)"

    def json(self, field: str) -> str:
        """The value as JSON; null where text is none."""
        name = self.plain(field)
        match self._type(field):
            case "JSON":
                return name
            case "VARCHAR":
                return f"CASE WHEN json_valid({name}) THEN CAST({name} AS JSON) END"
            case _:
                return f"to_json({name})"

    def strings(self, field: str) -> str:
        """A list of text; null where it is none."""
        name = self.plain(field)
        match self._type(field):
            case "VARCHAR[]":
                return name
            case "VARCHAR":
                # JSON, or as Python writes a list: ['a', 'b'].
                listed = f"TRY_CAST({self.json(field)} AS VARCHAR[])"
                return f"coalesce({listed}, TRY_CAST({name} AS VARCHAR[]))"
            case _:
                return f"TRY_CAST({self.json(field)} AS VARCHAR[])"

    def _type(self, field: str) -> str:
        return self.types[self.fields[field]]

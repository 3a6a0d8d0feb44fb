# SPDX-License-Identifier: Apache-2.0
"""Several sources of the same table as one: rows by their key, each value from the first that has
one.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.schema import TABLES, Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# How a number of parameters is known, best first: a count beats what somebody says, and that beats
# a name. Whichever file it stands in.
_RANKS: Final = TABLES["models"].columns[TABLES["models"].names.index("parameters_from")].choices


def merged(connection: "DuckDBPyConnection", table: Table, places: Sequence[str]) -> str:
    """Return the place of one table with the rows of all; the places given may be used up.

    Each of them has its keys once, and so has what comes out.
    """
    result = places[0]
    for number, place in enumerate(places[1:]):
        target = f"merged_{table.name}_{number}"
        on = " AND ".join(f'a."{key}" = b."{key}"' for key in table.order)
        values = ", ".join(f'{_value(name)} AS "{name}"' for name in table.names)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT {values} "
            f"FROM {result} AS a FULL JOIN {place} AS b ON {on}"
        )
        if number:
            connection.execute(f"DROP TABLE {result}")
        result = target
    return result


def _value(name: str) -> str:
    if name not in ("parameters", "parameters_from"):
        return f'coalesce(a."{name}", b."{name}")'
    better = " ".join(
        f"WHEN a.parameters_from = '{rank}' THEN a.{name} "
        f"WHEN b.parameters_from = '{rank}' THEN b.{name}"
        for rank in _RANKS
    )
    return f"CASE {better} ELSE coalesce(a.{name}, b.{name}) END"

# SPDX-License-Identifier: Apache-2.0
"""The process that prepares a snapshot for queries.

A query may open nothing, so all that it may read is one file that is open already: a database of
DuckDB's with the views that figures read as tables, and without what nobody may see any more.
"""

import resource
import sys
from pathlib import Path
from typing import Final

import msgspec

from hubkeep.observatory.console.wire import PREPARED, Preparation
from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.duck import Duck
from hubkeep.observatory.engine import ViewEngine
from hubkeep.observatory.reader.places import places_of
from hubkeep.observatory.schema import TABLES
from hubkeep.observatory.workbench import quoted

MEMORY: Final = 2 << 30
TABLES_OF_IT: Final = (*TABLES, "universe", "snapshots")
"""What a query can read: the tables of the schema, models with all that is derived, the 300 most
downloaded of them, and which snapshot it is.
"""


def main() -> None:
    """Prepare what standard input asks for."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    prepare(msgspec.json.decode(sys.stdin.buffer.read(), type=Preparation))
    sys.stdout.buffer.write(PREPARED)


def prepare(asked: Preparation) -> None:
    """Write the database of a snapshot: it is there whole or not at all."""
    target = Path(asked.target)
    making = target.with_name(f".making-{target.name}")
    making.unlink(missing_ok=True)
    shelf = asked.shelf
    known = Dimensions() if shelf.tables is None else Dimensions.with_own(Path(shelf.tables))
    duck = Duck()
    with ViewEngine(duck, places_of(shelf).selection, known) as engine:
        engine.query("SELECT id FROM universe LIMIT 0", {})
        duck.connection.execute("SET preserve_insertion_order = false")
        duck.connection.execute(f"ATTACH {quoted(making)} AS prepared")
        for name in TABLES_OF_IT:
            duck.connection.execute(f"CREATE TABLE prepared.{name} AS SELECT * FROM {name}")
        duck.connection.execute("DETACH prepared")
    making.rename(target)


if __name__ == "__main__":
    main()

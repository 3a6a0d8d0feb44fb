# SPDX-License-Identifier: Apache-2.0
"""What of a model is worked out here, and not by SQL: grams of emissions, and sizes of names."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from hubkeep.cards.emissions import emissions_grams
from hubkeep.observatory.names import CANDIDATE, parameters_of_name
from hubkeep.observatory.writing import Prepared

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

MAX_WRITTEN: Final = 200
_MAX_RAW: Final = 4096


def with_emissions(connection: "DuckDBPyConnection", select: str) -> str:
    """Return a SELECT that says in grams what `select` gives as `co2_raw`."""
    described = connection.execute(f"DESCRIBE {select}").fetchall()
    if "co2_raw" not in {row[0] for row in described}:
        return select
    import pyarrow as pa

    raw = f"left(CAST(co2_raw AS VARCHAR), {_MAX_RAW})"
    found = connection.execute(
        f"SELECT DISTINCT {raw} FROM ({select}) WHERE co2_raw IS NOT NULL"
    ).fetchall()
    said = [(text, *_emissions(text)) for (text,) in found]
    columns = {
        "raw": pa.array([one[0] for one in said], pa.string()),
        "grams": pa.array([one[1] for one in said], pa.float64()),
        "written": pa.array([one[2] for one in said], pa.string()),
    }
    _keep(connection, "known_co2", pa.table(columns))
    return (
        "SELECT told.* EXCLUDE (co2_raw), k.grams AS co2_grams, k.written AS co2_written "
        f"FROM ({select}) AS told LEFT JOIN known_co2 AS k ON k.raw = {raw}"
    )


def with_names(connection: "DuckDBPyConnection", models: Prepared) -> Prepared:
    """Fill in the parameters of models that nothing but their names tell of."""
    import pyarrow as pa

    found = connection.execute(
        f"SELECT id FROM {models.place} WHERE parameters IS NULL "
        f"AND regexp_matches(id, '{CANDIDATE}')"
    ).fetchall()
    sizes = [(repo_id, size) for (repo_id,) in found if (size := parameters_of_name(repo_id))]
    columns = {
        "id": pa.array([one[0] for one in sizes], pa.string()),
        "size": pa.array([one[1] for one in sizes], pa.int64()),
    }
    _keep(connection, "known_sizes", pa.table(columns))
    connection.execute(
        f"UPDATE {models.place} SET parameters = k.size, parameters_from = 'name' "
        f"FROM known_sizes AS k WHERE k.id = {models.place}.id"
    )
    return replace(models, missing=models.missing - {"parameters", "parameters_from"})


def _emissions(raw: str) -> tuple[float | None, str | None]:
    """What is written, which is JSON mostly, in grams and as text."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        value = raw
    said = emissions_grams({"co2_eq_emissions": value})
    if said is None:
        return None, None
    return said.grams, said.raw[:MAX_WRITTEN]


def _keep(connection: "DuckDBPyConnection", name: str, table: "pa.Table") -> None:
    connection.register("given", table)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given")
    connection.unregister("given")

# SPDX-License-Identifier: Apache-2.0
"""SQL that makes the tables of a snapshot of what was read of the hub."""

from collections.abc import Mapping
from typing import Final, Literal

from hubkeep.observatory.imports.api_tags import labels, lineage
from hubkeep.observatory.imports.shape import author
from hubkeep.observatory.imports.values import Values

Kind = Literal["model", "dataset", "space"]

# Which of the hub's kinds are which table.
_KINDS: Final[Mapping[str, Kind]] = {"models": "model", "datasets": "dataset", "spaces": "space"}

_COMMON: Final = f"""
  id, {author()} AS author, created_at, last_modified, downloads_30d, downloads_all, likes,
  trending, lower(license) AS license,
  -- Without a commit there are no files to measure.
  CASE WHEN has_head THEN size END AS size,
  used_storage, coalesce(nullif(gated, ''), 'no') AS gated, private, disabled, has_card"""
_OF_MODELS: Final = """,
  task, library, parameters,
  CASE WHEN parameters IS NOT NULL THEN parameters_from END AS parameters_from,
  co2_grams, co2_written,
  contains(weights, 'safetensors') AS has_safetensors,
  contains(weights, 'pickle') AS has_pickle,
  contains(weights, 'gguf') AS has_gguf,
  list_contains(tags, 'model-index') AS has_metrics"""
_MORE: Final = {"models": _OF_MODELS, "datasets": "", "spaces": ", sdk"}

# The tags of repositories as the imports read them.
_TAGS: Final = Values(
    {"id": "VARCHAR", "tags": "VARCHAR[]"},
    {"id": "id", "tags": "tags"},
)

ACCOUNTS: Final = "SELECT name, kind, org_type, fullname, created_at FROM people"


def repositories(table: str) -> str:
    """Return the SELECT of models, datasets or spaces from the view `seen`."""
    return f"SELECT {_COMMON}{_MORE[table]} FROM seen WHERE kind = '{_KINDS[table]}'"


def lineage_of_models() -> str:
    """Return the SELECT of base models, which their tags name with the relation."""
    return _from_seen("model", lineage(_TAGS))


def labels_of(table: str) -> str:
    """Return the SELECT of what repositories of this table name.

    Models and datasets name all of it in their tags; Spaces in the columns that were read of their
    cards.
    """
    kind = _KINDS[table]
    named = _from_seen(kind, labels(_TAGS, kind))
    if kind != "space":
        return named
    cards = " UNION ALL ".join(
        f"SELECT 'space' AS repo_type, id, '{what}' AS kind, unnest(list_distinct({column})) "
        "AS value FROM source"
        for what, column in (
            ("model", "models"),
            ("dataset", "datasets"),
            ("language", "languages"),
        )
    )
    return f"SELECT DISTINCT * FROM ({named} UNION ALL {_from_seen(kind, cards)})"


def _from_seen(kind: Kind, select: str) -> str:
    source = f"WITH source AS (SELECT * FROM seen WHERE kind = '{kind}')"
    return f"SELECT * FROM ({source} {select})"

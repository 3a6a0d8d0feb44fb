# SPDX-License-Identifier: Apache-2.0
"""Lists of repositories with the fields of the hub API: hub-stats as Parquet, CSV, JSON lines.

Which fields a file has, and whether a list is a list there or text, differs from file to file: the
SQL is put together from what is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Literal

from hubkeep.observatory.imports.api_tags import card_list, labels, lineage
from hubkeep.observatory.imports.fields import fields_of
from hubkeep.observatory.imports.files_of import flags_of
from hubkeep.observatory.imports.reading import Opened
from hubkeep.observatory.imports.shape import Shape, author, gated
from hubkeep.observatory.imports.values import Values

RepoType = Literal["model", "dataset", "space"]

_TABLES: Final[Mapping[RepoType, str]] = {
    "model": "models",
    "dataset": "datasets",
    "space": "spaces",
}
_OF_MODELS: Final = frozenset({"pipeline_tag", "library_name", "safetensors", "gguf", "baseModels"})
_PLAIN: Final = {
    "created_at": "createdAt",
    "last_modified": "lastModified",
    "downloads_30d": "downloads",
    "downloads_all": "downloadsAllTime",
    "likes": "likes",
    "trending": "trendingScore",
    "used_storage": "usedStorage",
    "private": "private",
    "disabled": "disabled",
}
# What a list of repositories has at least, besides ids, to be worth a snapshot.
_TELLING: Final = frozenset({"downloads", "likes", "tags", "createdAt", "lastModified"})


@dataclass(frozen=True, slots=True)
class _Reader:
    """SQL of columns of the schema, by name, as far as the file has them."""

    values: Values
    kind: RepoType

    def columns(self) -> dict[str, str]:
        values = self.values
        name = values.text("id")
        found = {"id": name, "author": author(name)}
        found |= {
            column: values.plain(field) for column, field in _PLAIN.items() if values.has(field)
        }
        if values.has("gated"):
            found["gated"] = gated(values.text("gated"))
        if license_of := self._license():
            found["license"] = license_of
        found |= self._of_files()
        if self.kind == "space" and values.has("sdk"):
            found["sdk"] = values.text("sdk")
        if self.kind == "model":
            found |= self._of_models()
        return found

    def _license(self) -> str:
        """The first that tags name, else the card, else a column of this name."""
        values, ways = self.values, []
        if values.has("tags"):
            named = (
                f"list_filter({values.strings('tags')}, lambda tag: starts_with(tag, 'license:'))"
            )
            ways.append(f"substr({named}[1], 9)")
        if values.has("cardData"):
            ways.append(f"{card_list(values, 'license')}[1]")
        if values.has("license"):
            ways.append(values.text("license"))
        return f"lower(coalesce({', '.join(ways)}))" if ways else ""

    def _of_files(self) -> dict[str, str]:
        values = self.values
        whole = f"TRY_CAST({values.text('mainSize')} AS BIGINT)" if values.has("mainSize") else ""
        if not values.has("siblings"):
            found = {"size": whole} if whole else {}
            if values.has("cardData"):
                card = f"{values.json('cardData')} IS NOT NULL"
                found["has_card"] = f"CASE WHEN {card} THEN true END"
            return found
        siblings = values.json("siblings")
        names = f"json_extract_string({siblings}, '$[*].rfilename')"
        sizes = f"TRY_CAST(json_extract({siblings}, '$[*].size') AS BIGINT[])"
        # A sum without the size of one file is no size.
        size = f"CASE WHEN len({sizes}) = len({names}) THEN list_sum({sizes}) END"
        if whole:
            size = f"coalesce({whole}, {size})"
        flags = flags_of(names)
        if self.kind != "model":
            return {"size": size, "has_card": flags["has_card"]}
        return {"size": size, **flags}

    def _of_models(self) -> dict[str, str]:
        values, found = self.values, {}
        if values.has("pipeline_tag"):
            found["task"] = values.text("pipeline_tag")
        if values.has("library_name"):
            found["library"] = values.text("library_name")
        if values.has("tags"):
            tags = values.strings("tags")
            found["has_metrics"] = f"list_contains({tags}, 'model-index')"
            if not values.has("siblings"):
                found["has_safetensors"] = f"list_contains({tags}, 'safetensors')"
                found["has_gguf"] = f"list_contains({tags}, 'gguf')"
                found["has_pickle"] = (
                    f"list_has_any({tags}, ['pytorch', 'pickle', 'joblib', 'sklearn'])"
                )
        found |= self._parameters()
        if values.has("cardData"):
            found["co2_raw"] = f"json_extract({values.json('cardData')}, '$.co2_eq_emissions')"
        if values.has("securityRepoStatus"):
            found["scan"] = _scan(values.json("securityRepoStatus"))
        return found

    def _parameters(self) -> dict[str, str]:
        ways = {
            name: f"TRY_CAST(({self.values.json(name)} ->> '$.total') AS BIGINT)"
            for name in ("safetensors", "gguf")
            if self.values.has(name)
        }
        if not ways:
            return {}
        # A total of zero is that of a header that could not be read.
        known = {name: f"nullif({sql}, 0)" for name, sql in ways.items()}
        cases = " ".join(f"WHEN {sql} IS NOT NULL THEN '{name}'" for name, sql in known.items())
        return {
            "parameters": f"coalesce({', '.join(known.values())})",
            "parameters_from": f"CASE {cases} END",
        }


def api_shape(opened: Opened) -> Shape | None:
    """Return the shape of a file that lists repositories; None where it does not.

    Whether of models, datasets or Spaces is told by its fields, else by its name.
    """
    fields = fields_of(opened.columns)
    if "id" not in fields or not (fields.keys() & _TELLING):
        return None
    kind = _repo_type(fields, opened.name)
    if kind is None:
        return None
    values = Values(opened.columns, fields)
    columns = ", ".join(f"{sql} AS {name}" for name, sql in _Reader(values, kind).columns().items())
    tables = {_TABLES[kind]: f"SELECT {columns} FROM source"}
    if kind == "model" and (edges := lineage(values)):
        tables["lineage"] = edges
    if named := labels(values, kind):
        tables["labels"] = named
    return Shape(
        name=f"list of {_TABLES[kind]}",
        what="one row for each repository, with the fields of the hub API",
        columns=frozenset(fields.values()),
        tables=tables,
        notes=()
        if kind != "model" or values.has("siblings")
        else ("What each model's weights are is known from its tags alone.",),
    )


def _repo_type(fields: Mapping[str, str], name: str) -> RepoType | None:
    if "sdk" in fields and not fields.keys() & _OF_MODELS:
        return "space"
    if fields.keys() & _OF_MODELS or fields["id"] in ("modelId", "model_id"):
        return "model"
    stem = PurePath(name).stem.lower()
    for kind in _TABLES:
        if kind in stem:
            return kind
    return "dataset" if "description" in fields else None


def _scan(status: str) -> str:
    levels = f"json_extract_string({status}, '$.filesWithIssues[*].level')"
    return (
        f"CASE WHEN list_contains({levels}, 'unsafe') THEN 'unsafe' "
        f"WHEN len({levels}) > 0 THEN 'suspicious' "
        f"WHEN ({status} ->> '$.scansDone') = 'true' THEN 'clean' END"
    )

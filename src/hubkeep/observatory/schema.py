# SPDX-License-Identifier: Apache-2.0
"""The tables of a snapshot: the same for every source, versioned, documented in
`docs/observatory/schema.md`.

All tables are flat: what a repository has several of (languages, base models) is a table of its
own, so that the SQL of figures is plain joins, on any engine. Times are UTC. A column that a source
does not have is null throughout, and the manifest says so: null is never zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

VERSION: Final = 1


class Kind(StrEnum):
    """Types of columns, in the words of DuckDB."""

    TEXT = "VARCHAR"
    WHOLE = "BIGINT"
    REAL = "DOUBLE"
    FLAG = "BOOLEAN"
    TIME = "TIMESTAMP"
    DAY = "DATE"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table of a snapshot."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    """Whether each row has it: rows without are left out, and counted."""
    choices: tuple[str, ...] = ()
    """All values that there are, of a text that is one of few."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a snapshot, which is one Parquet file; `order` is how its rows are sorted."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    order: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns, in order."""
        return tuple(column.name for column in self.columns)


RELATIONS: Final = ("finetune", "adapter", "quantized", "merge")
"""How a model can be derived from another."""

_ID = Column("id", Kind.TEXT, "namespace/name as written; old repositories have no namespace", True)
_COMMON = (
    _ID,
    Column("author", Kind.TEXT, "the namespace; null where the id has none"),
    Column("created_at", Kind.TIME, "when it was made, as the source says"),
    Column("last_modified", Kind.TIME, "when its content changed last"),
    Column("downloads_30d", Kind.WHOLE, "downloads in the 30 days before the snapshot"),
    Column("downloads_all", Kind.WHOLE, "downloads since it was made"),
    Column("likes", Kind.WHOLE, "likes"),
    Column("trending", Kind.REAL, "the source's own score of what is trending"),
    Column("license", Kind.TEXT, "the first licence it names, in lower case; null where none"),
    Column("size", Kind.WHOLE, "bytes of the files at the head of the default branch"),
    Column("used_storage", Kind.WHOLE, "bytes of all revisions"),
    Column("gated", Kind.TEXT, "who may read it", choices=("no", "auto", "manual")),
    Column("private", Kind.FLAG, "whether only its owners may see it"),
    Column("disabled", Kind.FLAG, "whether its hub has closed it"),
    Column("has_card", Kind.FLAG, "whether it has a card (README.md)"),
)

MODELS = Table(
    "models",
    "one row for each model",
    (
        *_COMMON,
        Column("task", Kind.TEXT, "its pipeline tag"),
        Column("library", Kind.TEXT, "the library that loads it"),
        Column("parameters", Kind.WHOLE, "number of parameters, as far as it is known"),
        Column(
            "parameters_from",
            Kind.TEXT,
            "how it is known: from the headers of its files, from its author, or from its name",
            choices=("safetensors", "gguf", "declared", "name"),
        ),
        Column(
            "co2_grams", Kind.REAL, "reported emissions of its training, grams of CO2 equivalent"
        ),
        Column(
            "co2_written", Kind.TEXT, "what its card says of them, as written, at most 200 letters"
        ),
        Column("has_safetensors", Kind.FLAG, "whether it has weights as safetensors"),
        Column("has_pickle", Kind.FLAG, "whether it has weights as pickle (.bin, .pt, .ckpt, ...)"),
        Column("has_gguf", Kind.FLAG, "whether it has weights as GGUF"),
        Column("has_metrics", Kind.FLAG, "whether its card reports results"),
        Column(
            "scan",
            Kind.TEXT,
            "what the hub's scanner found",
            choices=("clean", "suspicious", "unsafe"),
        ),
    ),
    ("id",),
)

DATASETS = Table("datasets", "one row for each dataset", _COMMON, ("id",))

SPACES = Table(
    "spaces",
    "one row for each Space",
    (*_COMMON, Column("sdk", Kind.TEXT, "what runs it: static, gradio, docker, ...")),
    ("id",),
)

ACCOUNTS = Table(
    "accounts",
    "one row for each user and organisation that the source tells of",
    (
        Column("name", Kind.TEXT, "the namespace", True),
        Column("kind", Kind.TEXT, "what it is", choices=("user", "org")),
        Column(
            "org_type",
            Kind.TEXT,
            "what an organisation calls itself",
            choices=(
                "company",
                "university",
                "non-profit",
                "government",
                "community",
                "classroom",
            ),
        ),
        Column("fullname", Kind.TEXT, "the name it shows"),
        Column("created_at", Kind.TIME, "when it signed up"),
    ),
    ("name",),
)

LINEAGE = Table(
    "lineage",
    "one row for each base model that a model names",
    (
        Column("child", Kind.TEXT, "the model that is derived", True),
        Column("parent", Kind.TEXT, "the model that it names as its base", True),
        Column("relation", Kind.TEXT, "how it is derived; null where untold", choices=RELATIONS),
    ),
    ("child", "parent"),
)

LABELS = Table(
    "labels",
    "one row for each language, dataset, paper or further licence that a repository names",
    (
        Column("repo_type", Kind.TEXT, "what it is", True, ("model", "dataset", "space")),
        Column("id", Kind.TEXT, "the repository", True),
        Column(
            "kind",
            Kind.TEXT,
            "what is named",
            True,
            ("language", "dataset", "paper", "license", "model"),
        ),
        Column("value", Kind.TEXT, "what it names, as written", True),
    ),
    ("repo_type", "kind", "id", "value"),
)

EVENTS = Table(
    "events",
    "one row for each model that came or went between two looks at the source",
    (
        Column("id", Kind.TEXT, "the model", True),
        Column("event", Kind.TEXT, "what became of it", True, ("added", "deleted")),
        Column("day", Kind.DAY, "the day of the later look", True),
        Column("relation", Kind.TEXT, "how it is derived, if it is", choices=RELATIONS),
        Column("parent", Kind.TEXT, "the base model that it named"),
    ),
    ("day", "event", "id"),
)

TABLES: Final[Mapping[str, Table]] = {
    table.name: table for table in (MODELS, DATASETS, SPACES, ACCOUNTS, LINEAGE, LABELS, EVENTS)
}

# SPDX-License-Identifier: Apache-2.0
"""What Hubkeep itself knows of licences, namespaces and tasks: tables of its own, shipped with it.

They are opinions, with a source for each row; their hash stands in every output that used them.
A hub may have rows of its own, which win: `Dimensions.with_own`. docs/observatory/tables.md says
what each table has.
"""

import csv
import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER: Final = Path(__file__).parent / "tables"

ORG_TYPES: Final = (
    "company",
    "university",
    "non-profit",
    "government",
    "community",
    "classroom",
    "individual",
    "other",
)
LICENSE_CLASSES: Final = (
    "permissive",
    "copyleft",
    "noncommercial",
    "rail",
    "model-custom",
    "other",
    "none",
)
REGIONS: Final = ("us", "china", "eu", "other", "unknown")
"""`eu` is Europe, with the United Kingdom, Switzerland and Norway; `other` is the rest of the
world, `unknown` where nobody has said.
"""
NONE: Final = "(none)"

_KEYS: Final = {
    "aliases": "old",
    "entities": "namespace",
    "licences": "pattern",
    "modalities": "task",
    "org_types": "namespace",
    "training": "model",
}
"""The tables, and the column that tells a row of each. That of comparisons, which lies beside them,
is of `cards.comparisons`.
"""

_NEEDED: Final = {
    "aliases": ("new",),
    "entities": ("entity",),
    "licences": ("match", "class"),
    "modalities": ("modality",),
    "org_types": ("org_type", "region"),
    "training": ("parameters", "tokens"),
}
_AMOUNTS: Final = ("parameters", "tokens")
_CHOICES: Final[Mapping[tuple[str, str], Sequence[str]]] = {
    ("licences", "match"): ("exact", "like"),
    ("licences", "class"): LICENSE_CLASSES,
    ("org_types", "org_type"): ORG_TYPES,
    ("org_types", "region"): REGIONS,
}


class BadTable(ValueError):
    """A table of a hub's own that cannot be read; the text says which row and what to do."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """What is known of a namespace beyond its name."""

    org_type: str
    region: str


@dataclass(frozen=True, slots=True)
class Training:
    """What a model was trained with, as its makers say: parameters that take part in each step (of
    a mixture of experts those that are active), and tokens that it saw.
    """

    parameters: int
    tokens: int


@dataclass(frozen=True)
class Dimensions:
    """The tables, read from a folder, and from that of a hub's own, whose rows win."""

    folder: Path = FOLDER
    own: Path | None = None

    @classmethod
    def with_own(cls, folder: Path) -> "Dimensions":
        """Return the tables with further rows of a hub's own: `folder`/org_types.csv and so on.

        A row of the hub's own stands for ours of the same key; nothing has to be there. Reading
        them raises BadTable.
        """
        return cls(own=folder if folder.is_dir() else None)

    @cached_property
    def digest(self) -> str:
        """sha256 over all files, by name, the hub's own last."""
        digest = hashlib.sha256()
        for path in [*sorted(self.folder.glob("*.csv")), *self._own_files()]:
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    @cached_property
    def namespaces(self) -> Mapping[str, Namespace]:
        """By name, in lower case."""
        return {
            name.lower(): Namespace(row["org_type"], row["region"])
            for name, row in self._table("org_types").items()
        }

    @cached_property
    def entities(self) -> Mapping[str, str]:
        """The entity that a namespace belongs to, by name in lower case."""
        return {name.lower(): row["entity"] for name, row in self._table("entities").items()}

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """The id that a former id has now; one without a slash had no namespace."""
        return {old: new for old, new in self._moves.items() if "/" in new}

    @cached_property
    def renames(self) -> Mapping[str, str]:
        """The name that a former namespace has now."""
        return {old: new for old, new in self._moves.items() if "/" not in new}

    @cached_property
    def modalities(self) -> Mapping[str, str]:
        """The modality of a task."""
        return {task: row["modality"] for task, row in self._table("modalities").items()}

    @cached_property
    def training(self) -> Mapping[str, Training]:
        """What is known of how models were trained, by id."""
        return {
            model: Training(
                int(float(row.get("active") or row["parameters"])), int(float(row["tokens"]))
            )
            for model, row in self._table("training").items()
        }

    def resolved(self, authors: Sequence[str], self_assigned: Mapping[str, str]) -> "pa.Table":
        """Return what is known of each namespace, or id without one, that anything is known of.

        An id without a namespace is given with a slash before it, as `/gpt2`: an account may be
        called the same. Columns: author (as given), namespace, entity, org_type, org_type_from
        (self_assigned before curated), region. A type that an organisation gives itself counts if
        it is one of ORG_TYPES.
        """
        import pyarrow as pa

        rows = [row for row in (self._resolved(name, self_assigned) for name in authors) if row]
        names = ("author", "namespace", "entity", "org_type", "org_type_from", "region")
        return pa.table(
            {
                name: pa.array([row[at] for row in rows], pa.string())
                for at, name in enumerate(names)
            }
        )

    def _resolved(self, author: str, told: Mapping[str, str]) -> tuple[str | None, ...] | None:
        namespace = self._namespace(author)
        if namespace is None:
            return None
        curated = self.namespaces.get(namespace.lower())
        own = told.get(author) or told.get(namespace)
        own = own if own in ORG_TYPES else None
        entity = self.entities.get(namespace.lower())
        if curated is None and own is None and entity is None and namespace == author:
            return None
        org_type = own or (curated.org_type if curated else None)
        told_by = "self_assigned" if own else "curated" if curated else None
        region = curated.region if curated else None
        return author, namespace, entity or namespace, org_type, told_by, region

    def _namespace(self, author: str) -> str | None:
        """The present namespace of an author, or of an id without one, as `resolved` has them."""
        if not author.startswith("/"):
            return self.renames.get(author, author)
        new = self.aliases.get(author[1:])
        return new.partition("/")[0] if new else None

    def license_class(self, name: str | None) -> str:
        """Return the class of a licence as written: the first row of the table that fits."""
        name = NONE if name is None else name.lower()
        return next((kind for fits, kind in self._licenses if fits.fullmatch(name)), "other")

    @cached_property
    def _licenses(self) -> list[tuple[re.Pattern[str], str]]:
        return [
            (_pattern(row["pattern"], row["match"]), row["class"])
            for row in self._table("licences").values()
        ]

    @cached_property
    def _moves(self) -> Mapping[str, str]:
        return {old: row["new"] for old, row in self._table("aliases").items()}

    def _table(self, name: str) -> dict[str, dict[str, str]]:
        """The rows of a table by key, the hub's own first."""
        key, found = _KEYS[name], dict[str, dict[str, str]]()
        own = [path for path in self._own_files() if path.name == f"{name}.csv"]
        for path in [*own, self.folder / f"{name}.csv"]:
            for row in _rows(path, name):
                found.setdefault(row[key].lower() if key == "namespace" else row[key], row)
        return found

    def _own_files(self) -> list[Path]:
        if self.own is None:
            return []
        return [path for name in _KEYS if (path := self.own / f"{name}.csv").is_file()]


def _rows(path: Path, name: str) -> Iterator[dict[str, str]]:
    wanted = (_KEYS[name], *_NEEDED[name])
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            missing = [one for one in wanted if one not in (reader.fieldnames or ())]
            if missing:
                raise BadTable(f"{path} has no column {missing[0]}; it needs {', '.join(wanted)}")
            for row in reader:
                wrong = _wrong(name, row, wanted)
                if wrong:
                    raise BadTable(f"{path}, line {reader.line_num}: {wrong}")
                yield {"source": "", **row}
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadTable(f"{path} is no CSV in UTF-8: {error}") from error


def _wrong(name: str, row: Mapping[str, str], wanted: Sequence[str]) -> str | None:
    """What is wrong with a row, and how it would be right."""
    for column in wanted:
        value, choices = row[column], _CHOICES.get((name, column))
        if not value or value != value.strip():
            return f"{column} is empty or has spaces around it"
        if choices and value not in choices:
            return f"{column} is {value!r}; it must be one of {', '.join(choices)}"
        if column in _AMOUNTS and not _is_amount(value):
            return f"{column} is {value!r}; it must be a number above zero"
    if row.get("active") and not _is_amount(row["active"]):
        return f"active is {row['active']!r}; it must be a number above zero, or empty"
    return None


def _is_amount(text: str) -> bool:
    try:
        return 0 < float(text) < math.inf
    except ValueError:
        return False


def _pattern(text: str, match: str) -> re.Pattern[str]:
    """`exact`, or `like` with `%` for any letters."""
    if match == "exact":
        return re.compile(re.escape(text))
    return re.compile(".*".join(re.escape(part) for part in text.split("%")))

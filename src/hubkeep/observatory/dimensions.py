# SPDX-License-Identifier: Apache-2.0
"""What Hubkeep itself knows of licences, namespaces and tasks: tables of its own, shipped with it.

They are opinions, with a source for each row; their hash stands in every output that used them.
"""

import csv
import hashlib
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
NONE: Final = "(none)"


@dataclass(frozen=True, slots=True)
class Namespace:
    """What is known of a namespace beyond its name."""

    org_type: str
    region: str


@dataclass(frozen=True)
class Dimensions:
    """The tables, read from a folder."""

    folder: Path = FOLDER

    @cached_property
    def digest(self) -> str:
        """sha256 over all files, by name."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.glob("*.csv")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    @cached_property
    def namespaces(self) -> Mapping[str, Namespace]:
        """By name, in lower case."""
        return {
            row["namespace"].lower(): Namespace(row["org_type"], row["region"])
            for row in self._rows("org_types")
        }

    @cached_property
    def entities(self) -> Mapping[str, str]:
        """The entity that a namespace belongs to, by name in lower case."""
        return {row["namespace"].lower(): row["entity"] for row in self._rows("entities")}

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """The id or namespace that a former one has now."""
        return {row["old"]: row["new"] for row in self._rows("aliases")}

    @cached_property
    def modalities(self) -> Mapping[str, str]:
        """The modality of a task."""
        return {row["task"]: row["modality"] for row in self._rows("modalities")}

    def resolved(self, authors: Sequence[str], self_assigned: Mapping[str, str]) -> "pa.Table":
        """Return what is known of each namespace, or id without one, that anything is known of.

        Columns: author, namespace, entity, org_type, org_type_from (self_assigned before curated),
        region. A type that an organisation gives itself counts if it is one of ORG_TYPES.
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
        namespace = self.aliases.get(author, author).partition("/")[0]
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

    def license_class(self, name: str | None) -> str:
        """Return the class of a licence as written: the first row of the table that fits."""
        name = NONE if name is None else name.lower()
        return next((kind for fits, kind in self._licenses if fits.fullmatch(name)), "other")

    @cached_property
    def _licenses(self) -> list[tuple[re.Pattern[str], str]]:
        return [
            (_pattern(row["pattern"], row["match"]), row["class"]) for row in self._rows("licences")
        ]

    def _rows(self, name: str) -> Iterator[dict[str, str]]:
        with (self.folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _pattern(text: str, match: str) -> re.Pattern[str]:
    """`exact`, or `like` with `%` for any letters."""
    if match == "exact":
        return re.compile(re.escape(text))
    return re.compile(".*".join(re.escape(part) for part in text.split("%")))

# SPDX-License-Identifier: Apache-2.0
"""What Hubkeep itself knows of licences, namespaces and tasks: tables of its own, shipped with it.

They are opinions, with a source for each row; their hash stands in every output that used them.
"""

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

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

    def license_class(self, license: str | None) -> str:
        """Return the class of a licence as written: the first row of the table that fits."""
        name = NONE if license is None else license.lower()
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

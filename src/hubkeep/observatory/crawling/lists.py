# SPDX-License-Identifier: Apache-2.0
"""The lists of a hub that are read, what is asked of each, and what of a row is kept.

Only what becomes a column, a base model or a label is kept, so that the rows of a large hub are
some gigabytes and not some hundred.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from hubkeep.observatory.cleaning import MAX_ID, MOST
from hubkeep.observatory.imports.files_of import is_telling

Table = Literal["models", "datasets", "spaces"]

_COMMON: Final = (
    "createdAt",
    "lastModified",
    "likes",
    "trendingScore",
    "usedStorage",
    "mainSize",
    "private",
    "disabled",
    "tags",
    "cardData",
    "siblings",
)
_DOWNLOADED: Final = ("downloads", "downloadsAllTime", "gated")
_CARD: Final = (
    "license",
    "co2_eq_emissions",
    "language",
    "datasets",
    "base_model",
    "base_model_relation",
)
_ID: Final = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
_LARGEST: Final = 1 << 20
_MOST_FILES: Final = 10_000
HEAVY: Final = frozenset({"siblings"})
"""Fields that some hubs do not give in lists, since they are much work."""


@dataclass(frozen=True, slots=True)
class List:
    """A list of a hub, which becomes the table of the same name; `fields` are all that tell."""

    name: Table
    fields: tuple[str, ...]

    @property
    def path(self) -> str:
        """Where hubs have it."""
        return f"/api/{self.name}"


LISTS: Final[Mapping[Table, List]] = {
    one.name: one
    for one in (
        List(
            "models",
            (*_COMMON, *_DOWNLOADED, "pipeline_tag", "library_name", "safetensors", "gguf"),
        ),
        List("datasets", (*_COMMON, *_DOWNLOADED)),
        List("spaces", (*_COMMON, "sdk", "models", "datasets")),
    )
}


@dataclass(frozen=True, slots=True)
class Row:
    """A repository as it is kept: one line of JSON without what is null."""

    id: str
    downloads: int
    line: bytes
    told: frozenset[str]
    """The fields that the hub has of it, also where they are null."""


def row_of(asked: List, said: object, has_token: bool) -> Row | str:
    """Return what is kept of an object of a list, or why nothing is.

    What is private stays out. A token may show more than everybody sees: with one, only what is
    said to be public is kept.
    """
    if not isinstance(said, dict):
        return "no usable id"
    name = said.get("id") or said.get("modelId")
    if not isinstance(name, str) or len(name) > MAX_ID or not _ID.fullmatch(name):
        return "no usable id"
    private = said.get("private")
    if private is True:
        return "private"
    if private is not False and (has_token or private is not None):
        return "not said to be public"
    told = {field: said[field] for field in asked.fields if field in said}
    kept = {field: value for field, value in told.items() if value is not None}
    kept |= {field: cut(kept[field]) for field, cut in _CUTS.items() if field in kept}
    line = msgspec.json.encode({"id": name, **kept})
    if len(line) > _LARGEST:
        return "more than 1 MB of fields"
    downloads = said.get("downloads")
    is_number = isinstance(downloads, int) and 0 <= downloads <= MOST
    return Row(name, int(downloads) if is_number else 0, line, frozenset(told))


def _card(said: object) -> object:
    return {key: said[key] for key in _CARD if key in said} if isinstance(said, dict) else None


def _total(said: object) -> object:
    return {"total": said.get("total")} if isinstance(said, dict) else None


def _files(said: object) -> object:
    if not isinstance(said, list):
        return None
    names = [one.get("rfilename") for one in said if isinstance(one, dict)]
    telling = [name for name in names if isinstance(name, str) and is_telling(name)]
    return [{"rfilename": name} for name in telling[:_MOST_FILES]]


_CUTS: Final = {"cardData": _card, "safetensors": _total, "gguf": _total, "siblings": _files}

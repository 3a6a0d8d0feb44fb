# SPDX-License-Identifier: Apache-2.0
"""What a list page is asked for, and the address that asks for it.

The parameters are those of the API's lists (`repos/api_list_query.py`) and mean the same. On top of
them kinds of tags have a parameter of their own, as on huggingface.co: `license=mit` is
`filter=license:mit`. An address that a page writes always says a tag in one way, so that what was
chosen can be taken away again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlencode

import msgspec

from hubkeep.cards.spaces import SDKS
from hubkeep.repos.api_list_query import QUERIES, ListQuery
from hubkeep.repos.search_tags import kind_of_tag
from hubkeep.repos.types import RepoType

SDK = "sdk"
# The kinds of tags with a parameter, and what stands before the value in the tag itself.
OWN_PARAMETERS: Mapping[RepoType, Mapping[str, str]] = {
    RepoType.MODEL: {"library": "", "license": "license:", "language": ""},
    RepoType.DATASET: {
        name: f"{name}:"
        for name in ("task_categories", "size_categories", "modality", "license", "language")
    },
    RepoType.SPACE: {SDK: "", "license": "license:"},
    RepoType.KERNEL: {"license": "license:"},
}
# What huggingface.co calls the orders of its pages; the API has names of its own.
_SORT_ALIASES = {"trending": "trendingScore", "created": "createdAt", "modified": "lastModified"}


class _Address(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of every list page; `all` names the facet that is shown in full."""

    search: tuple[str, ...] = ()
    author: str = ""
    filter: tuple[str, ...] = ()
    license: tuple[str, ...] = ()
    sort: str = ""
    direction: Literal[-1, 1] = -1
    cursor: str | None = None
    all: str | None = None
    format: Literal["html", "json"] | None = None


class _DatasetAddress(_Address, frozen=True, kw_only=True):
    gated: bool | None = None
    task_categories: tuple[str, ...] = ()
    size_categories: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    language: tuple[str, ...] = ()


class _ModelAddress(_Address, frozen=True, kw_only=True):
    gated: bool | None = None
    pipeline_tag: str = ""
    num_parameters: str = ""
    library: tuple[str, ...] = ()
    language: tuple[str, ...] = ()


class _SpaceAddress(_Address, frozen=True, kw_only=True):
    sdk: tuple[str, ...] = ()


ADDRESSES: Mapping[RepoType, type[_Address]] = {
    RepoType.MODEL: _ModelAddress,
    RepoType.DATASET: _DatasetAddress,
    RepoType.SPACE: _SpaceAddress,
    RepoType.KERNEL: _Address,
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen on a list page: each of its parts can be taken away, and set again."""

    kind: RepoType
    search: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()
    pipeline_tag: str = ""
    num_parameters: str = ""
    gated: bool | None = None
    sort: str = ""
    ascending: bool = False

    @property
    def page(self) -> str:
        """The address of the list without any choice."""
        return f"/{self.kind.plural}"

    @property
    def has_filters(self) -> bool:
        return replace(self, sort="", ascending=False) != Choices(self.kind)

    def with_tag(self, tag: str) -> "Choices":
        """Add a tag, or take it away if it is there."""
        if tag in self.tags:
            return replace(self, tags=tuple(one for one in self.tags if one != tag))
        return replace(self, tags=(*self.tags, tag))

    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters that say so, each tag in the one way that pages write."""
        return list(_pairs(self))

    def href(self, **more: str) -> str:
        """Return the address of the list, with parameters that are no choices (cursor, all)."""
        query = urlencode([*self.pairs(), *more.items()])
        return f"{self.page}?{query}" if query else self.page

    def query(self) -> ListQuery:
        """Return the query of the API's list that asks for this."""
        given = {
            "search": (self.search,),
            "author": self.author,
            "filter": self.tags,
            "sort": self.sort or None,
            "direction": 1 if self.ascending else -1,
            "pipeline_tag": self.pipeline_tag or None,
            "num_parameters": self.num_parameters or None,
            "gated": self.gated,
        }
        known = QUERIES[self.kind]
        return msgspec.convert(
            {name: it for name, it in given.items() if name in known.__struct_fields__}, known
        )


def choices_of(kind: RepoType, address: _Address) -> Choices:
    """Return what an address chose."""
    tags = list(_split(address.filter))
    for name, prefix in OWN_PARAMETERS[kind].items():
        values = _split(getattr(address, name))
        tags += [value if value.startswith(prefix) else prefix + value for value in values]
    return Choices(
        kind,
        search=" ".join(" ".join(address.search).split()),
        author=address.author,
        tags=tuple(dict.fromkeys(tags)),
        pipeline_tag=getattr(address, "pipeline_tag", ""),
        num_parameters=getattr(address, "num_parameters", ""),
        gated=getattr(address, "gated", None),
        sort=_SORT_ALIASES.get(address.sort, address.sort),
        ascending=address.direction == 1,
    )


def parameter_of(kind: RepoType, tag: str) -> tuple[str, str]:
    """Return the parameter that a page writes for a tag, and its value."""
    own = OWN_PARAMETERS[kind]
    name = SDK if kind is RepoType.SPACE and tag in SDKS else kind_of_tag(kind, tag)
    if name in own:
        return name, tag.removeprefix(own[name])
    return "filter", tag


def _pairs(choices: Choices) -> Iterator[tuple[str, str]]:
    if choices.search:
        yield "search", choices.search
    if choices.author:
        yield "author", choices.author
    if choices.pipeline_tag:
        yield "pipeline_tag", choices.pipeline_tag
    for tag in choices.tags:
        yield parameter_of(choices.kind, tag)
    if choices.num_parameters:
        yield "num_parameters", choices.num_parameters
    if choices.gated is not None:
        yield "gated", "true" if choices.gated else "false"
    if choices.sort:
        yield "sort", choices.sort
    if choices.ascending:
        yield "direction", "1"


def _split(values: Sequence[str]) -> Iterator[str]:
    return (part.strip() for value in values for part in value.split(",") if part.strip())

# SPDX-License-Identifier: Apache-2.0
"""What a list can be narrowed by: kinds of tags with how many have each, and each its address.

Counts are those of all public repositories of the type, whatever else is chosen: they stand in a
table of their own. Counting what fits the other choices too would be work that grows with the hub.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.cards.spaces import SDKS
from hubkeep.repos.queries_list_tags import TagCount, common_tags
from hubkeep.repos.search_tags import OTHER, is_format, kind_of_tag, label_of_tag
from hubkeep.repos.types import RepoType
from hubkeep.web.list_choices import SDK, Choices

SHOWN = 8
SHOWN_IN_FULL = 300
# So many are asked for where one kind of tags makes two facets.
_OF_A_MIXED_KIND = 60

_SIZES = (
    ("under 100M", "max:100M"),
    ("100M to 1B", "min:100M,max:1B"),
    ("1B to 5B", "min:1B,max:5B"),
    ("5B to 15B", "min:5B,max:15B"),
    ("15B to 50B", "min:15B,max:50B"),
    ("50B to 200B", "min:50B,max:200B"),
    ("over 200B", "min:200B"),
)
_ACCESS = (("open to all", False), ("gated", True))
SIZE_NAMES = {value: name for name, value in _SIZES}
ACCESS_NAMES = {value: name for name, value in _ACCESS}


class Choice(msgspec.Struct, rename="camel"):
    """One value: `href` chooses it, or takes it away if it is on; `count` null: nobody counted."""

    name: str
    href: str
    is_on: bool = False
    count: int | None = None


class Facet(msgspec.Struct, rename="camel"):
    """Values of one kind, commonest first; `all` leads to more of them, null if these are all."""

    name: str
    key: str
    choices: Sequence[Choice]
    is_open: bool = False
    all: str | None = None


@dataclass(frozen=True, slots=True)
class _Tags:
    """A facet of tags of one kind, as the table of counts has it; `fits` picks some of them."""

    name: str
    key: str
    kind: str
    fits: Callable[[str], bool] | None = None


def _no_format(tag: str) -> bool:
    return not is_format(tag)


_LICENCE = _Tags("Licence", "license", "license")
_LANGUAGE = _Tags("Language", "language", "language")
_OTHER = _Tags("Other tags", OTHER, OTHER)
_SIZE, _GATED = "num_parameters", "gated"
_FACETS: dict[RepoType, tuple[_Tags | str, ...]] = {
    RepoType.MODEL: (
        _Tags("Task", "pipeline_tag", "pipeline_tag"),
        _Tags("Library", "library", "library", _no_format),
        _SIZE,
        _LICENCE,
        _LANGUAGE,
        _Tags("File format", "format", "library", is_format),
        _GATED,
        _OTHER,
    ),
    RepoType.DATASET: (
        _Tags("Task", "task_categories", "task_categories"),
        _Tags("Modality", "modality", "modality"),
        _Tags("Rows", "size_categories", "size_categories"),
        _Tags("File format", "format", "format"),
        _LICENCE,
        _LANGUAGE,
        _GATED,
        _OTHER,
    ),
    RepoType.SPACE: (
        _Tags("SDK", SDK, OTHER, SDKS.__contains__),
        _LICENCE,
        _Tags("Other tags", OTHER, OTHER, lambda tag: tag not in SDKS),
    ),
    RepoType.KERNEL: (_LICENCE, _OTHER),
}


def facets_of(conn: Connection, choices: Choices, in_full: str | None) -> list[Facet]:
    """Return the facets of a list; `in_full` names the one of which more is shown. 400."""
    wanted = _FACETS[choices.kind]
    keys = [one.key for one in wanted if isinstance(one, _Tags)]
    if in_full is not None and in_full not in keys:
        raise errors.bad_request(f'"all" must be one of [{", ".join(keys)}]')
    counts = _counts(conn, choices.kind, in_full)
    facets = [
        _tag_facet(choices, one, counts, in_full)
        if isinstance(one, _Tags)
        else _fixed(choices, one)
        for one in wanted
    ]
    for facet in facets[:2]:
        facet.is_open = True
    return [facet for facet in facets if facet.choices]


def _counts(conn: Connection, kind: RepoType, in_full: str | None) -> list[TagCount]:
    tags = [one for one in _FACETS[kind] if isinstance(one, _Tags)]
    most = {one.kind: _OF_A_MIXED_KIND if one.fits else SHOWN + 2 for one in tags}
    most |= {one.kind: SHOWN_IN_FULL + 1 for one in tags if one.key == in_full}
    found = {
        (one.kind, one.tag): one
        for number in set(most.values())
        for one in common_tags(conn, kind, [it for it in most if most[it] == number], number)
    }
    return sorted(found.values(), key=lambda one: (-one.count, one.tag))


def _tag_facet(
    choices: Choices, facet: _Tags, counts: Sequence[TagCount], in_full: str | None
) -> Facet:
    fits = facet.fits or (lambda _tag: True)
    # A comma would part it into two: the API's lists cannot be asked for such a tag either.
    known = {
        one.tag: one.count
        for one in counts
        if one.kind == facet.kind and fits(one.tag) and "," not in one.tag
    }
    chosen = [tag for tag in _chosen(choices, facet) if fits(tag)]
    most = SHOWN_IN_FULL if facet.key == in_full else SHOWN
    tags = dict.fromkeys([*chosen, *list(known)[:most]])
    return Facet(
        facet.name,
        facet.key,
        [_tag_choice(choices, facet, tag, known.get(tag)) for tag in tags],
        is_open=bool(chosen) or facet.key == in_full,
        all=choices.href(all=facet.key) if len(known) > SHOWN and facet.key != in_full else None,
    )


def _chosen(choices: Choices, facet: _Tags) -> list[str]:
    if facet.key == "pipeline_tag":
        return [choices.pipeline_tag] if choices.pipeline_tag else []
    return [tag for tag in choices.tags if kind_of_tag(choices.kind, tag) == facet.kind]


def _tag_choice(choices: Choices, facet: _Tags, tag: str, count: int | None) -> Choice:
    name = label_of_tag(facet.kind, tag)
    if facet.key == "pipeline_tag":
        is_on = tag == choices.pipeline_tag
        href = replace(choices, pipeline_tag="" if is_on else tag).href()
        return Choice(name.replace("-", " "), href, is_on, count)
    if facet.key == "task_categories":
        name = name.replace("-", " ")
    return Choice(name, choices.with_tag(tag).href(), tag in choices.tags, count)


def _fixed(choices: Choices, which: str) -> Facet:
    if which == _GATED:
        found = [
            Choice(name, replace(choices, gated=None if is_on else value).href(), is_on)
            for name, value in _ACCESS
            for is_on in (choices.gated is value,)
        ]
        return Facet("Access", _GATED, found, is_open=choices.gated is not None)
    found = [
        Choice(name, replace(choices, num_parameters="" if is_on else value).href(), is_on)
        for name, value in _SIZES
        for is_on in (choices.num_parameters == value,)
    ]
    return Facet("Size in parameters", _SIZE, found, is_open=bool(choices.num_parameters))

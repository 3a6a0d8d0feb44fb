# SPDX-License-Identifier: Apache-2.0
"""What a list asks for, who asks, and a place in it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec

from hubkeep.repos.search_terms import (
    Terms,
    can_be_in_a_name,
    class_of,
    gated_term,
    linked_term,
    owner_term,
    size_terms,
    tag_term,
    task_term,
    used_term,
    word_terms,
)
from hubkeep.repos.types import RepoType

_MOST = 2**62
Key = Annotated[int, msgspec.Meta(ge=-_MOST, le=_MOST)] | float


class Sort(StrEnum):
    """What a list is ordered by; the values are columns of `repos`. Ties are broken by id."""

    CREATED = "created_at"
    MODIFIED = "last_modified"
    DOWNLOADS = "downloads"
    LIKES = "likes"
    TRENDING = "trending"
    SIZE = "used_storage"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A list: all of these hold for each repository in it. `words` and `tags` are conjunctions."""

    type: RepoType
    words: tuple[str, ...] = ()
    """In lower case; each is part of the id."""
    owner_id: int | None = None
    tags: tuple[str, ...] = ()
    pipeline_tag: str | None = None
    gated: bool | None = None
    least_parameters: int | None = None
    most_parameters: int | None = None
    datasets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    linked: bool = False
    private: bool | None = None
    """Only those that are private, or only those that are not."""
    sort: Sort = Sort.TRENDING
    ascending: bool = False

    @property
    def counts_parameters(self) -> bool:
        return self.least_parameters is not None or self.most_parameters is not None

    @property
    def is_plain(self) -> bool:
        """Whether every repository of the type and its sides belongs to the list."""
        return self == Wanted(
            self.type, private=self.private, sort=self.sort, ascending=self.ascending
        )

    @property
    def is_impossible(self) -> bool:
        """Whether no repository can be in the list, whatever there is."""
        most = self.most_parameters
        if most is not None and most < max(self.least_parameters or 0, 1):
            return True
        return not all(can_be_in_a_name(word) for word in self.words)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose eyes a list is for: of private repositories it shows those of `owners`."""

    owners: tuple[int, ...] = ()
    sees_all: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One half of the hub as a viewer sees it: the public one, or what is private and theirs."""

    private: bool
    owners: tuple[int, ...] | None = None
    """Whose repositories alone are on this side; None for everybody's."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A place in a list: after the repository with this sort key and id."""

    key: Key
    id: Annotated[int, msgspec.Meta(ge=0, le=_MOST)]


def sides_of(viewer: Viewer, wanted: Wanted) -> tuple[Side, ...]:
    """Return the sides on which the viewer may find what is wanted."""
    sides = _seen(viewer, wanted)
    return tuple(side for side in sides if wanted.private in (None, side.private))


def _seen(viewer: Viewer, wanted: Wanted) -> tuple[Side, ...]:
    public = Side(private=False)
    if viewer.sees_all:
        return public, Side(private=True)
    owners = viewer.owners
    if wanted.owner_id is not None:
        owners = tuple(owner for owner in owners if owner == wanted.owner_id)
    return (public, Side(private=True, owners=owners)) if owners else (public,)


def terms_on(side: Side, wanted: Wanted) -> Terms:
    """Return the terms that every repository of the list has on this side."""
    letter = class_of(wanted.type, side.private)
    groups: list[tuple[str, ...]] = [(tag_term(letter, tag),) for tag in wanted.tags]
    if wanted.pipeline_tag is not None:
        groups.append((task_term(letter, wanted.pipeline_tag),))
    if wanted.owner_id is not None:
        groups.append((owner_term(letter, wanted.owner_id),))
    elif side.owners is not None:
        groups.append(tuple(owner_term(letter, owner) for owner in side.owners))
    if wanted.gated:
        groups.append((gated_term(letter),))
    if wanted.counts_parameters:
        groups.append(size_terms(letter, wanted.least_parameters or 0, wanted.most_parameters))
    groups += [(used_term(letter, "dataset", name),) for name in wanted.datasets]
    groups += [(used_term(letter, "model", name),) for name in wanted.models]
    if wanted.linked:
        groups.append((linked_term(letter),))
    for word in wanted.words:
        groups += [(term,) for term in word_terms(letter, word)]
    return Terms(tuple(groups))

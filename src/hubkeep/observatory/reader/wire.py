# SPDX-License-Identifier: Apache-2.0
"""What the server asks of the process that reads snapshots, and what it says back.

A message is a length in four bytes (big endian) and so many bytes of JSON: a Question there, and
back the letter A and the answer, or R and a Refusal.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from hubkeep.observatory.document import FiltersOf, ParameterOf

HEAD: Final = struct.Struct(">I")
ANSWERED: Final = b"A"
REFUSED: Final = b"R"
MOST: Final = 64 << 20
"""Bytes of a message."""


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshots that a question is about, by their folders: see `session.Places`."""

    history: Sequence[str]
    hidden: Mapping[str, Sequence[str]] = {}
    """What nobody may see any more, by table: names in lower case, those hidden last first."""
    hides: Sequence[Mapping[str, int]] = ()
    """For each of the history how many of those, by table, are not to be read of it: what was
    hidden after it was taken. None of what is not named, nor of those without.
    """
    reference: str | None = None
    reference_hides: Mapping[str, int] = {}
    tables: str | None = None
    """The folder of the hub's own tables: see `Dimensions.with_own`."""

    @property
    def alone(self) -> "Shelf":
        """The last of the history, with nothing beside it."""
        return self.of([len(self.history) - 1])

    def of(self, numbers: Sequence[int]) -> "Shelf":
        """Some of the history, by their numbers, with nothing beside it."""
        hides = [self.hides[at] if at < len(self.hides) else {} for at in numbers]
        most = {table: max(one.get(table, 0) for one in hides) for table in self.hidden}
        return Shelf(
            history=[self.history[at] for at in numbers],
            hidden={table: names[: most[table]] for table, names in self.hidden.items()},
            hides=hides,
            tables=self.tables,
        )

    def names(self, hides: Mapping[str, int]) -> Mapping[str, Sequence[str]]:
        """The names that these counts stand for, by table."""
        return {table: self.hidden[table][:count] for table, count in hides.items() if count}


class AskFigures(msgspec.Struct, frozen=True, kw_only=True, tag="figures"):
    """Which figures there are: answered with a list of FigureOf. With a shelf they say what of it
    they lack.
    """

    shelf: Shelf | None = None


class AskNumbers(msgspec.Struct, frozen=True, kw_only=True, tag="numbers"):
    """What there is to know of a snapshot at a glance: answered with a list of NumberOf."""

    shelf: Shelf


class AskFigure(msgspec.Struct, frozen=True, kw_only=True, tag="figure"):
    """What a figure says: answered with a FigureDocument, or with its table as Parquet."""

    shelf: Shelf
    figure: str
    parameters: Mapping[str, str] = {}
    filters: FiltersOf = FiltersOf()
    form: Literal["json", "parquet"] = "json"


class AskCourse(msgspec.Struct, frozen=True, kw_only=True, tag="course"):
    """What became of up to five repositories, or of all of an account: answered with a list of
    CourseOf, one for each name.
    """

    shelf: Shelf
    table: Literal["models", "datasets", "spaces"]
    names: Sequence[str]
    by: Literal["id", "author"] = "id"
    """Whether the names are those of repositories or of accounts."""


class AskMovers(msgspec.Struct, frozen=True, kw_only=True, tag="movers"):
    """What moved between the two snapshots of a shelf: answered with MoversOf."""

    shelf: Shelf
    least: int = 100
    """Downloads that a model had before, for a growth in per cent to say something."""


Question = AskFigures | AskNumbers | AskFigure | AskCourse | AskMovers


class FigureOf(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that can be asked for; the values of its parameters are their defaults."""

    id: str
    title: str
    question: str
    definitions: Sequence[str]
    parameters: Sequence[ParameterOf]
    snapshots: int
    """How many it needs at least."""
    missing: Sequence[str] = ()
    """What it needs and the shelf that was asked about does not have: columns as `models.size`."""


class NumberOf(msgspec.Struct, frozen=True, kw_only=True):
    """One number about a snapshot. Where the source does not have it, `value` is null and `missing`
    says which columns are not there.
    """

    name: str
    title: str
    value: int | float | None
    unit: Literal["", "share"] = ""
    n: int = 0
    """How many rows it is made of; a share is of them."""
    of: str = ""
    """What those are."""
    note: str = ""
    missing: Sequence[str] = ()
    figure: str = ""
    """Where more is said of it."""


class PointOf(msgspec.Struct, frozen=True, kw_only=True):
    """What one snapshot says of a repository, or in sum of those of an account. What it does not
    say is null, which is not zero.
    """

    downloads_30d: int | None = None
    downloads_all: int | None = None
    likes: int | None = None
    rank: int | None = None
    """Place by downloads_30d, 1 being the most; those that have as many share it."""
    ranked: int | None = None
    """How many have a place."""
    repositories: int | None = None
    """How many an account has."""


class RepositoryOf(msgspec.Struct, frozen=True, kw_only=True):
    """A repository of an account."""

    id: str
    downloads_30d: int | None
    downloads_all: int | None
    likes: int | None


class CourseOf(msgspec.Struct, frozen=True, kw_only=True):
    """What the snapshots of a shelf say, one after the other; null where one has nothing of it."""

    name: str
    """As it is called now."""
    points: Sequence[PointOf | None]
    largest: Sequence[RepositoryOf] = ()
    """Of an account: its most downloaded ones in the last snapshot that has any."""


class MoverOf(msgspec.Struct, frozen=True, kw_only=True):
    """What moved: a model, a namespace, or a model that others are made from. Null is not known."""

    id: str
    before: int | None
    after: int | None
    number: int | None = None
    """Likes of a model, its place if the list is about places, the models of a namespace."""
    made: str | None = None
    """The day."""


class MoversOf(msgspec.Struct, frozen=True, kw_only=True):
    """The beginnings of lists by name: gained, grown, fallen, new, entered, left, organisations,
    flagged by downloads in 30 days, and families by how many are made from them.
    """

    lists: Mapping[str, Sequence[MoverOf]]
    n: int
    """Models of the later snapshot."""
    n_compared: int
    """Models with a count in both, without counters that stand out."""
    n_new: int
    n_gone: int
    n_flagged: int


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no answer: the question is wrong (400), asks for what there is not (404), or
    for what this machine lacks (501), or it failed (503).
    """

    status: Literal[400, 404, 501, 503]
    text: str

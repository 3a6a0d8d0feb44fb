# SPDX-License-Identifier: Apache-2.0
"""The terms that a repository is found by: one set for names, tags and all other filters.

Both databases index sets of short words well (FTS5, GIN), and intersect them. So everything that a
list can ask for becomes a term, and a list asks for a conjunction. A term begins with a letter for
the type and visibility of the repository: what strangers ask is not counted or cut short by what
private repositories have.

A name is found by any part of it, so its terms are its trigrams, the last padded by two marks;
words of three letters and more are conjunctions of trigrams, which the reader verifies against the
name, shorter ones are beginnings of trigrams.
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from hubkeep.repos.types import RepoType

# Letter for public, letter for private.
_CLASSES = {
    RepoType.MODEL: "mn",
    RepoType.DATASET: "de",
    RepoType.SPACE: "st",
    RepoType.KERNEL: "kl",
}
_PUBLIC = frozenset(letters[0] for letters in _CLASSES.values())
_END = "~~"
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_./")
TRIGRAM = 3
_ENOUGH = 16


@dataclass(frozen=True, slots=True)
class Indexed:
    """What is indexed of a repository; `path_key` is its id in lower case."""

    type: RepoType
    private: bool
    owner_id: int
    path_key: str
    tags: tuple[str, ...] = ()
    pipeline_tag: str | None = None
    gated: bool = False
    num_parameters: int | None = None
    datasets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """Of each group at least one term; a term that ends in `*` stands for its beginning."""

    groups: tuple[tuple[str, ...], ...]


def class_of(kind: RepoType, private: bool) -> str:
    """Return the letter that the terms of such repositories begin with."""
    return _CLASSES[kind][private]


def tag_term(letter: str, tag: str) -> str:
    """Return the term of a tag: hashed, since tags may hold what no database takes as a word."""
    return _hashed(letter, "t", tag)


def is_public_tag(term: str) -> bool:
    """Whether a term is that of a tag on a public repository."""
    return term[1] == "t" and term[0] in _PUBLIC


def terms_of(repo: Indexed) -> frozenset[str]:
    """Return all the terms of a repository."""
    letter = class_of(repo.type, repo.private)
    found = {f"{letter}g{gram}" for gram in _trigrams(repo.path_key + _END)}
    found.update(tag_term(letter, tag) for tag in repo.tags)
    found.add(owner_term(letter, repo.owner_id))
    if repo.pipeline_tag:
        found.add(task_term(letter, repo.pipeline_tag))
    if repo.gated:
        found.add(gated_term(letter))
    if repo.num_parameters:
        found.add(f"{letter}n{repo.num_parameters.bit_length()}")
    if repo.type is RepoType.SPACE:
        found.update(used_term(letter, "dataset", name) for name in repo.datasets)
        found.update(used_term(letter, "model", name) for name in repo.models)
        if repo.datasets or repo.models:
            found.add(linked_term(letter))
    return frozenset(found)


def owner_term(letter: str, owner_id: int) -> str:
    return f"{letter}o{owner_id}"


def task_term(letter: str, task: str) -> str:
    return _hashed(letter, "p", task)


def gated_term(letter: str) -> str:
    return f"{letter}y"


def linked_term(letter: str) -> str:
    """Return the term of Spaces that name a model or a dataset which they use."""
    return f"{letter}l"


def used_term(letter: str, kind: str, name: str) -> str:
    """Return the term of Spaces that use a `model` or a `dataset`."""
    return _hashed(letter, "u", f"{kind}:{name.lower()}")


def size_terms(letter: str, least: int, most: int | None) -> tuple[str, ...]:
    """Return the terms of which a repository has one if its parameters number `least` to `most`.

    A term stands for a power of two: the reader verifies the number.
    """
    last = 64 if most is None else most.bit_length()
    return tuple(f"{letter}n{bits}" for bits in range(max(least, 1).bit_length(), last + 1))


def word_terms(letter: str, word: str) -> tuple[str, ...]:
    """Return the terms that every name with `word` (in lower case) in it has.

    Of a single letter there are none: it tells next to nothing and begins a thousand trigrams. Of a
    long word there are some, since they tell as much as all.
    """
    if len(word) < TRIGRAM:
        return (f"{letter}g{word}*",) if len(word) == TRIGRAM - 1 else ()
    return tuple(f"{letter}g{gram}" for gram in sorted(_trigrams(word))[:_ENOUGH])


def can_be_in_a_name(word: str) -> bool:
    """Whether a name may hold `word`, given in lower case, at all."""
    return _NAME_CHARACTERS.issuperset(word)


def _trigrams(text: str) -> set[str]:
    return {text[at : at + TRIGRAM] for at in range(len(text) - TRIGRAM + 1)}


def _hashed(letter: str, kind: str, value: str) -> str:
    digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return f"{letter}{kind}{base64.b32encode(digest).decode().rstrip('=').lower()}"


def fts5_query(terms: Terms) -> str:
    """Write the conjunction as a MATCH expression of SQLite's FTS5."""
    return " AND ".join(
        "(" + " OR ".join(_fts5_term(term) for term in group) + ")" for group in terms.groups
    )


def tsquery(terms: Terms) -> str:
    """Write the conjunction as a `tsquery` of PostgreSQL."""
    return " & ".join(
        "(" + " | ".join(_tsquery_term(term) for term in group) + ")" for group in terms.groups
    )


def tsvector(terms: Iterable[str]) -> str:
    """Write terms as a `tsvector` of PostgreSQL."""
    return " ".join(f"'{term}'" for term in sorted(terms))


def _fts5_term(term: str) -> str:
    return f'"{term[:-1]}" *' if term.endswith("*") else f'"{term}"'


def _tsquery_term(term: str) -> str:
    return f"'{term[:-1]}':*" if term.endswith("*") else f"'{term}'"


def as_text(term: str) -> str:
    """Write a term as it stands in the text of all terms, which begins and ends with a space."""
    return f" {term[:-1]}" if term.endswith("*") else f" {term} "

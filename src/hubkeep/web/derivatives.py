# SPDX-License-Identifier: Apache-2.0
"""The family of a repository: what it is made from, and how much is made from it.

What a model is made from is what its card says; so is what is made from it, in the cards of others:
each is found by the tag `base_model:{relation}:{id}`, and counted where tags are counted. So a card
that names a model by an old name counts for the old name, and the number is that of public
repositories.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Connection

from hubkeep.cards.base_models import BaseModel, Relation
from hubkeep.identity.actor import Actor
from hubkeep.repos.types import Repo, RepoType
from hubkeep.web.queries_derivatives import Named, count_tagged, named, parents_of

MAX_GENERATIONS = 6
MAX_PARENTS = 6
FROM: dict[Relation, str] = {
    "finetune": "Fine-tuned from",
    "adapter": "Adapter of",
    "quantized": "Quantised from",
    "merge": "Merged from",
}
"""How a model is related to what it is made from."""
INTO: dict[Relation, str] = {
    "finetune": "Fine-tunes",
    "adapter": "Adapters",
    "merge": "Merges",
    "quantized": "Quantisations",
}
"""What is made from a model, in the order in which it is shown."""


class Ancestor(msgspec.Struct, rename="camel"):
    """What something is made from; `href` is null where it is not on this hub, or not for the
    visitor's eyes.
    """

    id: str
    href: str | None


class Generation(msgspec.Struct, rename="camel"):
    """What the next generation was made from, and how: `Fine-tuned from`; `more` are not named."""

    how: str
    ancestors: Sequence[Ancestor]
    more: int = 0


class Derived(msgspec.Struct, rename="camel"):
    """How many public repositories are made from one in one way, and the list of them."""

    name: str
    count: int
    href: str


def generations(
    conn: Connection, actor: Actor, repo_id: int, parents: Sequence[BaseModel]
) -> list[Generation]:
    """Return what a model was made from, nearest first.

    The way goes on as long as there is one parent and it is on this hub; what was there before ends
    it, since cards can name each other in a ring.
    """
    found: list[Generation] = []
    seen = {repo_id}
    while parents and len(found) < MAX_GENERATIONS:
        known = named(conn, actor, RepoType.MODEL, [one.id for one in parents[:MAX_PARENTS]])
        only = known.get(parents[0].id.lower()) if len(parents) == 1 else None
        if only is not None and only.id in seen:
            break
        found.append(_generation(parents, known))
        if only is None or only.facts_id is None:
            break
        seen.add(only.id)
        parents = parents_of(conn, only.facts_id)
    return found


def _generation(parents: Sequence[BaseModel], known: dict[str, Named]) -> Generation:
    shown = parents[:MAX_PARENTS]
    return Generation(
        FROM[parents[0].relation],
        [ancestor(RepoType.MODEL, one.id, known) for one in shown],
        len(parents) - len(shown),
    )


def ancestor(kind: RepoType, name: str, known: dict[str, Named]) -> Ancestor:
    """Return a repository as it is called now, with its address; or the name that was written."""
    here = known.get(name.lower())
    if here is None:
        return Ancestor(name, None)
    return Ancestor(here.path, f"/{kind.web_prefix}{here.path}")


def derived(conn: Connection, repo: Repo) -> list[Derived]:
    """Return what is made from a repository, of each kind that there is."""
    return derived_of(conn, repo.type, [repo.path])[repo.path]


def derived_of(conn: Connection, kind: RepoType, paths: Iterable[str]) -> dict[str, list[Derived]]:
    """Return the same for some repositories of a type at once."""
    ways = {path: ways_into(kind, path) for path in paths}
    counts = counts_of(conn, [way for each in ways.values() for way in each])
    return {
        path: [
            Derived(name, counts[tag], f"/models?{urlencode({'filter': tag})}")
            for name, tag in each
            if counts[tag]
        ]
        for path, each in ways.items()
    }


def counts_of(conn: Connection, ways: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return how many public models there are of some ways, by their tags."""
    tags = [tag for _, tag in ways]
    return count_tagged(conn, RepoType.MODEL, tags) if tags else {}


def ways_into(kind: RepoType, path: str) -> list[tuple[str, str]]:
    """Return the kinds of models that are made from a repository: what they are called, and the tag
    that they have.
    """
    if kind is RepoType.MODEL:
        return [(name, f"base_model:{relation}:{path}") for relation, name in INTO.items()]
    if kind is RepoType.DATASET:
        return [("Models trained on it", f"dataset:{path}")]
    return []

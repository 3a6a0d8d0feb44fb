# SPDX-License-Identifier: Apache-2.0
"""Lists as one would write them down without any index: what the engine must agree with."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, update

from hubkeep.cards.facts import Facts
from hubkeep.db.tables import accounts, facts, repos, search_docs, tag_changes, tag_counts
from hubkeep.kit.ids import new_id
from hubkeep.repos.search_index import reindex
from hubkeep.repos.search_wanted import Sort, Viewer, Wanted
from hubkeep.repos.types import DELETED, RepoType

OWNERS = (1, 2, 3)
TAGS = ("mit", "license:mit", "base_model:finetune:a/b", "en", "odd \"tag\", \\ 'it'", "τ", "x y")
WORDS = (
    "a",
    "b",
    "ab",
    "ba",
    "aab",
    "a-b",
    "b_a",
    "_",
    "-",
    "/",
    "1/",
    "o",
    "zzz",
    "é",
    "%",
    "'\"",
)


@dataclass(frozen=True)
class Sample:
    """A repository, as far as lists look at it; `name` makes it one of a kind with its place."""

    type: RepoType
    owner: int
    name: str
    private: bool
    tags: tuple[str, ...]
    pipeline_tag: str | None
    gated: str
    num_parameters: int | None
    datasets: tuple[str, ...]
    models: tuple[str, ...]
    keys: dict[str, int]
    deleted: bool = False


def samples() -> st.SearchStrategy[Sample]:
    """Repositories that have much in common, so that conjunctions and ties are frequent."""
    few = st.integers(0, 2)
    return st.builds(
        Sample,
        type=st.sampled_from([RepoType.MODEL, RepoType.MODEL, RepoType.SPACE]),
        owner=st.sampled_from(OWNERS),
        name=st.text("aAb-_", min_size=1, max_size=6),
        private=st.booleans(),
        tags=st.lists(st.sampled_from(TAGS), unique=True, max_size=4).map(tuple),
        pipeline_tag=st.sampled_from([None, "text-generation", "fill-mask"]),
        gated=st.sampled_from(["", "", "auto", "manual"]),
        num_parameters=st.sampled_from([None, 1, 1023, 1024, 1025, 7 * 10**9, 2**63 - 1]),
        datasets=st.sampled_from([(), ("Sq/uad",)]),
        models=st.sampled_from([(), ("a/b", "c")]),
        keys=st.fixed_dictionaries({sort.value: few for sort in Sort}),
    )


_FILTERS: dict[str, st.SearchStrategy[object]] = {
    "words": st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(tuple),
    "owner_id": st.sampled_from([*OWNERS, 99]),
    "tags": st.lists(st.sampled_from(TAGS), unique=True, min_size=1, max_size=2).map(tuple),
    "pipeline_tag": st.just("text-generation"),
    "gated": st.booleans(),
    "least_parameters": st.sampled_from([0, 1, 1024, 2**62]),
    "most_parameters": st.sampled_from([0, 1024, 2**63 - 1]),
    "datasets": st.just(("sq/uad",)),
    "models": st.just(("c",)),
    "linked": st.just(True),
}


@st.composite
def lists(draw: st.DrawFn) -> Wanted:
    """Questions of none to two filters: with more, hardly a list would have anything in it."""
    names = draw(st.lists(st.sampled_from(list(_FILTERS)), unique=True, max_size=2))
    filters = {name: draw(_FILTERS[name]) for name in names}
    kind = draw(st.sampled_from([RepoType.MODEL, RepoType.MODEL, RepoType.SPACE]))
    sort, up = draw(st.sampled_from(Sort)), draw(st.booleans())
    return Wanted(kind, sort=sort, ascending=up, **filters)


def viewers() -> st.SearchStrategy[Viewer]:
    """Strangers, owners, members, and administrators of the hub."""
    return st.sampled_from(
        [
            Viewer(),
            Viewer((1,)),
            Viewer((1, 3)),
            Viewer(tuple(range(1, 300))),
            Viewer(sees_all=True),
        ]
    )


def path_of(place: int, sample: Sample) -> str:
    return f"o{sample.owner}/{sample.name}{place}"


def expected(rows: Iterable[tuple[int, str, Sample]], viewer: Viewer, wanted: Wanted) -> list[int]:
    """The ids of a whole list, in order, out of (id, path, sample)."""
    found = [
        (it.keys[wanted.sort], id_)
        for id_, path, it in rows
        if _may_see(viewer, it) and _belongs(wanted, path.lower(), it)
    ]
    return [id_ for _, id_ in sorted(found, reverse=not wanted.ascending)]


def _may_see(viewer: Viewer, it: Sample) -> bool:
    return not it.private or viewer.sees_all or it.owner in viewer.owners


def _belongs(wanted: Wanted, path: str, it: Sample) -> bool:
    number = it.num_parameters
    uses = {name.lower() for name in (*it.datasets, *it.models)} if _is_space(it) else set()
    return (
        not it.deleted
        and it.type is wanted.type
        and all(word in path for word in wanted.words)
        and wanted.owner_id in (None, it.owner)
        and set(wanted.tags) <= set(it.tags)
        and wanted.pipeline_tag in (None, it.pipeline_tag)
        and wanted.gated in (None, bool(it.gated))
        and (wanted.least_parameters is None or (number or -1) >= wanted.least_parameters)
        and (wanted.most_parameters is None or 0 <= (number or -1) <= wanted.most_parameters)
        and {*wanted.datasets, *wanted.models} <= uses
        and (not wanted.linked or bool(uses))
    )


def _is_space(it: Sample) -> bool:
    return it.type is RepoType.SPACE


def empty(conn: Connection) -> None:
    """Remove what an earlier example left, and have the owners there."""
    for table in (search_docs, tag_changes, tag_counts, facts, repos):
        conn.execute(delete(table))
    if conn.execute(select(accounts.c.id).where(accounts.c.name == "o1")).first() is None:
        rows = [
            {"id": n, "public_id": f"{n:024}", "kind": "user", "name": f"o{n}", "name_key": f"o{n}"}
            for n in OWNERS
        ]
        conn.execute(insert(accounts), [{**row, "created_at": 0} for row in rows])


def write(conn: Connection, place: int, sample: Sample) -> int:
    """Write a sample to the tables and index it; return its id."""
    path = path_of(place, sample)
    fixed = {"public_id": new_id(), "path": path, "path_key": path.lower()}
    row = {**fixed, **_columns(sample), **sample.keys}
    repo_id = conn.execute(insert(repos).values(row).returning(repos.c.id)).scalar_one()
    _write_facts(conn, repo_id, sample)
    reindex(conn, repo_id)
    return repo_id


def rewrite(conn: Connection, repo_id: int, sample: Sample) -> None:
    """Change a repository into another, or delete it, as handlers do."""
    change = {"type": DELETED} if sample.deleted else {**_columns(sample), **sample.keys}
    conn.execute(update(repos).where(repos.c.id == repo_id).values(change))
    _write_facts(conn, repo_id, sample)
    reindex(conn, repo_id)


def recount(conn: Connection, repo_id: int, keys: dict[str, int]) -> None:
    """Change what a repository is sorted by, without a word to the index."""
    conn.execute(update(repos).where(repos.c.id == repo_id).values(keys))


def _columns(sample: Sample) -> dict[str, object]:
    return {
        "type": sample.type.value,
        "owner_id": sample.owner,
        "private": sample.private,
        "gated": sample.gated,
        "tags": msgspec.json.encode(sample.tags).decode(),
        "pipeline_tag": sample.pipeline_tag,
        "num_parameters": sample.num_parameters,
    }


def _write_facts(conn: Connection, repo_id: int, sample: Sample) -> None:
    conn.execute(delete(facts).where(facts.c.repo_id == repo_id))
    known = Facts(tags=[], datasets=list(sample.datasets), models=list(sample.models))
    data = msgspec.json.encode(known).decode()
    made = insert(facts).values(repo_id=repo_id, digest=b"\0" * 20, data=data)
    facts_id = conn.execute(made.returning(facts.c.id)).scalar_one()
    conn.execute(update(repos).where(repos.c.id == repo_id).values(facts_id=facts_id))


def deleted(sample: Sample) -> Sample:
    return replace(sample, deleted=True)

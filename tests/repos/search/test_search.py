# SPDX-License-Identifier: Apache-2.0
"""Lists and search against a model, on both databases, with budgets that take every way."""

from collections import Counter
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from hubkeep.db import Database
from hubkeep.repos.queries_list_index import fold_tag_changes
from hubkeep.repos.queries_list_tags import common_tags
from hubkeep.repos.search import Budget, find_page
from hubkeep.repos.search_tags import kinds_of_tags
from hubkeep.repos.search_wanted import Sort, Viewer, Wanted
from hubkeep.repos.types import RepoType
from tests.repos.search.model import (
    Sample,
    deleted,
    empty,
    expected,
    lists,
    path_of,
    recount,
    rewrite,
    samples,
    viewers,
    write,
)

many = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
budgets = st.builds(
    Budget,
    first=st.integers(1, 6),
    sorted=st.integers(0, 12),
    walked=st.integers(1, 20),
    many=st.integers(0, 8),
)
Rows = list[tuple[int, str, Sample]]


@pytest.fixture
def db(database_url: str):
    with closing(Database(database_url)) as opened:
        yield opened


def fill(conn: Connection, drawn: list[Sample], data: st.DataObject) -> Rows:
    """Write the samples, then change some of them in every way that a hub changes repositories."""
    empty(conn)
    rows = []
    for place, first in enumerate(drawn):
        repo_id, now = write(conn, place, first), first
        match data.draw(st.sampled_from(["keep", "keep", "change", "recount", "delete"])):
            case "change":
                now = data.draw(samples())
                rewrite(conn, repo_id, now)
            case "recount":
                now.keys.update(data.draw(samples()).keys)
                recount(conn, repo_id, now.keys)
            case "delete":
                now = deleted(first)
                rewrite(conn, repo_id, now)
        rows.append((repo_id, path_of(place, first), now))
    return rows


def all_pages(
    conn: Connection, viewer: Viewer, wanted: Wanted, limit: int, budget: Budget | None
) -> list[int]:
    found: list[int] = []
    after = None
    for _ in range(500):
        page = find_page(conn, viewer, wanted, limit, after, budget)
        assert len(page.ids) <= limit
        found += page.ids
        if page.next is None:
            return found
        after = page.next
    raise AssertionError("a list without an end")


@many
@given(
    st.lists(samples(), min_size=6, max_size=14),
    st.lists(st.tuples(lists(), viewers(), st.integers(1, 6)), min_size=1, max_size=8),
    budgets,
    st.data(),
)
def test_pages_put_together_are_the_list(db, drawn, questions, budget, data):
    rows = db.write_now(lambda conn: fill(conn, drawn, data))
    for wanted, viewer, limit in questions:
        found = db.read_now(lambda conn: all_pages(conn, viewer, wanted, limit, budget))  # noqa: B023
        assert found == expected(rows, viewer, wanted)
        found = db.read_now(lambda conn: all_pages(conn, viewer, wanted, limit, None))  # noqa: B023
        assert found == expected(rows, viewer, wanted)


@many
@given(st.lists(samples(), min_size=6, max_size=14), lists(), st.integers(1, 4), budgets, st.data())
def test_private_repositories_change_no_page_of_a_stranger(db, drawn, wanted, limit, budget, data):
    public = [sample for sample in drawn if not sample.private]

    def pages(conn: Connection) -> list[list[str]]:
        ids = {repo_id: path for repo_id, path, _ in rows}
        told, after = [], None
        for _ in range(200):
            page = find_page(conn, Viewer(), wanted, limit, after, budget)
            told.append([ids[id_].split("/")[1].rstrip("0123456789") for id_ in page.ids])
            if page.next is None:
                break
            after = page.next
        return told

    def put(conn: Connection, these: list[Sample]) -> Rows:
        empty(conn)
        return [(write(conn, place, it), path_of(place, it), it) for place, it in enumerate(these)]

    # Words of digits and ids depend on how many there are, so neither is part of the comparison.
    rows = db.write_now(lambda conn: put(conn, drawn))
    with_private = db.read_now(pages)
    rows = db.write_now(lambda conn: put(conn, public))
    if not any("1" in word for word in wanted.words):
        assert db.read_now(pages) == with_private


@many
@given(st.lists(samples(), min_size=6, max_size=14), st.booleans(), st.data())
def test_counts_of_tags_are_those_of_public_repositories(db, drawn, fold, data):
    rows = db.write_now(lambda conn: fill(conn, drawn, data))
    if fold:
        db.write_now(fold_tag_changes)
    for repo_type in RepoType:
        counted = db.read_now(
            lambda conn: common_tags(conn, repo_type, kinds_of_tags(repo_type), 100)  # noqa: B023
        )
        standing = [
            it for _, _, it in rows if it.type is repo_type and not it.private and not it.deleted
        ]
        tags = Counter(tag for it in standing for tag in it.tags)
        assert {it.tag: it.count for it in counted} == dict(tags)


def test_what_is_made_while_a_list_is_read_disturbs_no_later_page(db, sample):
    def work(conn: Connection) -> tuple[list[int], list[int]]:
        empty(conn)
        before = [write(conn, place, sample) for place in range(6)]
        wanted = Wanted(RepoType.MODEL, sort=Sort.CREATED)
        first = find_page(conn, Viewer(), wanted, 3)
        write(conn, 7, sample)
        second = find_page(conn, Viewer(), wanted, 3, first.next)
        return before, [*first.ids, *second.ids]

    before, told = db.write_now(work)
    assert told == before[::-1]


def test_work_is_bounded_where_order_and_filter_pull_apart(db, sample):
    """Whatever matches is at the very end: a page walks its budget, and the next goes on."""

    def work(conn: Connection) -> list[int]:
        empty(conn)
        rare = [write(conn, place, sample) for place in range(5)]
        for place in range(5, 60):
            write(conn, place, _untagged(sample))
        budget = Budget(first=2, sorted=3, walked=10)
        wanted = Wanted(RepoType.MODEL, tags=("mit",), sort=Sort.CREATED)
        page = find_page(conn, Viewer(), wanted, 5, None, budget)
        assert page.ids == ()
        assert page.next is not None
        assert all_pages(conn, Viewer(), wanted, 5, budget) == rare[::-1]
        return rare

    db.write_now(work)


def test_a_long_word_and_many_owners_are_no_trouble(db, sample):
    def work(conn: Connection) -> None:
        empty(conn)
        name = "abcdefghijklmnopqrstuvwxyz0123456789" * 2
        found = write(conn, 1, _named(sample, name))
        write(conn, 2, _named(sample, name[:-1]))
        wanted = Wanted(RepoType.MODEL, words=(name,))
        viewer = Viewer(tuple(range(1, 2000)))
        assert all_pages(conn, viewer, wanted, 5, Budget(first=1, sorted=5)) == [found]

    db.write_now(work)


@pytest.fixture
def sample() -> Sample:
    keys = {sort.value: 0 for sort in Sort}
    return Sample(RepoType.MODEL, 1, "a", False, ("mit",), None, "", None, (), (), keys)


def _untagged(sample: Sample) -> Sample:
    return Sample(**{**vars(sample), "tags": ()})


def _named(sample: Sample, name: str) -> Sample:
    return Sample(**{**vars(sample), "name": name})


@pytest.mark.parametrize(("most", "many"), [(5, 0), (-1, 0), (-1, 100)])
@pytest.mark.parametrize("words", [(), ("bert",), ("be",)])
def test_no_statement_reads_a_whole_table_on_sqlite(sqlite_url, words, most, many, sample):
    seen: list[tuple[str, object]] = []
    with closing(Database(sqlite_url)) as db:
        db.write_now(lambda conn: (empty(conn), write(conn, 1, sample)))
        event.listen(
            db._read_side.engine,
            "before_cursor_execute",
            lambda _c, _cur, statement, values, _ctx, _many: seen.append((statement, values)),
        )
        wanted = Wanted(RepoType.MODEL, words=words, tags=("mit",), pipeline_tag="x")
        budget = Budget(first=1, sorted=most, walked=10, many=many)
        db.read_now(lambda conn: find_page(conn, Viewer((1,)), wanted, 5, None, budget))
        statements, seen = seen[:], []
        for statement, values in statements:
            plan = db.read_now(
                lambda conn: conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()  # noqa: B023
            )
            for step in plan:
                assert not step.detail.startswith(("SCAN repos", "SCAN search_docs")), step.detail

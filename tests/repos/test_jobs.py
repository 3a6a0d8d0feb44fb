# SPDX-License-Identifier: Apache-2.0
"""What time changes, and what becomes of deleted repositories, on both databases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update

from hubkeep.cards.facts import Facts
from hubkeep.db.tables import (
    downloads_daily,
    facts,
    files,
    git_commits,
    git_objects,
    git_refs,
    likes,
    repo_files,
    repos,
    search_docs,
)
from hubkeep.kit.ids import new_id
from hubkeep.kit.time import day_of
from hubkeep.repos import queries_purge
from hubkeep.repos.jobs import purge_deleted, roll_30_days, score_trending
from hubkeep.repos.queries_lifecycle import bury_repo
from hubkeep.repos.search_index import reindex
from hubkeep.repos.trending import DAYS, trending_score
from tests.repos.world import World

pytestmark = pytest.mark.anyio


def download(world: World, repo_id: int, ago: int, count: int) -> None:
    """Count downloads of some days ago, as the counter does."""
    day = day_of(world.hub.clock()) - ago

    def work(conn):
        conn.execute(insert(downloads_daily).values(repo_id=repo_id, day=day, count=count))
        conn.execute(
            update(repos).where(repos.c.id == repo_id).values(downloads=repos.c.downloads + count)
        )

    world.hub.write(work)


async def test_downloads_leave_the_count_after_thirty_days(world: World):
    repo = world.repo("ada/m")
    for ago, count in ((0, 1), (29, 10), (30, 100), (45, 1000)):
        download(world, repo, ago, count)
    await roll_30_days(world.hub.app)
    assert world.row(repo)["downloads"] == 11
    await roll_30_days(world.hub.app)
    assert world.row(repo)["downloads"] == 11
    world.hub.clock.move(days=3)  # days that no worker ran are made up for
    await roll_30_days(world.hub.app)
    assert world.row(repo)["downloads"] == 1


async def test_what_has_no_expiring_day_is_left_alone(world: World):
    repo = world.repo("ada/m", downloads=5)
    download(world, repo, 3, 1)
    await roll_30_days(world.hub.app)
    assert world.row(repo)["downloads"] == 6


async def test_trending_rises_with_likes_and_falls_with_time(world: World):
    liked, quiet = world.repo("ada/liked"), world.repo("ada/quiet")
    world.call("POST", "/api/models/ada/liked/like", "ben")
    download(world, liked, 0, 100)
    assert await score_trending(world.hub.app) == 1
    assert world.row(liked)["trending"] == pytest.approx(2.0)
    assert world.row(quiet)["trending"] == 0
    world.hub.clock.move(days=3)
    await score_trending(world.hub.app)
    assert world.row(liked)["trending"] == pytest.approx(1.0)
    world.hub.clock.move(days=DAYS)
    await score_trending(world.hub.app)
    assert world.row(liked)["trending"] == 0
    assert await score_trending(world.hub.app) == 0


counts = st.dictionaries(st.integers(0, 30), st.integers(0, 10_000))


@given(counts, counts)
def test_a_score_only_falls_as_days_go_by(liked: dict[int, int], fetched: dict[int, int]):
    later_likes = {age + 1: n for age, n in liked.items()}
    later_downloads = {age + 1: n for age, n in fetched.items()}
    now = trending_score(liked, fetched)
    assert 0 <= trending_score(later_likes, later_downloads) <= now


def fill(world: World, repo_id: int, file_id: int) -> None:
    """Put some rows of each kind into a repository."""
    now = world.hub.clock()
    oid = repo_id.to_bytes(20, "big")

    def work(conn):
        fact = conn.execute(
            insert(facts).values(repo_id=repo_id, digest=b"1" * 20, data="{}").returning(facts.c.id)
        ).scalar_one()
        for number in range(5):
            row = {"repo_id": repo_id, "oid": number.to_bytes(20, "big"), "kind": 3}
            conn.execute(insert(git_objects).values(size=1, data=b"x", **row))
        conn.execute(
            insert(git_commits).values(
                repo_id=repo_id,
                oid=oid,
                tree=oid,
                parents=b"",
                generation=1,
                linear=True,
                committed_at=now,
                author="a",
                title="t",
                message="",
                facts_id=fact,
            )
        )
        ref = {"repo_id": repo_id, "name": "refs/heads/main", "oid": oid, "commit_oid": oid}
        conn.execute(insert(git_refs).values(updated_at=now, **ref))
        link = {"repo_id": repo_id, "file_id": file_id, "public_id": new_id(), "pushed_at": now}
        conn.execute(insert(repo_files).values(link))

    world.hub.write(work)


def rows_of(world: World, repo_id: int) -> int:
    """How many rows of any kind a repository still has."""
    tables = (facts, git_objects, git_commits, git_refs, repo_files, likes, search_docs)
    queries = [
        select(func.count()).select_from(table).where(table.c.repo_id == repo_id)
        for table in tables
    ]
    return world.hub.read(lambda conn: sum(conn.execute(one).scalar_one() for one in queries))


def add_file(world: World, number: int) -> int:
    row = {"sha256": number.to_bytes(32, "big"), "size": 1, "created_at": world.hub.clock()}
    made = insert(files).values(row).returning(files.c.id)
    return world.hub.write(lambda conn: conn.execute(made).scalar_one())


def unlinked(world: World, file_id: int) -> int | None:
    query = select(files.c.unlinked_at).where(files.c.id == file_id)
    return world.hub.read(lambda conn: conn.execute(query).scalar_one())


def bury(world: World, repo_id: int) -> None:
    def work(conn):
        bury_repo(conn, repo_id, world.hub.clock())
        reindex(conn, repo_id)

    world.hub.write(work)


async def test_a_deleted_repository_is_cleared_away_and_others_are_not(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(queries_purge, "BATCH", 2)
    gone, stays = world.repo("ada/gone", about=Facts(tags=["t"])), world.repo("ada/stays")
    alone, shared = add_file(world, 1), add_file(world, 2)
    fill(world, gone, alone)
    fill(world, stays, shared)
    link = {"repo_id": gone, "file_id": shared, "public_id": new_id()}
    world.hub.write(lambda conn: conn.execute(insert(repo_files).values(pushed_at=0, **link)))
    world.call("POST", "/api/models/ada/gone/like", "ben")
    kept = rows_of(world, stays)
    bury(world, gone)
    assert await purge_deleted(world.hub.app) == 1
    assert world.row(gone) == {}
    assert rows_of(world, gone) == 0
    assert rows_of(world, stays) == kept
    assert unlinked(world, alone) == world.hub.clock()
    assert unlinked(world, shared) is None
    assert await purge_deleted(world.hub.app) == 0


async def test_what_was_not_deleted_is_never_purged(world: World):
    stays = world.repo("ada/stays")
    fill(world, stays, add_file(world, 1))
    before = rows_of(world, stays)
    with pytest.raises(AssertionError):
        world.hub.write(lambda conn: queries_purge.purge_batch(conn, stays, 0))
    assert rows_of(world, stays) == before


async def test_an_id_is_never_given_twice(world: World):
    first = world.repo("ada/m")
    bury(world, first)
    await purge_deleted(world.hub.app)
    assert world.repo("ada/m") > first

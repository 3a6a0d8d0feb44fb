# SPDX-License-Identifier: Apache-2.0
"""Deleting bytes that nobody refers to, whatever uploads do meanwhile."""

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from hubkeep.blobs import whole_key
from hubkeep.db.tables import files, repo_files
from hubkeep.transfer import api_upload
from hubkeep.transfer.jobs import (
    GRACE,
    LEAST_GRACE,
    NOTHING_FREED,
    collect_files,
    find_orphans,
)
from hubkeep.transfer.queries_collecting import collect_file, retire_files
from hubkeep.transfer.queries_files import unlink
from tests.transfer.town import Town, sha, town_at

pytestmark = pytest.mark.anyio

CONTENT = b"weights"


def let_go(town: Town, repo: str) -> None:
    """Take all files from a repository."""

    def work(conn: Connection) -> None:
        links = select(repo_files.c.public_id).where(repo_files.c.repo_id == town.ids[repo])
        unlink(conn, town.ids[repo], list(conn.execute(links).scalars()), town.time())

    town.app.db.write_now(work)


async def stored(town: Town, content: bytes) -> bool:
    return await town.app.blobs.size(whole_key(sha(content))) is not None


async def test_bytes_go_a_grace_time_after_the_last_link(town: Town):
    for repo in ("ann/m", "bob/m"):
        town.repo(repo)
        await town.upload(repo[:3], repo, CONTENT)

    let_go(town, "ann/m")
    town.time.now += 2 * GRACE
    linked = await collect_files(town.app)
    let_go(town, "bob/m")
    town.time.now += GRACE
    early = await collect_files(town.app)
    town.time.now += 1
    due = await collect_files(town.app)

    assert (linked.count, early.count, due) == (0, 0, (1, len(CONTENT)))
    assert (town.knows(CONTENT), await stored(town, CONTENT)) == (False, False)


async def test_a_file_that_is_wanted_again_stays(town: Town):
    town.repo("ann/m")
    await town.upload("ann", "ann/m", CONTENT)
    let_go(town, "ann/m")
    town.time.now += GRACE
    href = (await town.actions("ann", "ann/m", CONTENT))["upload"]["href"]
    town.time.now += 1
    assert await collect_files(town.app) == NOTHING_FREED
    assert (await town.client.put(href, content=CONTENT)).status_code == 200
    town.time.now += 3 * GRACE
    assert await collect_files(town.app) == NOTHING_FREED
    assert await stored(town, CONTENT)


async def test_a_grace_that_an_upload_may_outlast_is_refused(town: Town):
    with pytest.raises(ValueError, match="grace"):
        await collect_files(town.app, LEAST_GRACE - 1)


async def test_bytes_without_a_row_are_adopted_and_go_the_same_way(town: Town):
    async def body():
        yield CONTENT

    await town.app.blobs.put(whole_key(sha(CONTENT)), body(), size=7, sha256=sha(CONTENT))
    town.time.now = int(datetime.now(UTC).timestamp() * 1000)
    fresh = await find_orphans(town.app)
    town.time.pass_days(3)
    adopted = [await find_orphans(town.app) for _ in range(2)]
    town.time.now += GRACE + 1
    assert (fresh, adopted, await collect_files(town.app)) == (0, [1, 0], (1, len(CONTENT)))
    assert not await stored(town, CONTENT)


async def test_an_upload_waits_while_its_file_is_collected(town: Town):
    """Collecting holds the row, bytes gone and transaction open, when a batch answer is asked."""
    town.repo("ann/m")
    await town.upload("ann", "ann/m", CONTENT)
    let_go(town, "ann/m")
    town.time.now += GRACE + 1
    gone, go_on = threading.Event(), threading.Event()
    file_id = town.app.db.read_now(lambda conn: conn.execute(select(files.c.id)).scalar_one())
    path = town.app.blobs.local_path(whole_key(sha(CONTENT)))
    await town.app.db.write(lambda conn: retire_files(conn, [file_id], town.time()))

    def delete_blob(_key: str) -> None:
        path.unlink()
        gone.set()
        go_on.wait(10)

    collecting = asyncio.create_task(
        town.app.db.write(
            lambda conn: collect_file(conn, file_id, town.time(), town.time(), delete_blob)
        )
    )
    await asyncio.to_thread(gone.wait, 10)
    uploading = asyncio.create_task(town.upload("ann", "ann/m", CONTENT))
    done, _ = await asyncio.wait({uploading}, timeout=0.2)
    go_on.set()

    assert not done
    assert await collecting
    await uploading
    assert await stored(town, CONTENT)
    assert town.knows(CONTENT)


async def test_a_kill_in_the_middle_leaves_no_row_that_promises_bytes(town: Town):
    """The row may be found again by the hash of its chunks, and linked as it is."""
    town.repo("ann/m")
    await town.upload("ann", "ann/m", CONTENT)
    let_go(town, "ann/m")
    town.time.now += GRACE + 1

    class Killed(BaseException):
        pass

    def die(_key: str) -> None:
        raise Killed

    file_id = town.app.db.read_now(lambda conn: conn.execute(select(files.c.id)).scalar_one())
    town.app.db.write_now(lambda conn: retire_files(conn, [file_id], town.time()))
    with pytest.raises(Killed):
        town.app.db.write_now(
            lambda conn: collect_file(conn, file_id, town.time(), town.time(), die)
        )

    row = town.app.db.read_now(lambda conn: conn.execute(select(files.c.whole)).scalar_one())
    assert row is False
    assert (await collect_files(town.app)).count == 1


KINDS = ("batch", "put", "let go", "wait", "collect", "orphans")
Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 1)), max_size=25)

LOST_WITHOUT_RENEWAL: list[Step] = [
    *(("batch", 0), ("put", 0), ("collect", 0), ("let go", 0), ("wait", 1), ("wait", 0)),
    *(("batch", 0), ("put", 0), ("collect", 0)),
]


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
@example(steps=LOST_WITHOUT_RENEWAL)
def test_in_any_order_a_linked_file_has_its_bytes(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
):
    with pytest.MonkeyPatch.context() as patched:
        asyncio.run(_play(tmp_path_factory.mktemp("town"), steps, patched))


async def _play(folder: Path, steps: list[Step], patched: pytest.MonkeyPatch) -> None:
    """Two repositories that know nothing of each other send, keep and let go of one file."""
    async with town_at(f"sqlite:///{folder}/hub.db", folder / "data") as town:
        repos = ("ann/m", "bob/m")
        for repo in repos:
            town.repo(repo, private=True)
        addresses: dict[str, str] = {}
        left = list(steps)

        async def next_step() -> None:
            if left:
                step, which = left.pop(0)
                await _step(town, addresses, repos[which], step, which)

        async def interrupted(*_args: object) -> None:
            """Called between storing and linking, where another request may do anything."""
            await next_step()

        patched.setattr(api_upload, "stored_header", interrupted)
        while left:
            await next_step()
            if town.links("ann/m") | town.links("bob/m"):
                assert await stored(town, CONTENT)
                assert town.knows(CONTENT)


async def _step(town: Town, addresses: dict[str, str], repo: str, step: str, which: int) -> None:
    if step == "batch":
        actions = await town.actions(repo[:3], repo, CONTENT)
        if actions:
            addresses[repo] = actions["upload"]["href"]
    elif step == "put" and repo in addresses:
        await town.client.put(addresses[repo], content=CONTENT)
    elif step == "let go":
        let_go(town, repo)
    elif step == "wait":
        town.time.pass_days((0.9, 7)[which])
    elif step == "collect":
        await collect_files(town.app)
    elif step == "orphans":
        await find_orphans(town.app)

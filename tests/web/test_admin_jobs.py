# SPDX-License-Identifier: Apache-2.0
"""Jobs in the administration: what waits, runs and was given up, and what can be done about it."""

import logging

import pytest
from sqlalchemy import insert, select

from hubkeep.db.tables import jobs
from hubkeep.jobs import queue
from tests.harness.hub import TestHub, on_sqlite
from tests.web.browser import Browser, Seen

HOSTILE = "Traceback:\n  line\nboom <script>alert(1)</script>\u202e"


@pytest.fixture
def root(browser: Browser) -> Browser:
    """A browser that an administrator of the hub is signed in with."""
    browser.sign_in("root")
    return browser


def put(hub: TestHub, **columns: object) -> int:
    """Put a job into the queue as it stands."""
    now = hub.clock()
    row = {"kind": "repos.purge-deleted", "args": "{}", "run_at": now, "created_at": now}
    made = insert(jobs).values({**row, **columns}).returning(jobs.c.id)
    return hub.write(lambda conn: conn.execute(made).scalar_one())


def standing(hub: TestHub, job: int) -> tuple[bool, int, int] | None:
    """Whether a job was given up, when it is due, how often it was tried; None if it is gone."""
    found = select(jobs.c.failed, jobs.c.run_at, jobs.c.attempts).where(jobs.c.id == job)
    row = hub.read(lambda conn: conn.execute(found).first())
    return tuple(row) if row else None


def test_jobs_are_listed_by_where_they_stand(root: Browser):
    hub, now = root.hub, root.hub.clock()
    failed = put(hub, failed=True, attempts=8, error=HOSTILE, kind="cas.check-files")
    running = put(hub, lease_until=now + 1, attempts=1)
    for number in range(60):
        put(hub, run_at=now + number, args=f'{{"number":{number}}}')
    page = root.json("/admin/jobs")
    assert [one["args"] for one in page["jobs"]] == [f'{{"number":{n}}}' for n in range(50)]
    assert len(root.json(page["next"])["jobs"]) == 10
    counts = {one["name"]: one["count"] for one in page["states"]}
    assert counts == {"Waiting": 60, "Running": 1, "Given up": 1}
    assert [one["id"] for one in root.json("/admin/jobs?state=running")["jobs"]] == [running]
    (one,) = root.json("/admin/jobs?state=failed")["jobs"]
    assert (one["id"], one["error"], one["attempts"]) == (failed, HOSTILE, 8)
    kinds = {one["kind"]: one for one in page["kinds"]}
    assert (kinds["cas.check-files"]["failed"], kinds["cas.check-files"]["waiting"]) == (1, 0)
    assert root.json("/admin/jobs?kind=cas.check-files")["jobs"] == []
    assert root.json("/admin/jobs?state=failed&kind=cas.check-files")["jobs"] != []
    for query in ("?state=lost", "?cursor=zzz", "?x=1", f"?kind={'x' * 65}"):
        assert root.get(f"/admin/jobs{query}").status_code == 400, query


@on_sqlite
def test_errors_and_arguments_are_text(root: Browser):
    put(root.hub, failed=True, error=HOSTILE, args='{"x":"<i>\u202e"}', kind="<u>")
    page = root.get("/admin/jobs?state=failed").text
    assert "<script>alert" not in page
    assert "<i>" not in page
    assert "<u>" not in page
    assert "\u202e" not in page
    assert "U+202E" in page


def test_a_job_that_was_given_up_runs_again(root: Browser, caplog: pytest.LogCaptureFixture):
    hub = root.hub
    job = put(hub, failed=True, attempts=8, error="boom")
    root.get("/admin/jobs?state=failed")
    with caplog.at_level(logging.INFO, "hubkeep.admin"):
        answer = root.post("/admin/jobs", do="retry", job=str(job), state="failed")
    assert answer.headers["location"] == "/admin/jobs?state=failed&done=retry"
    assert caplog.messages == [f"administrator root had job {job}: retry"]
    assert "in the queue again" in root.seen(answer.headers["location"]).text
    assert standing(hub, job) == (False, hub.clock(), 0)
    hub.run_jobs()
    assert standing(hub, job) is None
    again = root.post("/admin/jobs", do="retry", job=str(job), state="failed")
    assert again.headers["location"] == "/admin/jobs?state=failed&done=gone"
    assert "Nothing was done" in root.seen(again.headers["location"]).text


def test_a_job_is_forgotten_hurried_or_given_up(root: Browser):
    hub, now = root.hub, root.hub.clock()
    gone = put(hub, failed=True, error="boom")
    later = put(hub, run_at=now + 10**6, attempts=2, error="boom")
    root.get("/admin/jobs")
    assert root.post("/admin/jobs", do="forget", job=str(gone)).status_code == 303
    assert standing(hub, gone) is None
    assert root.post("/admin/jobs", do="run", job=str(later)).status_code == 303
    assert standing(hub, later) == (False, now, 2)
    assert root.post("/admin/jobs", do="abandon", job=str(later)).status_code == 303
    assert standing(hub, later) == (True, now, 2)


def test_what_a_worker_has_is_left_alone(root: Browser):
    hub, now = root.hub, root.hub.clock()
    job = put(hub)
    claimed = hub.write(lambda conn: queue.claim(conn, now))
    assert claimed is not None
    root.get("/admin/jobs?state=running")
    for deed in ("run", "abandon", "retry", "forget"):
        answer = root.post("/admin/jobs", do=deed, job=str(job))
        assert answer.headers["location"] == "/admin/jobs?state=waiting&done=gone", deed
    assert standing(hub, job) == (False, now, 1)
    hub.write(lambda conn: queue.finish(conn, claimed))
    assert "No job runs" in Seen(root.get("/admin/jobs?state=running").text).text
    for form in ({"do": "bury"}, {"do": "run", "job": "x"}, {"do": "run", "job": "-1"}):
        assert root.post("/admin/jobs", **{"job": "1", **form}).status_code == 400, form

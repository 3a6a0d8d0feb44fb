# SPDX-License-Identifier: Apache-2.0
"""Background jobs for administrators: what waits, runs and was given up, and why."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import read_cursor, read_query
from hubkeep.identity.access import administrator
from hubkeep.identity.actor import Account, Actor
from hubkeep.jobs import queue
from hubkeep.jobs.listing import (
    MOST_COUNTED,
    Listed,
    State,
    count_by_kind,
    kinds_in_queue,
    list_jobs,
)
from hubkeep.jobs.schedule import last_rounds
from hubkeep.kit.cursors import Number, encode_cursor
from hubkeep.kit.time import Millis
from hubkeep.web.admin_health import QueueHealth, queue_health
from hubkeep.web.admin_lists import ROWS, address
from hubkeep.web.admin_secrets import hushed
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.pages_admin import AdminPage, admin_tabs, for_administrators, noted
from hubkeep.web.repo_head import Link
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

PATH = "/admin/jobs"
DONE: dict[str, str] = {
    "retry": "The job is in the queue again.",
    "run": "The job runs as soon as a worker is free.",
    "abandon": "The job is given up.",
    "forget": "The job is forgotten.",
}
GONE = "Nothing was done: the job is not what it was, since a worker has it, or it is done."

_NAMES = {State.WAITING: "Waiting", State.RUNNING: "Running", State.FAILED: "Given up"}
_ARGS_SHOWN = 300


class JobsQuery(msgspec.Struct, frozen=True):
    """Parameters of the list; `done` says what came of the form before."""

    state: State = State.WAITING
    kind: Annotated[str, msgspec.Meta(max_length=64)] = ""
    cursor: str | None = None
    done: Annotated[str, msgspec.Meta(max_length=10)] = ""
    format: Literal["html", "json"] | None = None


class Behind(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A position in the list."""

    run_at: Number
    id: Number


class JobLine(msgspec.Struct, rename="camel"):
    """A job; `runAt` is when it is due or, of one that was given up, when that was. `error` is what
    it last raised.
    """

    id: int
    kind: str
    args: str
    attempts: int
    run_at: Millis
    lease_until: Millis | None
    created_at: Millis
    error: str

    @property
    def last_line(self) -> str:
        """The end of the error, which mostly says it all."""
        return self.error.strip().rpartition("\n")[2][:300]


class KindLine(msgspec.Struct, rename="camel"):
    """A kind of jobs: when it last came round by the clock, and how many there are by state; counts
    end at a thousand and one.
    """

    kind: str
    href: str
    is_chosen: bool
    enqueued_at: Millis | None
    waiting: int
    running: int
    failed: int


class JobsPage(AdminPage, kw_only=True):
    """The queue. `next` and `first` are addresses."""

    template: ClassVar[str] = "admin_jobs.html"
    state: State
    kind: str
    queue: QueueHealth
    states: Sequence[Link]
    kinds: Sequence[KindLine]
    jobs: Sequence[JobLine]
    all_kinds: str
    first: str | None
    next: str | None
    most_counted: int = MOST_COUNTED
    most_attempts: int = queue.MAX_ATTEMPTS


class Do(msgspec.Struct):
    """What is to be done about a job, and where the list goes on afterwards."""

    do: Literal["retry", "run", "abandon", "forget"]
    job: Number
    state: State = State.WAITING
    kind: Annotated[str, msgspec.Meta(max_length=64)] = ""


@for_administrators
async def jobs(app: "App", request: Request) -> Response:
    """List jobs of a state, and say how each kind stands."""
    query = read_query(request, JobsQuery)
    actor, page = await app.db.read(lambda conn: _look(app, conn, request, query))
    page.done = DONE.get(query.done, "")
    page.error = GONE if query.done == "gone" else ""
    return shown(app, request, page, shell_for(app, request, actor))


@for_administrators
async def change_job(app: "App", request: Request) -> Response:
    """Have a job run now or again, give it up, or forget it."""
    form = await read_form(request, Do)

    def work(conn: Connection) -> tuple[Account, bool]:
        now = app.clock()
        _, admin = administrator(conn, request, now)
        if form.do == "retry":
            return admin, queue.retry(conn, form.job, now)
        if form.do == "run":
            return admin, queue.run_now(conn, form.job, now)
        if form.do == "abandon":
            return admin, queue.abandon(conn, form.job, now)
        return admin, queue.forget(conn, form.job)

    admin, is_done = await app.db.write(work)
    if is_done:
        noted(admin, f"had job {form.job}: {form.do}")
    here = {"state": form.state.value, "kind": form.kind}
    return go_to(address(PATH, {**here, "done": form.do if is_done else "gone"}))


def _look(
    app: "App", conn: Connection, request: Request, query: JobsQuery
) -> tuple[Actor, JobsPage]:
    now = app.clock()
    actor, _ = administrator(conn, request, now)
    place = read_cursor(query.cursor, Behind)
    found = list_jobs(
        conn,
        query.state,
        now,
        ROWS + 1,
        kind=query.kind or None,
        after=(place.run_at, place.id) if place else None,
    )
    here = {"state": query.state.value, "kind": query.kind}
    following = None
    if len(found) > ROWS:
        last = found[ROWS - 1]
        following = encode_cursor(Behind(last.run_at, last.id))
    health = queue_health(conn, now)
    page = JobsPage(
        title="Jobs",
        tabs=admin_tabs("jobs"),
        state=query.state,
        kind=query.kind,
        queue=health,
        states=_states(query, health),
        kinds=_kinds(conn, query, now),
        jobs=[_line(app, one) for one in found[:ROWS]],
        all_kinds=address(PATH, {"state": query.state.value}),
        first=address(PATH, here) if place else None,
        next=address(PATH, {**here, "cursor": following}) if following else None,
    )
    return actor, page


def _states(query: JobsQuery, health: QueueHealth) -> list[Link]:
    counts = {
        State.WAITING: health.waiting,
        State.RUNNING: health.running,
        State.FAILED: health.failed,
    }
    return [
        Link(
            _NAMES[state],
            address(PATH, {"state": state.value, "kind": query.kind}),
            state is query.state,
            counts[state],
        )
        for state in State
    ]


def _kinds(conn: Connection, query: JobsQuery, now: Millis) -> list[KindLine]:
    rounds = last_rounds(conn)
    names = sorted({*rounds, *kinds_in_queue(conn), *([query.kind] if query.kind else [])})
    counts = count_by_kind(conn, names, now) if names else {}
    return [
        KindLine(
            kind=name,
            href=address(PATH, {"state": query.state.value, "kind": name}),
            is_chosen=name == query.kind,
            enqueued_at=rounds.get(name),
            waiting=counts[name][State.WAITING],
            running=counts[name][State.RUNNING],
            failed=counts[name][State.FAILED],
        )
        for name in names
    ]


def _line(app: "App", one: Listed) -> JobLine:
    return JobLine(
        id=one.id,
        kind=one.kind,
        args=hushed(app.config, one.args[:_ARGS_SHOWN]),
        attempts=one.attempts,
        run_at=one.run_at,
        lease_until=one.lease_until,
        created_at=one.created_at,
        error=hushed(app.config, one.error or ""),
    )

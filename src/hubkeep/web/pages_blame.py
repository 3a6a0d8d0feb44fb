# SPDX-License-Identifier: Apache-2.0
"""Blame: a text with the commit beside each line that brought it in."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.content.reading import revision_of
from hubkeep.content.upload_mode import SAMPLE, is_binary
from hubkeep.git import store
from hubkeep.git.blame import Blame, blame
from hubkeep.git.errors import ObjectMissing
from hubkeep.git.program import GitFailed, GitMissing
from hubkeep.git.queries import commits
from hubkeep.git.store import CommitRow, Entry
from hubkeep.http import read_query
from hubkeep.identity.queries_find import names_by_id
from hubkeep.repos.types import Repo
from hubkeep.transfer.smart.turns import turn
from hubkeep.web.apart import apart
from hubkeep.web.commit_rows import CommitShown, commit_shown
from hubkeep.web.file_kinds import TEXT_LIMIT
from hubkeep.web.file_views import lines_of
from hubkeep.web.forms import go_to
from hubkeep.web.repo_head import Link, RepoHead, repo_head
from hubkeep.web.repo_places import Chooser, Spot, address, chooser, crumbs
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import PageVisit, look

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.git")

AGES = 8
"""Steps from the newest commit of a file to its oldest."""

_NOTHING = Blame([], is_cut=False)
_TURN_SECONDS = 10.0
_CUT_FOR = 3_600_000
_LONE = "\N{SYMBOL FOR CARRIAGE RETURN}"


class BlameQuery(msgspec.Struct):
    """What the address may ask for."""

    format: Literal["html", "json"] | None = None


class BlameRun(msgspec.Struct, rename="camel"):
    """Lines that came with one commit, as safe HTML, the first of which is number `start`.

    `before` is where the file is as it was before that commit. `age` is 0 for what is newest in the
    file, up to AGES - 1 for what is oldest. Lines that are older than git was given time to go
    have no commit.
    """

    start: int
    lines: Sequence[str]
    commit: CommitShown | None
    before: str | None
    age: int


class BlamePage(Page, kw_only=True):
    """A text in runs of lines; `reason` says why there are none, `isCut` that the oldest commits
    are not known. `total` is how many lines the file has.
    """

    template: ClassVar[str] = "blame.html"
    repo: RepoHead
    refs: Chooser
    crumbs: Sequence[Link]
    path: str
    commit: str
    size: int
    total: int
    runs: Sequence[BlameRun]
    reason: str | None
    is_cut: bool
    file: str
    history: str


@dataclass(frozen=True, slots=True)
class _Found:
    visitor: PageVisit
    spot: Spot
    refs: Chooser
    entry: Entry
    content: bytes
    reason: str | None
    blame: Blame = _NOTHING
    rows: Mapping[bytes, CommitRow] | None = None
    names: Mapping[int, str] | None = None


async def blame_page(app: "App", request: Request) -> Response:
    """Show where the lines of a file come from; the address of a folder leads to its own page."""
    read_query(request, BlameQuery)
    found = await app.db.read(lambda conn: _find(conn, app, request))
    if isinstance(found, Spot):
        return go_to(found.to("tree"))
    if found.reason is None:
        found = await _blamed(app, found)
    shell = shell_for(app, request, found.visitor.actor)
    page = await apart(app, partial(_page, found))
    return await apart(app, partial(shown, app, request, page, shell))


def _find(conn: Connection, app: "App", request: Request) -> _Found | Spot:
    visitor = look(conn, request, app.clock())
    repo, rev = visitor.repo, request.path_params["rev"]
    revision = revision_of(conn, repo, rev)
    spot = Spot(repo, rev, request.path_params["path"].strip("/"), revision)
    entry = store.entry(conn, repo.id, revision.tree, spot.path)
    if entry is None:
        raise errors.entry_not_found(spot.path, spot.commit)
    if entry.kind == "directory":
        return spot
    reason, content = _why_not(entry), b""
    if reason is None:
        content = store.blob(conn, repo.id, entry.oid, TEXT_LIMIT)
        if is_binary(content[:SAMPLE]) or b"\0" in content:
            reason, content = "A binary file has no lines.", b""
    return _Found(visitor, spot, chooser(conn, spot, "blame"), entry, content, reason)


def _why_not(entry: Entry) -> str | None:
    """Why lines of a file cannot be told apart, where that is plain without reading it."""
    if entry.kind != "file":
        return f"A {entry.kind} has no lines."
    if entry.lfs is not None:
        return "This file is stored outside of git, which knows its versions and not their lines."
    return "This file is too large for that." if entry.size > TEXT_LIMIT else None


async def _blamed(app: "App", found: _Found) -> _Found:
    """The same with what git says of the lines, or with the reason why it says nothing."""
    spot = found.spot
    try:
        said = await _said(app, spot)
    except GitMissing:
        return replace(found, reason="This needs git, which is not installed where the hub runs.")
    except ObjectMissing:
        reason = "No branch and no tag leads to this commit any more."
        return replace(found, reason=reason)
    except GitFailed as failed:
        log.warning("git could not blame in repository %s: %s", spot.repo.id, failed)
        return replace(found, reason="git could not tell, at least not in the time that it has.")
    oids = list(dict.fromkeys(run.commit for run in said.runs))

    def work(conn: Connection) -> _Found:
        rows = commits(conn, spot.repo.id, oids)
        names = names_by_id(conn, (row.author_id for row in rows.values()))
        return replace(found, blame=said, rows=rows, names=names)

    return await app.db.read(work)


async def _said(app: "App", spot: Spot) -> Blame:
    """What git says of a file of a commit, which never changes; where time was short it is asked
    again some time later.
    """
    assert spot.revision is not None
    commit = spot.revision.commit
    whole = ("blame", commit, spot.path)
    cut = (*whole, app.clock() // _CUT_FOR)
    kept = app.cache.get(whole) or app.cache.get(cut)
    if kept is not None:
        return msgspec.msgpack.decode(kept, type=Blame)

    def work() -> Blame:
        with app.git_cache.current(app.db, spot.repo.id, spot.repo.default_branch) as cached:
            return blame(cached.path, commit, spot.path)

    async with turn(app, _TURN_SECONDS):
        said = await asyncio.get_running_loop().run_in_executor(app.git_threads, work)
    app.cache.put(cut if said.is_cut else whole, msgspec.msgpack.encode(said))
    return said


def _page(found: _Found) -> BlamePage:
    spot = found.spot
    # For git, line feeds alone end lines.
    text = found.content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", _LONE)
    lines = lines_of(text, spot.name)
    return BlamePage(
        title=f"Blame of {spot.path} · {spot.repo.path}",
        repo=repo_head(found.visitor, "files", spot.rev),
        refs=found.refs,
        crumbs=crumbs(spot),
        path=spot.path,
        commit=spot.commit,
        size=found.entry.shown_size,
        total=lines.total,
        runs=[] if found.reason else _runs(found, lines.html),
        reason=found.reason,
        is_cut=found.blame.is_cut,
        file=spot.to("blob"),
        history=spot.to("commits"),
    )


def _runs(found: _Found, lines: Sequence[str]) -> list[BlameRun]:
    repo, rows = found.spot.repo, found.rows or {}
    ages = _ages(rows)
    shown: list[BlameRun] = []
    at = 1
    for run in found.blame.runs:
        if run.start > at:
            shown.append(BlameRun(at, lines[at - 1 : run.start - 1], None, None, AGES - 1))
        row = rows.get(run.commit)
        shown.append(
            BlameRun(
                start=run.start,
                lines=lines[run.start - 1 : run.start - 1 + run.count],
                commit=commit_shown(repo, row, found.names) if row else None,
                before=_address_before(repo, run.before),
                age=ages.get(run.commit, AGES - 1),
            )
        )
        at = run.start + run.count
    shown.append(BlameRun(at, lines[at - 1 :], None, None, AGES - 1))
    return [run for run in shown if run.lines]


def _address_before(repo: Repo, before: tuple[bytes, str] | None) -> str | None:
    return address(repo, "blame", before[0].hex(), before[1]) if before else None


def _ages(rows: Mapping[bytes, CommitRow]) -> dict[bytes, int]:
    """How old commits are among each other, in AGES steps of equal length."""
    times = [row.committed_at for row in rows.values()]
    newest, span = max(times, default=0), max(times, default=0) - min(times, default=0)
    return {
        oid: min(AGES - 1, (newest - row.committed_at) * AGES // span) if span else 0
        for oid, row in rows.items()
    }

# SPDX-License-Identifier: Apache-2.0
"""Two revisions side by side, and the form that chooses them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.content.comparing import Changes, compared, read_changes, trees_named
from hubkeep.content.reading import revision_of
from hubkeep.git import store
from hubkeep.git.store import BRANCHES, TAGS
from hubkeep.http import read_query
from hubkeep.repos.types import Repo
from hubkeep.web.apart import apart
from hubkeep.web.diffs import Diff, diff_shown
from hubkeep.web.forms import go_to
from hubkeep.web.repo_head import RepoHead, repo_head
from hubkeep.web.repo_places import address
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import PageVisit, look

if TYPE_CHECKING:
    from hubkeep.app import App

_OFFERED = 100


class CompareChoice(msgspec.Struct):
    """What the form sends: with three dots, only what came since both had the same."""

    old: str = ""
    new: str = ""
    dots: Literal["..", "..."] = "..."
    format: Literal["html", "json"] | None = None


class ComparePage(Page, kw_only=True):
    """Two revisions; `diff` is null, and only the form is shown, where none were chosen."""

    template: ClassVar[str] = "compare.html"
    repo: RepoHead
    action: str
    old: str
    new: str
    dots: str
    offered: Sequence[str]
    swapped: str | None
    patch: str | None
    diff: Diff | None


@dataclass(frozen=True, slots=True)
class _Found:
    visitor: PageVisit
    offered: Sequence[str]
    changes: Changes | None
    commits: tuple[str, str]


async def choose(app: "App", request: Request) -> Response:
    """Show the form, or go where it says."""
    query = read_query(request, CompareChoice)

    def work(conn: Connection) -> _Found:
        visitor = look(conn, request, app.clock())
        return _Found(visitor, _offered(conn, visitor.repo), None, ("", ""))

    found = await app.db.read(work)
    old, new = query.old.strip(), query.new.strip()
    if old and new:
        return go_to(address(found.visitor.repo, "compare", f"{old}{query.dots}{new}"))
    page = _page(found, old or found.visitor.repo.default_branch, query.dots, new)
    return shown(app, request, page, shell_for(app, request, found.visitor.actor))


async def compare(app: "App", request: Request) -> Response:
    """Show what changed from one revision to another; see `content.comparing.trees_named`."""
    read_query(request, CompareChoice)
    revisions = request.path_params["revs"]
    dots = "..." if "..." in revisions else ".."
    old, _, new = revisions.partition(dots)

    def work(conn: Connection) -> _Found:
        visitor = look(conn, request, app.clock())
        repo = visitor.repo
        trees = trees_named(conn, repo, revisions)
        ids = [revision_of(conn, repo, name).commit.hex() for name in (old, new)]
        changes = read_changes(conn, repo.id, *trees)
        return _Found(visitor, _offered(conn, repo), changes, (ids[0], ids[1]))

    found = await app.db.read(work)
    page = await apart(app, partial(_page, found, old, dots, new))
    shell = shell_for(app, request, found.visitor.actor)
    return await apart(app, partial(shown, app, request, page, shell))


def _offered(conn: Connection, repo: Repo) -> list[str]:
    """Names of branches and tags, which the form completes."""
    return [
        ref.name.removeprefix(prefix)
        for prefix in (BRANCHES, TAGS)
        for ref in store.refs_below(conn, repo.id, prefix, limit=_OFFERED)
    ]


def _page(found: _Found, old: str, dots: str, new: str) -> ComparePage:
    repo, diff, swapped, patch = found.visitor.repo, None, None, None
    if found.changes is not None:
        diff = diff_shown(repo, compared(found.changes, raw=False), *found.commits)
        swapped = address(repo, "compare", f"{new}{dots}{old}")
        here = address(repo, "compare", f"{old}{dots}{new}").rpartition("/")[2]
        patch = f"/api/{repo.type.plural}/{repo.path}/compare/{here}?raw=true"
    return ComparePage(
        title=f"{old} and {new} · {repo.path}" if diff else f"Compare · {repo.path}",
        repo=repo_head(found.visitor, "refs"),
        action=f"/{repo.web_path}/compare",
        old=old,
        new=new,
        dots=dots,
        offered=found.offered,
        swapped=swapped,
        patch=patch,
        diff=diff,
    )

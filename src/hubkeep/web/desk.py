# SPDX-License-Identifier: Apache-2.0
"""Where pages begin that change what is in a repository: who is there, and which branch it is for.

What cannot be changed here is said with the way that works, by a page.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.content.editing import head_of, tree_of
from hubkeep.errors import HubError
from hubkeep.git.store import BRANCHES, Revision
from hubkeep.http import raw_path
from hubkeep.identity.rules import Action
from hubkeep.kit.time import Millis
from hubkeep.repos.types import Repo
from hubkeep.web.repo_head import Link, RepoHead, repo_head
from hubkeep.web.repo_places import SHORT, Spot, crumbs
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import PageVisit, look

if TYPE_CHECKING:
    from hubkeep.app import App

_COMMIT = re.compile("[0-9a-f]{40}")

_Handler = Callable[["App", Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Desk:
    """Who changes something, and the branch; `head` is None before its first commit."""

    visitor: PageVisit
    branch: str
    head: Revision | None

    @property
    def repo(self) -> Repo:
        """The repository."""
        return self.visitor.repo

    @property
    def tree(self) -> bytes:
        """The root folder at the head."""
        return tree_of(self.head)

    @property
    def commit(self) -> str:
        """The id of the head; "" before the first commit."""
        return self.head.commit.hex() if self.head else ""

    def spot(self, path: str) -> Spot:
        """Return a path at this branch."""
        return Spot(self.repo, self.branch, path, self.head)


class RefusedPage(Page, kw_only=True):
    """What cannot be done here: why, and what can be done instead."""

    template: ClassVar[str] = "refused.html"
    repo: RepoHead
    crumbs: Sequence[Link]
    heading: str
    why: str
    instead: str
    links: Sequence[Link]


class Refused(Exception):
    """What is to be shown instead of the page that was asked for."""

    def __init__(self, visitor: PageVisit, page: RefusedPage, status: int) -> None:
        super().__init__(page.why)
        self.visitor = visitor
        self.page = page
        self.status = status


def branch_offered(visitor: PageVisit, spot: Spot) -> str | None:
    """Return the branch that a page may offer to change; None for who may not, or at a commit."""
    if not visitor.may_write:
        return None
    if spot.revision is None:
        return spot.repo.default_branch
    ref = spot.revision.ref or ""
    return ref.removeprefix(BRANCHES) if ref.startswith(BRANCHES) else None


def at_desk(conn: Connection, request: Request, now: Millis) -> Desk:
    """Return the desk of who may write; refused as `visit` does, and Refused for what is no branch.

    The first line of each page that changes what is in a repository, inside its unit of work.
    """
    visitor = look(conn, request, now, Action.WRITE)
    rev = request.path_params["rev"]
    try:
        branch, head = head_of(conn, visitor.repo, rev)
    except HubError as error:
        if error.status != 400:
            raise
        raise _no_branch(visitor, request, rev) from error
    return Desk(visitor, branch, head)


def _no_branch(visitor: PageVisit, request: Request, rev: str) -> Refused:
    repo = visitor.repo
    steps = raw_path(request).split("/")
    at = len(f"/{repo.web_path}".split("/")) + 1  # behind the name of the page
    there = "/".join([*steps[:at], quote(repo.default_branch, safe=""), *steps[at + 1 :]])
    query = request.url.query if request.method in ("GET", "HEAD") else ""
    page = RefusedPage(
        title=f"Not a branch · {repo.path}",
        repo=repo_head(visitor, "files", rev),
        crumbs=crumbs(Spot(repo, rev, request.path_params.get("path", "").strip("/"), None)),
        heading=f"{rev[:SHORT] if _COMMIT.fullmatch(rev) else rev} is not a branch",
        why="It is a tag or a commit, and those stay as they are. Commits go to branches.",
        instead="",
        links=[Link(f"Go on with {repo.default_branch}", f"{there}?{query}" if query else there)],
    )
    return Refused(visitor, page, 400)


def refuses(handler: _Handler) -> _Handler:
    """Answer with the page of what a handler refused."""

    @wraps(handler)
    async def told(app: "App", request: Request) -> Response:
        try:
            return await handler(app, request)
        except Refused as refused:
            shell = shell_for(app, request, refused.visitor.actor)
            return shown(app, request, refused.page, shell, status=refused.status)

    return told

# SPDX-License-Identifier: Apache-2.0
"""Places in a repository: the addresses of their pages, the way there, other revisions of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection

from hubkeep.git import store
from hubkeep.git.store import BRANCHES, TAGS, Revision
from hubkeep.repos.types import Repo
from hubkeep.web.markdown import Place
from hubkeep.web.repo_head import Link

PageName = Literal[
    "tree",
    "blob",
    "raw",
    "resolve",
    "preview",
    "blame",
    "commits",
    "commit",
    "compare",
    "new",
    "edit",
    "upload",
    "delete",
    "revert",
]

SHORT = 7
"""Digits of a commit's id that people read."""

_CHOICES = 100


def address(repo: Repo, page: PageName, rev: str, path: str = "") -> str:
    """Return the address of a page about a path at a revision, whatever letters they have."""
    below = f"/{quote(path)}" if path else ""
    return f"/{repo.web_path}/{page}/{quote(rev, safe='')}{below}"


@dataclass(frozen=True, slots=True)
class Spot:
    """A path at a revision, as the address says it; `revision` is None in an empty repository."""

    repo: Repo
    rev: str
    path: str
    revision: Revision | None

    @property
    def name(self) -> str:
        """The last step of the path."""
        return self.path.rpartition("/")[2]

    @property
    def commit(self) -> str:
        """The commit's id; the revision's name where there is none."""
        return self.revision.commit.hex() if self.revision else self.rev

    def to(self, page: PageName, path: str | None = None) -> str:
        """Return the address of a page about this path, or another one, at this revision."""
        return address(self.repo, page, self.rev, self.path if path is None else path)

    def text_place(self, folder: str, origin: str) -> Place:
        """Return where a Markdown text in a folder of this revision leads to."""
        links, images = f"{self.to('blob', '')}/", f"{self.to('preview', '')}/"
        return Place(links, images, folder, links, images, origin)


def crumbs(spot: Spot) -> list[Link]:
    """Return the way to a path: the repository, its folders, and the path itself, which is
    current.
    """
    steps = spot.path.split("/") if spot.path else []
    found = [Link(spot.repo.path.rpartition("/")[2], spot.to("tree", ""), not steps)]
    for depth, step in enumerate(steps, 1):
        is_last = depth == len(steps)
        page: PageName = "tree"
        found.append(Link(step, spot.to(page, "/".join(steps[:depth])), is_last))
    return found


class Chooser(msgspec.Struct, rename="camel"):
    """The menu of revisions: which one is shown, and some of the others.

    `kind` is branch, tag or commit. Not all branches and tags are listed where there are many; the
    page `more` has them.
    """

    name: str
    kind: str
    branches: Sequence[Link]
    tags: Sequence[Link]
    more: str


def chooser(conn: Connection, spot: Spot, page: PageName) -> Chooser:
    """Return the menu that leads to the same page and path at other revisions."""
    repo, current = spot.repo, spot.revision.ref if spot.revision else None
    lists: dict[str, list[Link]] = {}
    for prefix in (BRANCHES, TAGS):
        names = [ref.name for ref in store.refs_below(conn, repo.id, prefix, limit=_CHOICES)]
        first = [BRANCHES + repo.default_branch] if spot.revision and prefix == BRANCHES else []
        if current is not None and current.startswith(prefix):
            first.append(current)
        lists[prefix] = [
            Link(name.removeprefix(prefix), _at(spot, page, name, prefix), name == current)
            for name in dict.fromkeys([*first, *names])
        ]
    return Chooser(*_named(spot), lists[BRANCHES], lists[TAGS], f"/{repo.web_path}/refs")


def _at(spot: Spot, page: PageName, ref: str, prefix: str) -> str:
    return address(spot.repo, page, ref.removeprefix(prefix), spot.path)


def _named(spot: Spot) -> tuple[str, str]:
    """What the revision is called, and what it is."""
    ref = spot.revision.ref if spot.revision else BRANCHES + spot.rev
    if ref is None:
        return spot.commit[:SHORT], "commit"
    if ref.startswith(BRANCHES):
        return ref.removeprefix(BRANCHES), "branch"
    if ref.startswith(TAGS):
        return ref.removeprefix(TAGS), "tag"
    return ref, "branch"

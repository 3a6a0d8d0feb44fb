# SPDX-License-Identifier: Apache-2.0
"""A folder: what is in it, what changed it last, and its README."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.content.reading import last_changes, revision_of
from hubkeep.git import store
from hubkeep.git.errors import BadPath, NotAFolder, PathMissing
from hubkeep.git.program import GitMissing, find_git
from hubkeep.git.queries import commits
from hubkeep.git.store import CommitRow, Entry
from hubkeep.http import read_cursor, read_query
from hubkeep.kit.cursors import encode_cursor
from hubkeep.repos.types import Repo
from hubkeep.transfer.cas.queries_reading import xet_hashes
from hubkeep.web.apart import apart
from hubkeep.web.commit_rows import CommitShown, commit_shown
from hubkeep.web.desk import branch_offered
from hubkeep.web.forms import go_to
from hubkeep.web.kept import NotYet
from hubkeep.web.rendered import rendered
from hubkeep.web.repo_head import Link, RepoHead, repo_head
from hubkeep.web.repo_places import Chooser, Spot, address, chooser, crumbs
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import PageVisit, look
from hubkeep.web.ways import Way, ways_in, ways_out
from hubkeep.web.words import plain

if TYPE_CHECKING:
    from hubkeep.app import App

ROWS = 1000

_READMES = ("README.md", "readme.md", "Readme.md", "README.txt", "README")
_FOR_GIT = ".gitattributes"
_README_LIMIT = 2 << 20


class FolderQuery(msgspec.Struct):
    """What the address of a folder may ask for."""

    cursor: str | None = None
    format: Literal["html", "json"] | None = None


class FileRow(msgspec.Struct, rename="camel"):
    """An entry of a folder; `kind` is file, directory, symlink or submodule, which has no page.

    `storage` is lfs or xet for a large file.
    """

    name: str
    kind: str
    href: str | None
    size: int | None
    storage: str | None
    last_commit: CommitShown | None


class Readme(msgspec.Struct, rename="camel"):
    """A text that says what a folder is for; `html` is null while it takes long to prepare."""

    name: str
    href: str
    html: str | None


class TreePage(Page, kw_only=True):
    """A folder. `commit` is null where nothing was committed; `waysIn` says to who may write what
    to do as long as there is nothing to read.
    """

    template: ClassVar[str] = "tree.html"
    repo: RepoHead
    refs: Chooser
    crumbs: Sequence[Link]
    commit: str | None
    last_commit: CommitShown | None
    up: str | None
    rows: Sequence[FileRow]
    history: str
    next: str | None
    readme: Readme | None
    archives: Sequence[Link]
    ways_out: Sequence[Way]
    ways_in: Sequence[Way]
    add: Sequence[Link]
    """Where something is put into the folder, for who may."""
    delete: str | None


@dataclass(frozen=True, slots=True)
class _Folder:
    """What is read of a folder."""

    entries: Sequence[Entry]
    last: dict[str, CommitRow]
    above: CommitRow | None
    in_chunks: set[bytes]
    readme: tuple[Entry, bytes] | None
    after: str | None


@dataclass(frozen=True, slots=True)
class _Found:
    visitor: PageVisit
    spot: Spot
    refs: Chooser
    folder: _Folder


async def tree(app: "App", request: Request) -> Response:
    """Show a folder; the address of a file leads to its own page."""
    query = read_query(request, FolderQuery)
    after = read_cursor(query.cursor, str)
    rev, path = request.path_params["rev"], request.path_params.get("path", "").strip("/")

    def work(conn: Connection) -> _Found | Spot:
        visitor = look(conn, request, app.clock())
        spot = _spot(conn, visitor.repo, rev, path)
        try:
            folder = _read(conn, app, spot, after)
        except NotAFolder:
            return spot
        except (BadPath, PathMissing) as bad:
            raise errors.entry_not_found(path, spot.commit) from bad
        return _Found(visitor, spot, chooser(conn, spot, "tree"), folder)

    found = await app.db.read(work)
    if isinstance(found, Spot):
        return go_to(found.to("blob"))
    base = app.base_url(request)
    page = await apart(app, partial(_page, found, base))
    page.readme = await _shown_readme(app, found.spot, found.folder.readme, base)
    return shown(app, request, page, shell_for(app, request, found.visitor.actor))


def _spot(conn: Connection, repo: Repo, rev: str, path: str) -> Spot:
    """The folder that is asked for; the root of an empty repository is one without a revision."""
    is_empty = repo.head is None and not path and rev in (repo.default_branch, "HEAD")
    return Spot(repo, rev, path, None if is_empty else revision_of(conn, repo, rev))


def _read(conn: Connection, app: "App", spot: Spot, after: str | None) -> _Folder:
    repo, revision, path = spot.repo, spot.revision, spot.path
    if revision is None:
        return _Folder([], {}, None, set(), None, None)
    found = store.folder(conn, repo.id, revision.tree, path, after=after, limit=ROWS + 1)
    entries = found[:ROWS]
    oids = {entry.lfs.sha256 for entry in entries if entry.lfs}
    above = store.last_commit(conn, repo.id, revision.row, path)
    return _Folder(
        entries=entries,
        last=last_changes(conn, repo, revision, entries, app.cache),
        above=commits(conn, repo.id, [above]).get(above),
        in_chunks=set(xet_hashes(conn, repo.id, oids)) if oids else set(),
        readme=None if after else _readme(conn, repo, revision.tree, path),
        after=_cursor(entries[-1]) if len(found) > ROWS else None,
    )


def _cursor(entry: Entry) -> str:
    return entry.path + ("/" if entry.kind == "directory" else "")


def _readme(
    conn: Connection, repo: Repo, tree_oid: bytes, folder: str
) -> tuple[Entry, bytes] | None:
    prefix = f"{folder}/" if folder else ""
    for entry in store.entries(conn, repo.id, tree_oid, [prefix + name for name in _READMES]):
        if entry.kind == "file" and entry.lfs is None and entry.size <= _README_LIMIT:
            return entry, store.blob(conn, repo.id, entry.oid, _README_LIMIT)
    return None


def _page(found: _Found, base: str) -> TreePage:
    spot, folder = found.spot, found.folder
    repo, is_empty = spot.repo, spot.revision is None
    above = spot.path.rpartition("/")[0]
    branch = branch_offered(found.visitor, spot)
    return TreePage(
        title=f"{spot.path} · {repo.path}" if spot.path else f"Files of {repo.path}",
        repo=repo_head(found.visitor, "files", spot.rev),
        refs=found.refs,
        crumbs=crumbs(spot),
        commit=None if is_empty else spot.commit,
        last_commit=commit_shown(repo, folder.above) if folder.above else None,
        up=spot.to("tree", above) if spot.path else None,
        rows=[_row(spot, entry, folder) for entry in folder.entries],
        history=spot.to("commits"),
        next=f"{spot.to('tree')}?cursor={encode_cursor(folder.after)}" if folder.after else None,
        readme=None,
        archives=[] if is_empty else _archives(spot),
        ways_out=[] if is_empty else ways_out(repo, spot.rev, base),
        ways_in=ways_in(repo, base) if found.visitor.may_write and _is_bare(spot, folder) else [],
        add=_ways_to_add(spot, branch, folder) if branch else [],
        delete=address(repo, "delete", branch, spot.path) if branch and spot.path else None,
    )


def _ways_to_add(spot: Spot, branch: str, folder: _Folder) -> list[Link]:
    """Where a folder of a branch is added to; a repository without a card is offered one."""
    here = address(spot.repo, "new", branch, spot.path)
    found = [
        Link("New file", here),
        Link("Upload files", address(spot.repo, "upload", branch, spot.path)),
    ]
    if not spot.path and folder.after is None and folder.readme is None:
        found.append(Link("Write the card", f"{here}?name=README.md"))
    return found


def _is_bare(spot: Spot, folder: _Folder) -> bool:
    """Whether nobody has put anything in: what a new repository has is for git alone."""
    is_first = not spot.path and folder.after is None
    return is_first and all(entry.path == _FOR_GIT for entry in folder.entries)


def _row(spot: Spot, entry: Entry, folder: _Folder) -> FileRow:
    last = folder.last.get(entry.path)
    page = "tree" if entry.kind == "directory" else "blob"
    storage = None
    if entry.lfs:
        storage = "xet" if entry.lfs.sha256 in folder.in_chunks else "lfs"
    return FileRow(
        name=entry.path.rpartition("/")[2],
        kind=entry.kind,
        href=spot.to(page, entry.path),
        size=entry.shown_size if entry.kind == "file" else None,
        storage=storage,
        last_commit=commit_shown(spot.repo, last) if last else None,
    )


async def _shown_readme(
    app: "App", spot: Spot, readme: tuple[Entry, bytes] | None, base: str
) -> Readme | None:
    if readme is None:
        return None
    entry, content = readme
    name = entry.path.rpartition("/")[2]
    html: str | None = None
    if name.lower().endswith(".md"):
        with suppress(NotYet):
            place = spot.text_place(spot.path, base)
            html = (await rendered(app, entry.oid, content, place)).html
    else:
        html = await apart(app, partial(_as_written, content))
    return None if html == "" else Readme(name, spot.to("blob", entry.path), html)


def _as_written(content: bytes) -> str:
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    return f"<pre>{plain(text)}</pre>"


def _archives(spot: Spot) -> list[Link]:
    try:
        find_git()
    except GitMissing:
        return []
    root = spot.to("tree", "").replace(f"/{spot.repo.web_path}/tree/", "", 1)
    return [
        Link(suffix, f"/{spot.repo.web_path}/archive/{root}.{suffix}")
        for suffix in ("zip", "tar.gz")
    ]

# SPDX-License-Identifier: Apache-2.0
"""A file: its text in lines, rendered, as a table, as cells, as a picture, or what is known of it.

Nothing that a user wrote runs here: pictures and sounds load from the address that sends files, and
everything else is escaped or goes through the sanitiser.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.cards.front_matter import split_front_matter
from hubkeep.content.reading import revision_of
from hubkeep.content.upload_mode import SAMPLE, is_binary
from hubkeep.git import store
from hubkeep.git.queries import commits
from hubkeep.git.store import CommitRow, Entry
from hubkeep.http import read_query
from hubkeep.transfer.queries import LinkedFile, linked_files
from hubkeep.web.apart import apart
from hubkeep.web.commit_rows import CommitShown, commit_shown
from hubkeep.web.desk import branch_offered
from hubkeep.web.edits import CardMessages, card_messages, unfit
from hubkeep.web.file_kinds import READ_LIMIT, has_source, kind_of, word_for
from hubkeep.web.file_views import Lines, Table, lines_of, table_of, text_of
from hubkeep.web.forms import go_to
from hubkeep.web.markdown import render_markdown
from hubkeep.web.notebooks import Notebook, notebook_of
from hubkeep.web.repo_head import Link, RepoHead, repo_head
from hubkeep.web.repo_places import Chooser, Spot, address, chooser, crumbs
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import PageVisit, look
from hubkeep.web.weights import Weights, weights_of
from hubkeep.xet.hashes import to_text

if TYPE_CHECKING:
    from hubkeep.app import App

_READ = ("text", "markdown", "table", "notebook", "symlink")
_WRITTEN = ("text", "markdown", "table", "notebook")


class BlobQuery(msgspec.Struct):
    """What the address of a file may ask for; `plain` shows its text as it was written."""

    plain: bool = False
    format: Literal["html", "json"] | None = None


class LargeFile(msgspec.Struct, rename="camel"):
    """What the hub knows of a file outside of git; `isHere` is false where its pointer is all that
    is left. The sha256 is the uploader's word until the hub has computed it.
    """

    sha256: str
    size: int
    xet_hash: str | None
    is_here: bool
    is_checked: bool
    is_damaged: bool


class BlobPage(Page, kw_only=True):
    """A file; `kind` says which of `lines`, `html`, `table`, `notebook` and `weights` it has.

    `resolve` is where its bytes are, `raw` what git has of it, `rendered` and `source` lead to the
    other view where there are two.
    """

    template: ClassVar[str] = "blob.html"
    repo: RepoHead
    refs: Chooser
    crumbs: Sequence[Link]
    path: str
    commit: str
    last_commit: CommitShown | None
    kind: str
    size: int
    is_executable: bool
    word: str
    target: str | None = None
    lines: Lines | None = None
    html: str | None = None
    table: Table | None = None
    notebook: Notebook | None = None
    weights: Weights | None = None
    large: LargeFile | None
    raw: str
    resolve: str
    history: str
    permalink: str | None
    rendered: str | None
    source: str | None
    edit: str | None = None
    delete: str | None = None
    card: CardMessages | None = None
    """What the hub finds in the front matter, for who may mend it."""


@dataclass(frozen=True, slots=True)
class _Found:
    visitor: PageVisit
    spot: Spot
    entry: Entry
    refs: Chooser
    last: CommitRow | None
    content: bytes
    file: LinkedFile | None
    xet_hash: bytes | None
    plain: bool


async def blob(app: "App", request: Request) -> Response:
    """Show a file; the address of a folder leads to its own page."""
    query = read_query(request, BlobQuery)
    found = await app.db.read(lambda conn: _find(conn, app, request, plain=query.plain))
    if isinstance(found, Spot):
        return go_to(found.to("tree"))
    shell = shell_for(app, request, found.visitor.actor)
    page = await apart(app, partial(_page, found, shell.base))
    return await apart(app, partial(shown, app, request, page, shell))


def _find(conn: Connection, app: "App", request: Request, *, plain: bool) -> _Found | Spot:
    visitor = look(conn, request, app.clock())
    repo, rev = visitor.repo, request.path_params["rev"]
    revision = revision_of(conn, repo, rev)
    spot = Spot(repo, rev, request.path_params["path"].strip("/"), revision)
    entry = store.entry(conn, repo.id, revision.tree, spot.path)
    if entry is None:
        raise errors.entry_not_found(spot.path, spot.commit)
    if entry.kind == "directory":
        return spot
    last = store.last_commit(conn, repo.id, revision.row, spot.path)
    oid = entry.lfs.sha256 if entry.lfs else None
    file = linked_files(conn, repo.id, [oid]).get(oid) if oid else None
    is_read = kind_of(entry, plain=plain) in _READ
    return _Found(
        visitor=visitor,
        spot=spot,
        entry=entry,
        refs=chooser(conn, spot, "blob"),
        last=commits(conn, repo.id, [last]).get(last),
        content=store.blob(conn, repo.id, entry.oid, READ_LIMIT) if is_read else b"",
        file=file,
        xet_hash=file.xet_hash if file else None,
        plain=plain,
    )


def _page(found: _Found, base: str) -> BlobPage:
    spot, entry = found.spot, found.entry
    repo, here = spot.repo, spot.to("blob")
    permalink = address(repo, "blob", spot.commit, spot.path)
    two = has_source(spot.path) and entry.lfs is None and entry.kind == "file"
    page = BlobPage(
        title=f"{spot.path} · {repo.path}",
        repo=repo_head(found.visitor, "files", spot.rev),
        refs=found.refs,
        crumbs=crumbs(spot),
        path=spot.path,
        commit=spot.commit,
        last_commit=commit_shown(repo, found.last) if found.last else None,
        kind=kind_of(entry, plain=found.plain),
        size=entry.shown_size,
        is_executable=bool(entry.mode & 0o100) and entry.kind == "file",
        word=word_for(spot.path),
        large=_large(found),
        raw=spot.to("raw"),
        resolve=spot.to("resolve"),
        history=spot.to("commits"),
        permalink=None if permalink == here else permalink,
        rendered=here if two and found.plain else None,
        source=f"{here}?plain=1" if two and not found.plain else None,
    )
    _fill(page, found, base)
    _offer(page, found)
    return page


def _offer(page: BlobPage, found: _Found) -> None:
    """Put in what who looks at it may do to the file."""
    spot, entry = found.spot, found.entry
    branch = branch_offered(found.visitor, spot)
    if branch is None:
        return
    page.delete = address(spot.repo, "delete", branch, spot.path)
    if page.kind in _WRITTEN and unfit(entry, None) is None:
        page.edit = address(spot.repo, "edit", branch, spot.path)
        page.card = card_messages(spot.path, text_of(found.content), spot.repo.type.value)


def _fill(page: BlobPage, found: _Found, base: str) -> None:
    """Put in what the kind of the file asks for; what turns out to be no such file is text."""
    spot, content = found.spot, found.content
    folder = spot.path.rpartition("/")[0]
    match page.kind:
        case "submodule":
            page.target = found.entry.oid.hex()
        case "symlink":
            page.target = content[:4096].decode("utf-8", "replace")
        case "weights":
            page.weights = weights_of(found.file.header if found.file else None)
        case "markdown":
            place = spot.text_place(folder, base)
            page.html = render_markdown(split_front_matter(content).body, place).html
        case "table":
            page.table = table_of(content, spot.name)
        case "notebook":
            page.notebook = notebook_of(content, spot.text_place(folder, base))
    is_unread = page.kind in ("table", "notebook") and not (page.table or page.notebook)
    if page.kind == "text" or is_unread:
        _fill_text(page, content, spot.name)


def _fill_text(page: BlobPage, content: bytes, name: str) -> None:
    if page.kind != "text":
        page.source = None
    if is_binary(content[:SAMPLE]) or b"\0" in content:
        page.kind = "binary"
    else:
        page.kind = "text"
        page.lines = lines_of(text_of(content), name)


def _large(found: _Found) -> LargeFile | None:
    if found.entry.lfs is None:
        return None
    file = found.file
    return LargeFile(
        sha256=found.entry.lfs.sha256.hex(),
        size=found.entry.lfs.size,
        xet_hash=to_text(found.xet_hash) if found.xet_hash else None,
        is_here=file is not None,
        is_checked=file is not None and file.is_checked,
        is_damaged=file is not None and file.is_damaged,
    )

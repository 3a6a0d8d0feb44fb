# SPDX-License-Identifier: Apache-2.0
"""A file: its text in lines, rendered, as a table, as cells, as a picture, or what is known of it.

Nothing that a user wrote runs here: pictures and sounds load from the address that sends them for
that, files of columns are looked into by another process, and everything else is escaped or goes
through the sanitiser.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.blobs import BlobError
from hubkeep.cards.headers import Format
from hubkeep.cards.model_files import read_file_header
from hubkeep.content.reading import revision_of
from hubkeep.content.upload_mode import REGULAR_LIMIT, SAMPLE, is_binary
from hubkeep.errors import HubError
from hubkeep.git import store
from hubkeep.git.queries import commits
from hubkeep.git.store import CommitRow, Entry
from hubkeep.http import read_query
from hubkeep.identity.queries_find import names_by_id
from hubkeep.kit.ranges import ByteRange
from hubkeep.transfer.queries import LinkedFile, linked_files
from hubkeep.transfer.reading_files import read_part
from hubkeep.web.apart import apart
from hubkeep.web.commit_rows import CommitShown, commit_shown
from hubkeep.web.desk import branch_offered
from hubkeep.web.edits import CardMessages, card_messages, unfit
from hubkeep.web.file_kinds import FileKind, has_source, kind_of, suffix_of, word_for
from hubkeep.web.file_views import Lines, Table, lines_of, table_of, text_of
from hubkeep.web.forms import go_to
from hubkeep.web.kept import NotYet
from hubkeep.web.looks import BUSY, Busy
from hubkeep.web.notebooks import Notebook
from hubkeep.web.parquet import Parquet, look_into
from hubkeep.web.rendered import rendered, rendered_notebook
from hubkeep.web.repo_head import Link, RepoHead, repo_head
from hubkeep.web.repo_places import Chooser, Spot, address, chooser, crumbs
from hubkeep.web.shards import Shards, shards_of
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.tensors import ROWS, Tensors, page_of, tensors_of
from hubkeep.web.visits import PageVisit, look
from hubkeep.web.weights import Weights, weights_of
from hubkeep.xet.hashes import to_text

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.web")

_READ = ("text", "markdown", "table", "notebook", "shards", "parquet", "weights", "symlink")
_UNREADABLE = "What is stored of it cannot be read now."
_WRITTEN = ("text", "markdown", "table", "notebook")


class BlobQuery(msgspec.Struct):
    """What the address of a file may ask for; `plain` shows its text as it was written, `p` a page
    of its tensors, from 0.
    """

    plain: bool = False
    p: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    format: Literal["html", "json"] | None = None


class LargeFile(msgspec.Struct, rename="camel"):
    """What the hub knows of a file outside of git; `isHere` is false where its pointer is all that
    is left. The sha256 is the uploader's word until the hub has computed it. `pointer` is what git
    has of it.
    """

    sha256: str
    size: int
    xet_hash: str | None
    pointer: str
    is_here: bool
    is_checked: bool
    is_damaged: bool


class BlobPage(Page, kw_only=True):
    """A file; `kind` says which of `lines`, `html`, `table`, `notebook`, `shards`, `parquet` and
    `weights` (with `tensors`) it has; `html` and `notebook` are null while they take long to make.

    `resolve` is where its bytes are, `media` the same for elements of pages, `raw` what git has
    of it; `rendered` and `source` lead to the other view where there are two.
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
    shards: Shards | None = None
    parquet: Parquet | None = None
    weights: Weights | None = None
    tensors: Tensors | None = None
    tensors_note: str | None = None
    """Why they are not listed."""
    tensors_before: str | None = None
    tensors_after: str | None = None
    large: LargeFile | None
    raw: str
    resolve: str
    media: str
    history: str
    blame: str | None
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
    """What git has of it: its text, or the pointer of a large file."""
    file: LinkedFile | None
    names: Mapping[int, str]
    query: BlobQuery

    @property
    def kind(self) -> FileKind:
        """How it is to be shown."""
        return kind_of(self.entry, plain=self.query.plain)

    @property
    def key(self) -> str:
        """What its bytes are known by."""
        lfs = self.entry.lfs
        return lfs.sha256.hex() if lfs else self.entry.oid.hex()

    @property
    def proven_key(self) -> str:
        """The same, where the hub is sure of it: a sha256 that it has not computed is a claim, by
        which nothing of another file may be found.
        """
        file = self.file
        is_claim = file is not None and not file.is_checked and file.xet_hash is not None
        return f"xet:{to_text(file.xet_hash)}" if is_claim else self.key


async def blob(app: "App", request: Request) -> Response:
    """Show a file; the address of a folder leads to its own page."""
    query = read_query(request, BlobQuery)
    found = await app.db.read(lambda conn: _find(conn, app, request, query))
    if isinstance(found, Spot):
        return go_to(found.to("tree"))
    shell = shell_for(app, request, found.visitor.actor)
    page = await apart(app, partial(_page, found))
    await _render(app, page, found, shell.base)
    await _look_into(app, page, found)
    return await apart(app, partial(shown, app, request, page, shell))


def _find(conn: Connection, app: "App", request: Request, query: BlobQuery) -> _Found | Spot:
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
    is_read = entry.lfs is not None or kind_of(entry, plain=query.plain) in _READ
    row = commits(conn, repo.id, [last]).get(last)
    return _Found(
        visitor=visitor,
        spot=spot,
        entry=entry,
        refs=chooser(conn, spot, "blob"),
        last=row,
        content=store.blob(conn, repo.id, entry.oid, REGULAR_LIMIT) if is_read else b"",
        file=file,
        names=names_by_id(conn, [row.author_id] if row else []),
        query=query,
    )


def _page(found: _Found) -> BlobPage:
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
        last_commit=commit_shown(repo, found.last, found.names) if found.last else None,
        kind=found.kind,
        size=entry.shown_size,
        is_executable=bool(entry.mode & 0o100) and entry.kind == "file",
        word=word_for(spot.path),
        large=_large(found),
        raw=spot.to("raw"),
        resolve=spot.to("resolve"),
        media=spot.to("preview"),
        history=spot.to("commits"),
        blame=spot.to("blame") if entry.kind == "file" and entry.lfs is None else None,
        permalink=None if permalink == here else permalink,
        rendered=here if two and found.query.plain else None,
        source=f"{here}?plain=1" if two and not found.query.plain else None,
    )
    _fill(page, found)
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


def _fill(page: BlobPage, found: _Found) -> None:
    """Put in what the kind of the file asks for; what turns out to be no such file is text."""
    spot, content = found.spot, found.content
    match page.kind:
        case "submodule":
            page.target = found.entry.oid.hex()
        case "symlink":
            page.target = content[:4096].decode("utf-8", "replace")
        case "weights":
            page.weights = weights_of(_header(found))
        case "table":
            page.table = table_of(content, spot.name)
        case "shards":
            page.shards = shards_of(content, spot)
    is_unread = page.kind in ("table", "shards") and not (page.table or page.shards)
    if page.kind == "text" or is_unread:
        _fill_text(page, content, spot.name)


async def _render(app: "App", page: BlobPage, found: _Found, base: str) -> None:
    """Put in what users wrote as HTML, unless that takes long."""
    spot, content, oid = found.spot, found.content, found.entry.oid
    place = spot.text_place(spot.path.rpartition("/")[0], base)
    with suppress(NotYet):
        if page.kind == "markdown":
            page.html = (await rendered(app, oid, content, place)).html
        elif page.kind == "notebook":
            page.notebook = await rendered_notebook(app, oid, content, place)
            if page.notebook is None:
                await apart(app, partial(_fill_text, page, content, spot.name))


def _header(found: _Found) -> str | None:
    """What is known of the header of a file of weights; that of one in git is read now."""
    if found.entry.lfs is not None:
        return found.file.header if found.file else None
    content = found.content
    header = read_file_header(
        _format(found.spot.path),
        lambda offset, length: content[offset : offset + length],
        len(content),
    )
    return msgspec.json.encode(header).decode()


def _format(path: str) -> Format:
    return "gguf" if suffix_of(path) == "gguf" else "safetensors"


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
        xet_hash=to_text(file.xet_hash) if file and file.xet_hash else None,
        pointer=text_of(found.content),
        is_here=file is not None,
        is_checked=file is not None and file.is_checked,
        is_damaged=file is not None and file.is_damaged,
    )


async def _look_into(app: "App", page: BlobPage, found: _Found) -> None:
    """Put in what is not read of the database: of files that are read in parts, wherever they are
    stored.
    """
    lfs, file, size = found.entry.lfs, found.file, found.entry.shown_size
    if page.kind not in ("parquet", "weights") or (lfs and (file is None or file.is_damaged)):
        return

    async def read(offset: int, length: int) -> bytes:
        if lfs is None or file is None:
            return found.content[offset : offset + length]
        return await read_part(app, found.key, file, ByteRange(offset, offset + length))

    try:
        if page.kind == "parquet":
            page.parquet = await look_into(app, found.proven_key, size, read)
        else:
            kind = _format(page.path)
            tensors = await tensors_of(app, found.proven_key, kind, size, read)
            _fill_tensors(page, tensors, found)
    except Busy:
        page.tensors_note = BUSY
    except (HubError, BlobError) as error:
        log.warning("the file %s could not be looked into: %s", found.key, error)
        if page.kind == "parquet":
            page.parquet = Parquet(error=_UNREADABLE)
        else:
            page.tensors_note = _UNREADABLE


def _fill_tensors(page: BlobPage, tensors: Tensors | None, found: _Found) -> None:
    if tensors is None:
        page.tensors_note = "The header is too long to be read for a page."
        return
    here, number = found.spot.to("blob"), found.query.p
    page.tensors = page_of(tensors, number)
    if number:
        page.tensors_before = here if number == 1 else f"{here}?p={number - 1}"
    if (number + 1) * ROWS < len(tensors.rows):
        page.tensors_after = f"{here}?p={number + 1}"

# SPDX-License-Identifier: Apache-2.0
"""The page on which a file is written: what stands in its form, and what is shown beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec

from hubkeep.content.comparing import Comparison, FileDifference
from hubkeep.git.diff import unified_diff
from hubkeep.git.objects import Kind, object_id
from hubkeep.git.store import Entry, FileChange
from hubkeep.git.trees import FILE
from hubkeep.repos.types import Repo
from hubkeep.web.apart import apart
from hubkeep.web.commit_rows import CommitShown
from hubkeep.web.desk import Desk
from hubkeep.web.diffs import Diff, diff_shown
from hubkeep.web.edits import (
    CardMessages,
    card_messages,
    indent_of,
    is_markdown,
    shown_text,
    usual_summary,
    written_text,
)
from hubkeep.web.fields import NONE, Faults, Field
from hubkeep.web.file_views import Lines, lines_of
from hubkeep.web.kept import NotYet
from hubkeep.web.rendered import rendered
from hubkeep.web.repo_head import Link, RepoHead, repo_head
from hubkeep.web.repo_places import crumbs
from hubkeep.web.site import Page

if TYPE_CHECKING:
    from hubkeep.app import App

_MODE = int(FILE, 8)


class EditForm(msgspec.Struct):
    """What the form sends; `parent` is the commit that its page was made from."""

    path: str = ""
    text: str = ""
    summary: str = ""
    description: str = ""
    parent: str = ""
    do: Literal["commit", "preview", "changes"] = "commit"


class Rendered(msgspec.Struct, rename="camel"):
    """The file as its page will show it: Markdown as safe HTML, anything else in lines; neither
    while it takes long to prepare.
    """

    html: str | None
    lines: Lines | None


class Meanwhile(msgspec.Struct, rename="camel"):
    """What somebody else did to a file since the form was opened.

    `now` is where it is, null if it is gone; `compare` and `diff` are null where what was seen is
    gone, or cannot be shown in lines.
    """

    path: str
    now: str | None
    compare: str | None
    last_commit: CommitShown | None
    diff: Diff | None


class EditPage(Page, kw_only=True):
    """A form with a file in it, of lines that end in line feeds; it is sent to `action`.

    `parent` goes with it: what was changed since that commit is not written over unseen. The tab
    key writes `indent`. `rendered` and `changes` are there if they were asked for.
    """

    template: ClassVar[str] = "edit.html"
    repo: RepoHead
    crumbs: Sequence[Link]
    branch: str
    origin: str
    """The path of the file that is edited; empty for a new one."""
    heading: str
    action: str
    cancel: str
    parent: str
    path: Field
    text: str
    text_error: str
    summary: Field
    description: Field
    error: str
    indent: str
    wraps: bool
    is_changed: bool
    """Whether something was written that the repository does not have."""
    card: CardMessages | None
    rendered: Rendered | None = None
    changes: Diff | None = None
    meanwhile: Meanwhile | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What somebody writes on: the file as it was seen, which for a new one is nothing.

    `before` is None too where the file was no text.
    """

    desk: Desk
    origin: str = ""
    entry: Entry | None = None
    before: bytes | None = None
    folder: str = ""

    def written(self, form: EditForm) -> bytes:
        """Return the file that the form means."""
        return written_text(form.text, self.before)

    @property
    def back(self) -> str:
        """Where one came from."""
        spot = self.desk.spot(self.origin or self.folder)
        return spot.to("blob" if self.entry is not None else "tree")


def edit_page(
    sheet: Sheet,
    form: EditForm,
    action: str,
    found: Faults = NONE,
    meanwhile: Meanwhile | None = None,
) -> EditPage:
    """Return the page, with what changes if the form asks for it. For a thread: it takes a while.

    `action` is where the form goes; of a text with faults nothing is shown.
    """
    desk, origin = sheet.desk, sheet.origin
    repo, path = desk.repo, form.path
    before = None if sheet.before is None else shown_text(sheet.before)
    text = shown_text(written_text(form.text, None)) or ""
    what = f"Edit {origin}" if origin else "New file"
    page = EditPage(
        title=f"{what} · {repo.path}",
        repo=repo_head(desk.visitor, "files", desk.branch),
        crumbs=crumbs(desk.spot(origin or sheet.folder)),
        branch=desk.branch,
        origin=origin,
        heading=what,
        action=action,
        cancel=sheet.back,
        parent=desk.commit if meanwhile else form.parent,
        path=_path_field(form, found),
        text=text,
        text_error=found.get("text", ""),
        summary=_summary_field(form, found, usual_summary(origin, path or "a file")),
        description=_description_field(form),
        error=found.get("", ""),
        indent=indent_of(text, path),
        wraps=is_markdown(path) or path.endswith(".txt"),
        is_changed=text != (before or "") or path != origin,
        card=card_messages(path, text, repo.type.value),
        meanwhile=meanwhile,
    )
    if form.do == "changes" and not found:
        page.changes = one_change(repo, path, sheet.before, sheet.written(form))
    return page


def _path_field(form: EditForm, found: Faults) -> Field:
    return Field(
        name="path",
        label="Path",
        value=form.path,
        hint="A slash makes a folder: docs/guide.md",
        error=found.get("path", ""),
        required=True,
    )


def _summary_field(form: EditForm, found: Faults, usual: str) -> Field:
    return Field(
        name="summary",
        label="What changes",
        value=form.summary,
        error=found.get("summary", ""),
        placeholder=usual,
    )


def _description_field(form: EditForm) -> Field:
    label = "Why, and what else there is to say"
    return Field(name="description", label=label, kind="lines", value=form.description)


async def preview(app: "App", desk: Desk, path: str, text: str, base: str) -> Rendered:
    """Return a text as the page of its file will show it; `base` is how the hub is called."""
    if not is_markdown(path):
        name = path.rpartition("/")[2]
        return Rendered(None, await apart(app, partial(lines_of, text, name)))
    content = text.encode("utf-8", "replace")
    place = desk.spot(path).text_place(path.rpartition("/")[0], base)
    try:
        made = await rendered(app, object_id(Kind.BLOB, content), content, place)
    except NotYet:
        return Rendered(None, None)
    return Rendered(made.html, None)


def one_change(repo: Repo, path: str, old: bytes | None, new: bytes | None) -> Diff:
    """Return the change of one file as pages show it, from one text, or none, to another."""
    sides = [None if each is None else _entry(path, each) for each in (old, new)]
    ids = [side.oid.hex() if side else None for side in sides]
    sizes = [side.size if side else None for side in sides]
    change = FileChange(path, sides[0], sides[1])
    text = unified_diff(path, old, new)
    difference = FileDifference(
        path=path,
        status=change.status,
        old_oid=ids[0],
        new_oid=ids[1],
        old_size=sizes[0],
        new_size=sizes[1],
        is_binary=text is None,
        diff=(text or "").encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
    )
    return diff_shown(repo, Comparison([change], [difference], b"", is_cut=False), None, "")


def _entry(path: str, content: bytes) -> Entry:
    return Entry(path, "file", _MODE, object_id(Kind.BLOB, content), len(content))

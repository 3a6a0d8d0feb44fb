# SPDX-License-Identifier: Apache-2.0
"""A comparison as pages show it: changed files, with the lines that were removed and added."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from hubkeep.content.comparing import Comparison, FileDifference
from hubkeep.git.store import FileChange
from hubkeep.repos.types import Repo
from hubkeep.web.repo_places import address

MAX_ROWS = 10_000
"""Lines on a page, of all files together."""
MAX_ROWS_OF_FILE = 2_000
MAX_LINE = 2_000

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


class DiffRow(msgspec.Struct, rename="camel"):
    """A line: `kind` is same, added, removed, hunk or note; its numbers on both sides."""

    kind: str
    old: int | None
    new: int | None
    text: str


class DiffFile(msgspec.Struct, rename="camel"):
    """A changed file; `note` says why it has no rows, `isCut` if there are more than are shown.

    `added` and `removed` count lines, whether they are shown or not. `isLarge` for what is stored
    outside of git: there is nothing to be read line by line.
    """

    id: str
    path: str
    status: str
    href: str | None
    added: int
    removed: int
    old_size: int | None
    new_size: int | None
    is_large: bool
    mode: str | None
    note: str | None
    rows: Sequence[DiffRow]
    is_cut: bool


class Diff(msgspec.Struct, rename="camel"):
    """All changed files; `isCut` if not all of them, or not all of their lines, were looked at.

    `isRough` if of some all lines are replaced, since there was too much to compare.
    """

    files: Sequence[DiffFile]
    added: int
    removed: int
    is_cut: bool
    is_rough: bool


def diff_shown(repo: Repo, found: Comparison, old: str | None, new: str) -> Diff:
    """Return a comparison of the commits `old` and `new`, by their ids, as rows."""
    left = MAX_ROWS
    files: list[DiffFile] = []
    for number, (change, difference) in enumerate(zip(found.changes, found.files, strict=True), 1):
        file = _file(repo, change, difference, (old, new), number, min(left, MAX_ROWS_OF_FILE))
        left -= len(file.rows)
        files.append(file)
    added, removed = sum(file.added for file in files), sum(file.removed for file in files)
    return Diff(files, added, removed, found.is_cut, found.is_rough)


def _file(
    repo: Repo,
    change: FileChange,
    difference: FileDifference,
    commits: tuple[str | None, str],
    number: int,
    limit: int,
) -> DiffFile:
    sides = [side for side in (change.old, change.new) if side is not None]
    is_large = any(side.lfs is not None for side in sides)
    lines = [] if is_large else difference.diff.split("\n")[2:-1]
    rows: list[DiffRow] = []
    for row in _rows(lines):
        if len(rows) >= limit:
            break
        rows.append(row)
    at = commits[1] if change.new is not None else commits[0]
    return DiffFile(
        id=f"file-{number}",
        path=change.path,
        status=change.status,
        href=address(repo, "blob", at, change.path) if at else None,
        added=sum(line.startswith("+") for line in lines),
        removed=sum(line.startswith("-") for line in lines),
        old_size=difference.old_size,
        new_size=difference.new_size,
        is_large=is_large,
        mode=_mode(change),
        note=None if lines else _note(change, difference, is_large=is_large),
        rows=rows,
        is_cut=len(rows) < len(lines),
    )


def _rows(lines: Sequence[str]) -> Iterator[DiffRow]:
    """Read hunks; what begins neither a hunk nor a line says something about the line before."""
    old = new = 0
    for line in lines:
        sign, text = line[:1], line[1 : MAX_LINE + 1] + ("…" if len(line) > MAX_LINE + 1 else "")
        text = text.removesuffix("\r")
        hunk = _HUNK.match(line)
        if hunk is not None:
            old, new = int(hunk[1]), int(hunk[2])
            yield DiffRow("hunk", None, None, line)
        elif sign == "+":
            yield DiffRow("added", None, new, text)
            new += 1
        elif sign == "-":
            yield DiffRow("removed", old, None, text)
            old += 1
        elif sign == " ":
            yield DiffRow("same", old, new, text)
            old, new = old + 1, new + 1
        else:
            yield DiffRow("note", None, None, text.strip())


def _mode(change: FileChange) -> str | None:
    """What became of the mode, where both sides have one and they differ."""
    old, new = change.old, change.new
    if old is None or new is None or old.mode == new.mode:
        return None
    return f"{old.mode:06o} → {new.mode:06o}"


def _note(change: FileChange, difference: FileDifference, *, is_large: bool) -> str | None:
    old, new = change.old, change.new
    if is_large:
        both = old is not None and new is not None
        if both and (old.lfs is None) is not (new.lfs is None):
            return "Now a large file" if new.lfs else "No large file any more"
        return {"added": "Large file added", "deleted": "Large file deleted"}.get(
            change.status, "Large file changed"
        )
    if difference.is_binary:
        return "Binary, or too large to be compared line by line"
    if difference.old_oid == difference.new_oid:
        return "The same content"
    if max(difference.old_size or 0, difference.new_size or 0) == 0:
        return "An empty file"
    return "Not compared: too much has changed before it"

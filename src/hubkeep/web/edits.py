# SPDX-License-Identifier: Apache-2.0
"""Text on its way into a form and back: a file that nobody changed comes back byte for byte.

What stands in a form has line feeds alone, and browsers send CR LF for each. So the ends of lines
are taken from the file that was there, line by line where it has several kinds, and so is a byte
order mark. A line feed at the end of the file is there or not, as in the form.
"""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from hubkeep.cards.validate import validate_card
from hubkeep.content.commit_body import README
from hubkeep.git.diff import Matcher, TooDifferent
from hubkeep.git.store import Entry
from hubkeep.web.file_kinds import TEXT_LIMIT, suffix_of

FORM_LIMIT = 8 * TEXT_LIMIT
"""Bytes of a form: six of them may stand for one, as `%0D%0A` does for a line feed."""

_END = re.compile(r"\r\n|\r|\n")
_MARK = "\ufeff"
_MATCHED_LINES = 4000  # looking for what two texts share is quadratic
_INDENTED = re.compile(r"^( +|\t)", re.MULTILINE)
_FOUR = ("py", "pyi", "rs", "java", "c", "h", "cpp", "cs", "toml")


class Unfit(msgspec.Struct, rename="camel"):
    """Why a file cannot be edited in a browser, and what can be done instead."""

    why: str
    instead: str
    may_upload: bool = True


_UPLOAD = "Upload a new version of it instead."


def unfit(entry: Entry, content: bytes | None) -> Unfit | None:
    """Return what keeps a file from being edited as text; None where nothing does.

    Without its content only what the entry says is looked at.
    """
    match entry.kind:
        case "symlink":
            return Unfit("This is a symbolic link.", "Change it with git, and push.", False)
        case "submodule":
            return Unfit(
                "This is a commit of another repository.", "Change it with git, and push.", False
            )
    if entry.lfs is not None:
        return Unfit(
            "This file is stored as a large file: what git has of it is a pointer.", _UPLOAD
        )
    if entry.size > TEXT_LIMIT:
        return Unfit("This file is larger than 1 MiB, too large for a form.", _UPLOAD)
    if content is not None and shown_text(content) is None:
        what = "is binary" if b"\0" in content else "is not written in UTF-8"
        return Unfit(f"This file {what}: a form would damage it.", _UPLOAD)
    return None


def shown_text(content: bytes) -> str | None:
    """Return what stands in the form for a file; None for what is no text in UTF-8."""
    if b"\0" in content:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return _END.sub("\n", text.removeprefix(_MARK))


def written_text(typed: str, before: bytes | None) -> bytes:
    """Return the file that is meant by what came out of a form, on top of the one before."""
    lines = _END.split(typed)
    old = None if before is None else _decoded(before)
    if old is None:
        return "\n".join(lines).encode("utf-8", "replace")
    mark = _MARK if old.startswith(_MARK) else ""
    ends = _END.findall(old)
    kinds = Counter(ends).most_common()
    usual = kinds[0][0] if kinds else "\n"
    if len(kinds) < 2:
        return (mark + usual.join(lines)).encode("utf-8", "replace")
    before_lines = _END.split(old.removeprefix(_MARK))
    found = _ends(lines, before_lines, ends, usual)
    text = "".join(line + end for line, end in zip(lines, [*found, ""], strict=True))
    return (mark + text).encode("utf-8", "replace")


def _decoded(content: bytes) -> str | None:
    return None if shown_text(content) is None else content.decode()


def _ends(lines: Sequence[str], old: Sequence[str], ends: Sequence[str], usual: str) -> list[str]:
    """The ends of lines: those that were there keep theirs, changed or not, and others get the
    usual one.
    """
    found = [usual] * (len(lines) - 1)
    for start, old_start, length in _shared(lines, old):
        for step in range(length):
            # The last line of a text has no end, so a line may be there without one.
            if start + step < len(found) and old_start + step < len(ends):
                found[start + step] = ends[old_start + step]
    return found


def _shared(lines: Sequence[str], old: Sequence[str]) -> list[tuple[int, int, int]]:
    """Runs of lines that were there before: where they begin now and then, and how many."""
    least = min(len(lines), len(old))
    pairs = zip(lines, old, strict=False)
    head = next((at for at, (one, other) in enumerate(pairs) if one != other), least)
    ends = zip(reversed(lines), reversed(old), strict=False)
    tail = next((at for at, (one, other) in enumerate(ends) if one != other), least)
    tail = min(tail, least - head)
    runs = [(0, 0, head), (len(lines) - tail, len(old) - tail, tail)]
    new_middle, old_middle = lines[head : len(lines) - tail], old[head : len(old) - tail]
    if max(len(new_middle), len(old_middle)) <= _MATCHED_LINES:
        with suppress(TooDifferent):  # these get the usual ends then
            # As many lines in place of as many others are those, changed, as far as ends go.
            for _, start, end, old_start, old_end in Matcher(new_middle, old_middle).get_opcodes():
                size = min(end - start, old_end - old_start)
                runs.append((head + start, head + old_start, size))
    return runs


def indent_of(text: str, path: str) -> str:
    """Return what the tab key writes into a file: what its lines begin with, or is usual."""
    found = _INDENTED.findall(text)
    spaces = [len(one) for one in found if one != "\t"]
    if len(found) > 2 * len(spaces):
        return "\t"
    if spaces:
        return " " * (4 if min(spaces) >= 4 else 2)
    suffix = suffix_of(path)
    if suffix in ("tsv", "go") or path.rpartition("/")[2] == "Makefile":
        return "\t"
    return "    " if suffix in _FOUR else "  "


class CardMessages(msgspec.Struct, rename="camel"):
    """What the hub finds in the front matter of a card; nothing of it keeps it from being saved."""

    errors: Sequence[str]
    warnings: Sequence[str]


def card_messages(path: str, text: str, kind: str) -> CardMessages | None:
    """Check the card of a repository of this kind, as uploading clients do; None for other
    files.
    """
    if path != README:
        return None
    check = validate_card(text, kind)
    return CardMessages(check.errors, check.warnings)


def is_markdown(path: str) -> bool:
    """Whether a file of this name is shown as Markdown."""
    return suffix_of(path) in ("md", "markdown")


def usual_summary(before: str, after: str) -> str:
    """Return what a commit says where nobody says more: by the path before and after it."""
    if not before:
        return f"Create {after}"
    if not after:
        return f"Delete {before}"
    return f"Update {after}" if before == after else f"Rename {before} to {after}"

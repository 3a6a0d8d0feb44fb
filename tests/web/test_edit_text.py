# SPDX-License-Identifier: Apache-2.0
"""Text through a form: what nobody changed comes back byte for byte, whatever its lines end in."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.cards.front_matter import split_front_matter
from hubkeep.cards.validate import validate_card
from hubkeep.git.store import Entry
from hubkeep.repos.types import RepoType
from hubkeep.web.edits import indent_of, shown_text, unfit, usual_summary, written_text
from hubkeep.web.first_cards import first_card

LINES = st.lists(
    st.tuples(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=6),
        st.sampled_from(["\n", "\r\n", "\r"]),
    ),
    max_size=30,
)
MARK = "\ufeff"


def as_sent(shown: str) -> str:
    """What a browser makes of the text of a form."""
    return re.sub(r"\r\n|\r|\n", "\r\n", shown)


@given(LINES, st.sampled_from(["", "end", MARK]), st.sampled_from(["", MARK, MARK + MARK]))
def test_what_nobody_changed_is_the_same_file(
    lines: list[tuple[str, str]], rest: str, mark: str
) -> None:
    content = (mark + "".join(map("".join, lines)) + rest).encode()
    shown = shown_text(content)
    assert shown is not None
    assert "\r" not in shown
    assert written_text(as_sent(shown), content) == content
    assert written_text(shown, content) == content


@given(LINES.filter(bool), st.data())
def test_a_change_of_one_line_leaves_the_others(
    lines: list[tuple[str, str]], data: st.DataObject
) -> None:
    lines = [(f"{number} {text}", end) for number, (text, end) in enumerate(lines)]
    content = "".join(map("".join, lines)).encode()
    at = data.draw(st.integers(0, len(lines) - 1))
    shown = shown_text(content)
    assert shown is not None
    typed = shown.split("\n")
    typed[at] = "something else"
    written = written_text(as_sent("\n".join(typed)), content).decode()
    before = "".join(map("".join, lines[:at]))
    after = "".join(map("".join, lines[at + 1 :]))
    assert written == f"{before}something else{lines[at][1]}{after}"


@pytest.mark.parametrize(
    ("before", "typed", "after"),
    [
        (b"a\r\nb\r\n", "a\nnew\nb\n", b"a\r\nnew\r\nb\r\n"),
        (b"a\nb", "a\nb\nc", b"a\nb\nc"),
        (b"a\n", "a", b"a"),
        (b"a", "a\n", b"a\n"),
        (b"a\r\nb\nc\nd\n", "A\nB\nc\nd\n", b"A\r\nB\nc\nd\n"),
        (b"a\r\nb\nc\nd\n", "a\nb\nnew\nC\nd\n", b"a\r\nb\nnew\nC\nd\n"),
        (b"\xef\xbb\xbfa\n", "b\n", b"\xef\xbb\xbfb\n"),
        (b"", "a\n", b"a\n"),
        (None, "a\r\nb\r\n", b"a\nb\n"),
        (b"\0\r\n", "a\r\n", b"a\n"),
    ],
)
def test_what_is_new_is_written_as_the_file_was(
    before: bytes | None, typed: str, after: bytes
) -> None:
    assert written_text(as_sent(typed), before) == after


@pytest.mark.parametrize("pairs", [1_900, 50_000])
def test_many_lines_of_several_endings_take_no_time(pairs: int) -> None:
    old = "one\r\ntwo\n" * pairs
    typed = "x\n" + "two\none\n" * pairs + "y"
    started = time.thread_time()
    assert written_text(typed, old.encode()).replace(b"\r", b"").decode() == typed
    assert time.thread_time() - started < 5


def test_lines_that_are_made_to_keep_a_search_for_matches_busy_get_the_usual_ends() -> None:
    runs = [number // 39 for number in range(1_989)]
    before = "x\r\n" + "".join(f"{run}\na{at}\n" for at, run in enumerate(runs))
    typed = "y\n" + "".join(f"{run}\nb{at}\n" for at, run in enumerate(runs))
    started = time.perf_counter()
    assert written_text(as_sent(typed), before.encode()).decode() == typed
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("text", "path", "indent"),
    [
        ("a:\n  b: 1\n", "x.yaml", "  "),
        ("def f():\n    pass\n", "x.py", "    "),
        ("all:\n\tmake\n", "x", "\t"),
        ("", "x.py", "    "),
        ("", "Makefile", "\t"),
        ("", "README.md", "  "),
    ],
)
def test_the_tab_key_writes_what_the_file_has(text: str, path: str, indent: str) -> None:
    assert indent_of(text, path) == indent


@pytest.mark.parametrize(
    ("entry", "content", "why"),
    [
        (Entry("a", "symlink", 0o120000, b"", 3), b"b/c", "symbolic link"),
        (Entry("a", "submodule", 0o160000, b""), None, "another repository"),
        (Entry("a", "file", 0o100644, b"", (1 << 20) + 1), None, "larger than 1 MiB"),
        (Entry("a", "file", 0o100644, b"", 3), b"a\0b", "binary"),
        (Entry("a", "file", 0o100644, b"", 3), b"\xff\xfe", "UTF-8"),
    ],
)
def test_what_a_form_cannot_take_is_named(entry: Entry, content: bytes | None, why: str) -> None:
    found = unfit(entry, content)
    assert found is not None
    assert why in found.why


def test_a_commit_says_what_it_does() -> None:
    assert usual_summary("", "a") == "Create a"
    assert usual_summary("a", "a") == "Update a"
    assert usual_summary("a", "b") == "Rename a to b"
    assert usual_summary("a", "") == "Delete a"


@pytest.mark.parametrize("kind", list(RepoType))
def test_a_first_card_is_in_order_and_claims_nothing(kind: RepoType) -> None:
    text = first_card(kind, "tulips")
    check = validate_card(text, kind.value)
    assert (check.errors, check.warnings) == ([], [])
    card = split_front_matter(text).data
    assert card is not None
    assert "license" not in card
    assert text.endswith(".\n")

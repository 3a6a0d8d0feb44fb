# SPDX-License-Identifier: Apache-2.0
"""Hostile texts, taken apart after they are rendered."""

import re

import pytest

from hubkeep.web.markdown import render_markdown
from hubkeep.web.markdown.sanitising import checked
from tests.web.markdown import hostile
from tests.web.markdown.inert import PLACE, faults, html_of, seen

# What the sanitiser leaves to others: where links lead, what is no HTML, what boxes are for.
LATER = ("link without rel", "href", "a control", "a place", "input {'disabled'")


@pytest.mark.parametrize("text", hostile.ALL.values(), ids=hostile.ALL)
def test_nothing_of_a_hostile_text_is_left_but_words(text: str) -> None:
    for given in (
        text,
        f"words\n\n{text}\n\nwords",
        f"- {text}\n- x",
        f"> {text}",
        f"<div>\n{text}",
    ):
        assert faults(render_markdown(given, PLACE).html) == []


def test_there_are_many() -> None:
    assert len(set(hostile.ALL.values())) == len(hostile.ALL) >= 150


@pytest.mark.parametrize("html", hostile.ALL.values(), ids=hostile.ALL)
def test_the_sanitiser_alone_lets_nothing_through(html: str) -> None:
    """Even if what makes HTML whole before it and what settles links after it were not there."""
    once = checked(html, (PLACE.images,))
    assert [fault for fault in faults(once) if not fault.startswith(LATER)] == []
    for link in seen(once).find("a"):
        assert re.match(r"https?:|mailto:|[^:]*$|[^:]*[/?#]", link.get("href", ""))
    assert checked(once, (PLACE.images,)) == once


def test_classes_of_the_page_are_not_for_texts() -> None:
    found = seen(html_of("<div class='notice main top'>x</div><span class='k icon'>y</span>"))
    assert found.find("div") == [{"class": "notice"}]
    assert found.find("span") == [{"class": ""}]


def test_a_text_cannot_guess_where_ours_is_put() -> None:
    first, second = (html_of("$x$ <span data-slot='1-0'>y</span> `z`") for _ in range(2))
    assert first == second
    assert "data-slot" not in first


def test_ids_are_the_texts_own_and_given_once() -> None:
    html = html_of("<a id=x></a><a name=x></a><p id=user-content-x>a</p>\n\n# x\n\n# x\n")
    ids = [attributes["id"] for _, attributes in seen(html).elements if "id" in attributes]
    assert ids == ["user-content-x", "user-content-x-1", "user-content-x-2"]


def test_directions_of_writing_are_shown_and_leave_attributes() -> None:
    html = html_of(
        "a \u202eb\u202c `\u2066c\u2069` [d](e.md '\u202ef') <i title='\u2067g'>&#x202e;h</i>"
    )
    assert html.count('class="bidi"') == 5
    assert 'title="f"' in html
    assert 'title="g"' in html
    assert "U+202E</span>b" in html


def test_a_flood_of_marks_is_cut() -> None:
    assert len(html_of("\u202e" * 20_000)) < 200_000
    flood = "\u202e" * 20_000
    assert len(html_of(f"`{flood}`\n\n```\n{flood}\n```\n")) < 400_000


def test_marks_of_direction_that_hebrew_and_arabic_need_stay() -> None:
    text = "\u200e\u05d0\u05d1\u200f \u061c\u0645"
    assert html_of(text) == f"<p>{text}</p>\n"


def test_controls_are_dropped() -> None:
    assert html_of("a\x00b\x07c\x1bd\x7fe\x85f&#7;g\ud800h") == "<p>abcdef\ufffdg\ufffdh</p>\n"

# SPDX-License-Identifier: Apache-2.0
"""However large or odd a text is, it takes a bounded time and says what was left out.

The bounds of time are some ten times what a quiet machine takes: what they catch is work that
grows with the square of the input, which would take minutes.
"""

import sys
import time

import pytest

from hubkeep.web.markdown import MAX_TEXT, Rendered, render_markdown
from hubkeep.web.markdown.rendering import MAX_LINES
from tests.web.markdown.inert import PLACE, faults

CUT = "This text is too long to be shown whole."
PLAIN = "They are shown as they were written."
SECONDS = 10


def timed(text: str, seconds: float = SECONDS) -> Rendered:
    """Render a text; it may take so much of this thread's time, however busy the machine is."""
    start = time.thread_time()
    rendered = render_markdown(text, PLACE)
    assert time.thread_time() - start < seconds
    return rendered


RUNS = {
    "brackets": "[",
    "images": "![",
    "links": "[a](",
    "empty links": "[](",
    "references": "[a][b]",
    "footnotes": "[^a]: b\n\n[^",
    "stars": "*",
    "stars with words": "*a **a ",
    "underscores": "a_b*",
    "tildes": "~~a",
    "backticks": "`a``a```a",
    "quotes": ">",
    "quotes of a line": "> a\n",
    "less than": "<",
    "tags": "<a ",
    "attributes": "<a href='",
    "comments": "<!--",
    "instructions": "<?",
    "cdata": "<![CDATA[",
    "declarations": "<!A",
    "backslashes": "\\(",
    "rows of formulas": "\\[a\n",
    "dollars": "$",
    "formulas": "$a ",
    "blocks of formulas": "$$a\n",
    "ampersands": "&",
    "lists": "- ",
    "items": "- a\n",
    "tasks": "- [ ] a\n",
    "numbers": "1. * > ",
    "headings": "# a\n",
    "underlined": "a\n=\n",
    "tables": "a|b\n-|-\n",
    "rows": "|a|b|c|d|e|f|",
    "fences": "```\n",
    "code": "```python\nx = 1\n```\n",
    "mermaid": "```mermaid\na\n```\n",
    "addresses": "http://a.b/) ",
    "closing brackets": "http://a.b/))))",
    "mail": "a@",
    "alerts": "> [!NOTE]\n> a\n\n",
    "definitions": "[a]: b\n",
    "divs": "<div>",
    "divs with blank lines": "<div>\n\n",
    "paragraphs in divs": "<div><p>\n\na\n\n",
    "tables in tables": "<table><td>",
    "bold": "<b>\n\nx\n\n",
    "bold of many kinds": "<b id=x><i id=y><a href=z><u><s>\n\nx\n\n",
    "raw headings": "<h1>a<div>",
    "script": "<script>\n\n",
    "svg": "<svg> a ",
    "entities": "&lt;",
    "overrides": "\u202ea",
    "nul": "\0",
    "lines": "\n",
    "words": "word ",
    "lines of words": "a word\n",
    "hard breaks": "a  \n",
    "emoji": "\U0001f600",
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_long_run_of_anything(run: str) -> None:
    rendered = timed(run * (60_000 // len(run)))
    assert faults(rendered.html) == []


@pytest.mark.parametrize(
    "text",
    [
        "\n".join("> " * depth + "a" for depth in range(300)),
        "\n".join("  " * depth + "- a" for depth in range(400)),
        "> - " * 20_000,
        "[" * 5_000 + "a" + "](b)" * 5_000,
        "![" * 5_000 + "a" + "](b)" * 5_000,
        "![x [y](z) " * 2_000 + "](b)" * 2_000,
        "[^0]\n\n" + "".join(f"[^{n}]: [^{n + 1}] x\n\n" for n in range(5_000)),
        "[^a]:" * 20_000,
        "[^a]\n\n[^a]: " + "[^a] " * 20_000,
        "|".join("a" * 60_000) + "\n" + "|".join("-" * 60_000) + "\n",
        "".join(f"[{n}]: x\n" for n in range(20_000)),
        " ".join("`" * length for length in range(1, 600)),
        "$" + "{" * 50_000 + "}" * 50_000 + "$",
        ("$\\operatorname{" + " " * 3_000 + "$\n\n") * 30,
        ("$$\n\\begin{matrix}" + "&" * 3_000 + "\\end{matrix}\n$$\n\n") * 20,
        "```tf\n" + ("_" * 900 + "\n") * 200 + "```\n",
        "```c\n" + "\n" * 100_000 + "```\n",
        '<img srcset="' + "a 1x," * 40_000 + '">',
        "<div " + "a " * 100_000 + ">",
        "<div title='" + "a" * 200_000,
    ],
    ids=range(20),
)
def test_what_is_deep_or_wide(text: str) -> None:
    assert faults(timed(text).html) == []


def test_a_large_text_is_shown_up_to_a_line_and_says_so() -> None:
    text = "".join(f"Paragraph {n} of many, with a [link](x.md) in it.\n\n" for n in range(40_000))
    assert len(text) > 2 * MAX_TEXT
    rendered = timed(text[: MAX_TEXT * 2])
    assert rendered.html.rstrip().endswith("</div>")
    assert rendered.html.count(CUT) == 1
    assert len(rendered.html) < 4 * MAX_TEXT


def test_a_text_of_just_the_size_is_shown_whole() -> None:
    line = "word " * 199 + "end.\n\n"
    text = (line * (MAX_TEXT // len(line)))[:MAX_TEXT]
    assert CUT not in timed(text).html
    assert CUT in timed(text + "x" * MAX_TEXT).html
    assert CUT in timed("a\n\n" * MAX_LINES).html


def test_too_many_blocks_are_cut_and_too_much_markup_is_shown_plain() -> None:
    assert CUT in timed("- a\n" * 15_000).html
    wide = "|".join("a" * 60)
    rule = "|".join("-" * 60)
    assert CUT in timed(f"{wide}\n{rule}\n" + f"{wide}\n" * 500).html
    assert PLAIN in timed(("*a* `b` _c_ " * 50 + "\n\n") * 300).html
    assert PLAIN in timed("x" * 30_000).html


def test_what_is_shown_plain_is_whole() -> None:
    text = "a <b> *c* & `d` " * 3_000
    html = timed(text).html
    assert html.count("a &lt;b&gt; *c* &amp; `d`") == 3_000


def test_ten_thousand_headings() -> None:
    rendered = timed("## Same\n" * 10_000)
    assert len({heading.anchor for heading in rendered.headings}) == 10_000


def test_a_deep_stack_is_no_error() -> None:
    text = "\n".join("> " * depth + "- *a*" for depth in range(60))
    limit = sys.getrecursionlimit()

    def deep(frames: int) -> Rendered:
        return deep(frames - 1) if frames else render_markdown(text, PLACE)

    depth = 0
    try:
        while True:
            depth += 1
            deep(depth * 50)
    except RecursionError:
        assert depth * 50 > limit - 200

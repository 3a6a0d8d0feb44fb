# SPDX-License-Identifier: Apache-2.0
"""Source code in colours, in texts and in the view of a file."""

import re
import subprocess
import sys
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubkeep.web.markdown import highlight, languages
from tests.web.markdown.inert import faults, html_of, seen

LANGUAGES = sorted({names.split()[0] for names in languages._LANGUAGES.values()})


def plain(line: str) -> str:
    """A line without its colours."""
    return unescape(re.sub("<[^>]*>", "", line))


def test_a_line_for_a_line() -> None:
    assert highlight('def f(x):\n    """Two\n    lines."""\n\n    return x < 1\n', "train.py") == [
        '<span class="k">def</span> <span class="nf">f</span>(x):',
        '    <span class="sd">"""Two</span>',
        '<span class="sd">    lines."""</span>',
        "",
        '    <span class="k">return</span> x &lt; <span class="mi">1</span>',
    ]


@pytest.mark.parametrize(
    "name",
    ["python", "py", "PY", "train.py", "a/b/train.py", "x.tar.py", "python3", ".py"],
)
def test_the_language_is_found_by_its_names_and_by_files(name: str) -> None:
    lines = highlight("import torch", name)
    assert lines is not None
    assert '<span class="kn">import</span>' in lines[0]


@pytest.mark.parametrize("name", ["Dockerfile", "sub/Makefile", "CMakeLists.txt", "config.json"])
def test_files_that_are_known_by_their_name(name: str) -> None:
    assert highlight("FROM a\n", name) is not None


@pytest.mark.parametrize(
    "name", ["", "txt", "notes.txt", "model.bin", "klingon", "../..", "x" * 999]
)
def test_what_is_not_known_is_left_to_be_shown_plain(name: str) -> None:
    assert highlight("import torch", name) is None


def test_what_is_too_large_is_left_to_be_shown_plain() -> None:
    assert highlight("x = 1\n" * 50_000, "python") is None
    assert highlight(f"x = '{'a' * 2_000}'", "python") is None


def test_what_takes_too_long_is_left_to_be_shown_plain() -> None:
    assert highlight("x = 1\n" * 10_000, "python", seconds=0.0) is None


def test_the_ends_of_lines() -> None:
    assert highlight("", "python") == []
    assert highlight("a", "python") == ["a"]
    assert highlight("\n\na\n\n", "python") == ["", "", "a", ""]
    assert highlight("a\r\nb\rc", "python") == ["a", "b", "c"]


def test_directions_of_writing_are_shown() -> None:
    lines = highlight("if a == '\u202e\u2066admin':\n    pass\x07", "python")
    assert lines is not None
    assert 'title="U+202E, right-to-left override">U+202E</span>' in lines[0]
    assert "U+2066" in lines[0]
    assert faults("\n".join(lines)) == []


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(LANGUAGES),
    st.lists(
        st.sampled_from(
            [*"\"'`/\\*#<>{}[]()=-+_.,:;!?@$%^&|~ \t\na0é", "\n\n", "/*", "<!--", "{{", "{%", '"""']
        )
        | st.text(max_size=5),
        max_size=40,
    ).map("".join),
)
def test_any_text_in_any_language_keeps_its_characters(language: str, code: str) -> None:
    lines = highlight(code, language)
    if lines is None:
        return
    joined = "\n".join(lines)
    assert faults(joined) == []
    if "bidi" not in joined:
        kept = re.sub("\r\n?", "\n", code)
        kept = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", kept)
        assert "\n".join(map(plain, lines)) == kept.removesuffix("\n") or not kept.strip("\n")


def test_a_fence_is_coloured_and_an_unknown_one_is_not() -> None:
    html = html_of("```py\nx = 1\n```\n\n~~~klingon\nx = <b>\n~~~\n\n    indented <i>\n")
    assert html.count('<pre tabindex="0"><code>') == 3
    assert '<span class="mi">1</span>' in html
    assert "x = &lt;b&gt;" in html
    assert "indented &lt;i&gt;" in html


@pytest.mark.parametrize("info", ["python title=x", "{python}", "{.python .numberLines}", "Python"])
def test_fences_say_their_language_in_many_ways(info: str) -> None:
    assert '<span class="mi">' in html_of(f"```{info}\nx = 1\n```")


def test_code_begins_where_it_begins() -> None:
    assert "<code>\n  a\n</code>" in html_of("```\n\n  a\n```")


def test_diagrams_are_kept_as_source_for_a_frame_to_draw() -> None:
    html = html_of("```mermaid\ngraph TD\n  A[<img src=x onerror=alert(1)>] --> B\n```\n")
    found = seen(html)
    assert found.find("figure") == [{"class": "mermaid-source", "data-diagram": "mermaid"}]
    assert "A[<img src=x onerror=alert(1)>] --> B" in found.text


def test_lexers_are_loaded_when_they_are_needed() -> None:
    script = (
        "import sys, hubkeep.web.markdown\n"
        "assert not [n for n in sys.modules if n.startswith('pygments.lexers.') "
        "and n != 'pygments.lexers._mapping']\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

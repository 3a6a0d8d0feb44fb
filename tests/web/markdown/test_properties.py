# SPDX-License-Identifier: Apache-2.0
"""What holds for any text whatever."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given, settings
from hypothesis import strategies as st

from hubkeep.web.markdown import render_markdown
from hubkeep.web.markdown.sanitising import checked, cleaned_up
from tests.web.markdown import hostile
from tests.web.markdown.inert import PLACE, faults

PIECES = """
    # * ** _ ~~ ` ``` ~~~ > - 1. | |-|- [ ] ( ) ![ [^a] [^a]: [x] <a href=x> </a> <b> </b> <p>
    </p> <table> <tr> <td> </table> <div> </div> <pre> </pre> <h1> </h1> <details> <summary>
    <img src=x> <!-- --> <![CDATA[ ]]> <?x ?> <svg> </svg> <math> <style> </style> <script>
    </script> <title> <select> <form> <template> <li> <dl> <dd> <ruby> <rt> <center> <code>
    </code> <i> </i> <a name=x> <span title='"> ' &amp; &lt; &#x202e; &#0; \\ \\( \\) \\[ \\] $ $$
    \\frac{a}{b} \\left( { } ^ mermaid math python https://a.b/c www.a.b a@b.c javascript: data:
    ../ ? % %2e word \u5b57 \xe9 \U0001f642 <input> <font> <u> <s> <em> <small> <sub> <sup> <ul>
    <ol> <caption> <colgroup> <col> <hr> <br>
"""
SPACES = ["", " ", "\n", "\n\n", "\n    ", "\t", "\u202e", "\x00", "\r\n"]
TOKENS = st.sampled_from(PIECES.split() + SPACES * 5) | st.text(max_size=4)
TEXTS = st.lists(TOKENS, max_size=40).map("".join)
TAGS = re.compile(r"<[^>]*>")


@settings(max_examples=400, deadline=None)
@given(TEXTS | st.text() | st.sampled_from(list(hostile.ALL.values())))
def test_any_text_is_rendered_and_is_safe(text: str) -> None:
    rendered = render_markdown(text, PLACE)
    assert faults(rendered.html) == []
    assert all(f'id="{heading.anchor}"' in rendered.html for heading in rendered.headings)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_the_same_text_gives_the_same_html(text: str) -> None:
    assert render_markdown(text, PLACE) == render_markdown(text, PLACE)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_sanitising_twice_is_sanitising_once(html: str) -> None:
    once = checked(cleaned_up(html), (PLACE.images,))
    assert checked(once, (PLACE.images,)) == once


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40))
def test_words_stay_words(text: str) -> None:
    assert TAGS.sub("", render_markdown(f"a{text}a", PLACE).html).strip() == f"a{text}a"


def test_threads_do_not_meet() -> None:
    texts = list(hostile.ALL.values())
    alone = [render_markdown(text, PLACE) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(3):
            assert list(threads.map(lambda text: render_markdown(text, PLACE), texts)) == alone


def test_the_first_texts_may_come_together() -> None:
    script = """if True:
        import sys
        from concurrent.futures import ThreadPoolExecutor
        from hubkeep.web.markdown import Place, render_markdown
        sys.setswitchinterval(1e-6)
        place = Place("/a/", "/b/")
        text = "# a\\n\\n- *b* $x$ `c`\\n\\n```py\\nx = 1\\n```\\n"
        with ThreadPoolExecutor(8) as threads:
            first = list(threads.map(lambda _: render_markdown(text, place), range(16)))
        assert all(each == render_markdown(text, place) for each in first)
    """
    subprocess.run([sys.executable, "-c", script], check=True)

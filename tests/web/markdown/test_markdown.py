# SPDX-License-Identifier: Apache-2.0
"""Markdown as GitHub has it: what a text looks like on a page."""

import pytest

from hubkeep.web.markdown import Heading
from tests.web.markdown.inert import html_of, render, seen


def test_paragraphs_emphasis_and_code() -> None:
    html = html_of("A *word*, a **second**, ~~a third~~ and `a < b`.\nStill\\\nhere.")
    assert html == (
        "<p>A <em>word</em>, a <strong>second</strong>, <s>a third</s> and <code>a &lt; b</code>.\n"
        "Still<br>\nhere.</p>\n"
    )


def test_no_emphasis_within_words() -> None:
    assert html_of("a snake_case_name and __init__.py_x") == (
        "<p>a snake_case_name and <strong>init</strong>.py_x</p>\n"
    )
    assert html_of("_a_ x_y_ _z") == "<p><em>a</em> x_y_ _z</p>\n"


def test_tables_keep_their_alignment() -> None:
    html = html_of("| a | b | c | d |\n|:--|:-:|--:|---|\n| 1 | `x|y` | 3 | \\| |\n")
    cells = seen(html).find("td")
    assert [cell.get("align") for cell in cells] == ["left", "center", "right", None]
    assert seen(html).find("table") == [{"tabindex": "0"}]


def test_task_lists_are_boxes_that_nobody_can_tick() -> None:
    found = seen(html_of("- [x] done\n- [ ] to do\n- no task\n\n1. [X] in order"))
    boxes = found.find("input")
    assert ["checked" in box for box in boxes] == [True, False, True]
    assert all(box["type"] == "checkbox" and "disabled" in box for box in boxes)
    assert [box["aria-label"] for box in boxes] == ["Done", "To do", "Done"]
    assert found.find("ul") == [{"class": "tasks"}]
    assert [item.get("class") for item in found.find("li")] == ["task", "task", None, "task"]


def test_footnotes_lead_there_and_back() -> None:
    found = seen(html_of("One[^a], two[^b], one again[^a].\n\n[^b]: B *b*.\n[^a]: A.\n"))
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    links = [attributes["href"] for attributes in found.find("a")]
    assert len(ids) == len(set(ids)) == 5
    assert {f"#{name}" for name in ids} == set(links)
    assert found.find("section") == [{"class": "footnotes"}]


def test_a_footnote_that_is_not_there_stays_text() -> None:
    assert html_of("no[^such] note") == "<p>no[^such] note</p>\n"


@pytest.mark.parametrize(
    ("kind", "classes"),
    [
        ("NOTE", "notice"),
        ("tip", "notice good"),
        ("IMPORTANT", "notice"),
        ("WARNING", "notice warn"),
        ("Caution", "notice bad"),
    ],
)
def test_alerts_are_notices(kind: str, classes: str) -> None:
    html = html_of(f"> [!{kind}]\n> Mind *this*.\n")
    assert html == (
        f'<div class="{classes}">\n<p class="notice-title">{kind.capitalize()}</p>\n'
        "<p>Mind <em>this</em>.</p>\n</div>\n"
    )


def test_a_quote_is_no_alert() -> None:
    assert "blockquote" in html_of("> [!NOTHING]\n> a\n")
    assert "blockquote" in html_of("> see [!NOTE]\n")


def test_nested_lists_start_where_they_say() -> None:
    html = html_of("3. three\n   - a\n   - b\n4. four\n")
    assert html == (
        '<ol start="3">\n<li>three<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n</li>\n'
        "<li>four</li>\n</ol>\n"
    )


def test_headings_are_listed_and_can_be_linked_to() -> None:
    rendered = render(
        "# One *two* `three_4`\n\nSub\n---\n\n## One two three_4\n\n"
        "### 安装 & 使用 🚀\n\n[up](#sub)\n"
    )
    assert rendered.headings == [
        Heading(1, "One two three_4", "user-content-one-two-three_4"),
        Heading(2, "Sub", "user-content-sub"),
        Heading(2, "One two three_4", "user-content-one-two-three_4-1"),
        Heading(3, "安装 & 使用 🚀", "user-content-安装--使用-"),
    ]
    found = seen(rendered.html)
    for heading in rendered.headings:
        assert found.find(f"h{heading.level}")[0]["id"].startswith("user-content-")
    assert {"href": "#user-content-sub"} in found.find("a")


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("Hello, World!", "hello-world"),
        ("C++ / C#", "c--c"),
        ("v1.2.3 (beta)", "v123-beta"),
        ("a_b - c", "a_b---c"),
        ("Ünïcödé", "ünïcödé"),
        ("नमस्ते दुनिया", "नमस्ते-दुनिया"),
        ("[link](x.md) and `code`", "link-and-code"),
        ("$x^2$ rules", "x2-rules"),
        ("???", "section"),
    ],
)
def test_slugs_are_those_of_github(heading: str, slug: str) -> None:
    assert render(f"## {heading}").headings[0].anchor == f"user-content-{slug}"


def test_many_headings_of_a_name_have_ids_of_their_own() -> None:
    anchors = [heading.anchor for heading in render("# a\n# a-1\n# a\n# a\n").headings]
    assert anchors == [f"user-content-{name}" for name in ("a", "a-1", "a-2", "a-3")]


def test_raw_headings_count_as_headings() -> None:
    rendered = render('<h1 align="center">My <i>model</i></h1>\n\n<h2 id="use">Usage</h2>')
    assert rendered.headings == [
        Heading(1, "My model", "user-content-my-model"),
        Heading(2, "Usage", "user-content-use"),
    ]
    assert seen(rendered.html).find("h1") == [
        {"align": "center", "id": "user-content-my-model"},
    ]


def test_a_heading_links_to_itself_for_those_who_copy_the_address() -> None:
    found = seen(html_of("## Some words"))
    assert found.find("a") == [
        {
            "class": "anchor",
            "href": "#user-content-some-words",
            "aria-label": "Link to Some words",
        }
    ]


def test_a_heading_in_a_link_has_no_link_in_it() -> None:
    html = html_of('<a href="x.md">\n\n## Words\n\n</a>')
    assert len(seen(html).find("a")) == 1


@pytest.mark.parametrize(
    ("text", "hrefs"),
    [
        ("see https://a.example/b_c_d?e=f#g.", ["https://a.example/b_c_d?e=f#g"]),
        ("(https://a.example/x_(y))", ["https://a.example/x_(y)"]),
        ("见https://a.example/x，谢谢", ["https://a.example/x"]),  # noqa: RUF001
        ("www.a.example and a@b.example", ["http://www.a.example", "mailto:a@b.example"]),
        ("<https://a.example> <me@b.example>", ["https://a.example", "mailto:me@b.example"]),
        ("*https://a.example/x*", ["https://a.example/x"]),
        ("[https://a.example](https://b.example)", ["https://b.example"]),
        ('<a href="https://b.example">https://a.example</a>', ["https://b.example"]),
        ("`https://a.example` README.md model.pt torch.nn a.b@c", []),
        ("ahttps://a.example ftp://a.example https:// http://.", []),
    ],
)
def test_bare_addresses_are_links(text: str, hrefs: list[str]) -> None:
    assert [link["href"] for link in seen(html_of(text)).find("a")] == hrefs


def test_details_hold_markdown() -> None:
    html = html_of("<details open>\n<summary>More <b>here</b></summary>\n\n- *a*\n\n</details>\n")
    found = seen(html)
    assert found.find("details") == [{"open": ""}]
    assert [tag for tag, _ in found.elements] == ["details", "summary", "b", "ul", "li", "em"]


def test_html_that_cards_use() -> None:
    found = seen(
        html_of(
            '<div align="center" style="color: red">\n'
            '<img src="logo.png" width="60%" height=40 alt="Logo">\n</div>\n\n'
            'H<sub>2</sub>O x<sup>2</sup> <kbd>Ctrl</kbd> <br/> <p dir="rtl">a</p>\n'
        )
    )
    assert found.find("div") == [{"align": "center"}]
    assert found.find("img") == [
        {
            "src": "/alice/m/resolve/main/docs/logo.png",
            "alt": "Logo",
            "width": "60%",
            "height": "40",
            "loading": "lazy",
            "decoding": "async",
        }
    ]
    assert {"sub", "sup", "kbd", "br"} <= {tag for tag, _ in found.elements}


def test_the_few_styles_that_have_an_attribute_are_kept() -> None:
    found = seen(
        html_of(
            '<p style="text-align: center; color:red">a</p>\n\n'
            '<img src="a.png" style="width: 50%;margin:1em">'
            '<img src="b.png" style="max-width:90px">'
        )
    )
    assert found.find("p")[0] == {"align": "center"}
    assert [image["width"] for image in found.find("img")] == ["50%", "90"]


def test_pictures_for_light_and_dark() -> None:
    dark = "(prefers-color-scheme: dark)"
    found = seen(
        html_of(
            f'<picture>\n<source media="{dark}" srcset="dark.png 1x, d2.png 2x">\n'
            '<source srcset="https://elsewhere.example/x.png">\n<img src="light.png">\n</picture>\n'
        )
    )
    base = "/alice/m/resolve/main/docs"
    assert found.find("source") == [
        {"media": dark, "srcset": f"{base}/dark.png 1x, {base}/d2.png 2x"}
    ]


def test_films_and_sounds_of_the_repository_play_when_asked() -> None:
    found = seen(html_of('<video src="a.mp4" autoplay poster="a.png"></video> <audio src="b.wav">'))
    base = "/alice/m/resolve/main/docs"
    assert found.find("video") == [
        {
            "src": f"{base}/a.mp4",
            "poster": f"{base}/a.png",
            "controls": "",
            "preload": "metadata",
        }
    ]
    assert found.find("audio") == [{"src": f"{base}/b.wav", "controls": "", "preload": "none"}]


def test_words_in_angle_brackets_are_shown_where_they_are_no_html() -> None:
    found = seen(html_of("Use <pad>, <your-token> and <|im_start|>; <Gallery /> a<b"))
    assert found.text == "Use <pad>, <your-token> and <|im_start|>;  a<b\n"
    assert [tag for tag, _ in found.elements] == ["p"]


def test_comments_are_left_out() -> None:
    text = "a <!-- b --> c\n\n<!-- d\n\ne -->\n\nf <!--> g\n\n<!-- --> h\n"
    assert html_of(text) == "<p>a  c</p>\n\n<p>f  g</p>\n h\n"


def test_what_is_left_open_in_a_paragraph_ends_with_it() -> None:
    assert html_of("a <b>bold <i>and\n\nnot</i>") == "<p>a <b>bold <i>and</i></b></p>\n<p>not</p>\n"


def test_a_name_to_link_to_holds_nothing() -> None:
    html = html_of('<a name="Here">\n\n# Title\n\n[there](#Here)\n')
    assert '<a id="user-content-Here"></a>' in html
    assert '<h1 id="user-content-title">Title' in html
    assert '<a href="#user-content-Here">there</a>' in html


def test_empty_texts() -> None:
    for text in ("", "\n", " ", "\ufeff", "<!-- -->", "\0"):
        assert html_of(text).strip() in ("", "<p>\ufeff</p>")
        assert render(text).headings == []

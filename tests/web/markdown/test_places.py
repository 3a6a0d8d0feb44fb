# SPDX-License-Identifier: Apache-2.0
"""Links and images of a text, in its place in the hub."""

import pytest

from hubkeep.web.markdown import Place, render_markdown
from tests.web.markdown.inert import PLACE, REL, html_of, seen

ROOTED = Place(
    links="/alice/m/blob/main/",
    images="/alice/m/resolve/main/",
    root_links="/alice/m/blob/main/",
    root_images="/alice/m/resolve/main/",
    origin="https://hub.example",
)


@pytest.mark.parametrize(
    ("href", "wanted"),
    [
        ("x.md", "/alice/m/blob/main/docs/x.md"),
        ("./x.md", "/alice/m/blob/main/docs/x.md"),
        ("a/b/../c.txt", "/alice/m/blob/main/docs/a/c.txt"),
        ("../README.md", "/alice/m/blob/main/README.md"),
        ("../../../etc/passwd", "/alice/m/blob/main/etc/passwd"),
        ("%2e%2e/%2E%2e/x", "/alice/m/blob/main/x"),
        ("..", "/alice/m/blob/main/"),
        ("sub/", "/alice/m/blob/main/docs/sub/"),
        ("w.csv?download=true#top", "/alice/m/blob/main/docs/w.csv?download=true#top"),
        ("x.md#Some-Part", "/alice/m/blob/main/docs/x.md#user-content-Some-Part"),
        ("x.md#L10-L12", "/alice/m/blob/main/docs/x.md#L10-L12"),
        ("train.py#L3", "/alice/m/blob/main/docs/train.py#L3"),
        ("/bob/other", "/bob/other"),
        ("/../../bob", "/bob"),
        ("#part", "#user-content-part"),
        ("#user-content-part", "#user-content-part"),
        ("#", "#"),
        ("https://a.example/x", "https://a.example/x"),
        ("HTTPS://a.example/x", "https://a.example/x"),
        ("//a.example/x", "https://a.example/x"),
        ("////a.example", "https://a.example"),
        ("https:a.example", "https://a.example"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("名前.md", "/alice/m/blob/main/docs/%E5%90%8D%E5%89%8D.md"),
    ],
)
def test_where_links_lead(href: str, wanted: str) -> None:
    for text in (f"[a](<{href}>)", f'<a href="{href}">a</a>', f"[a][b]\n\n[b]: <{href}>"):
        (link,) = seen(html_of(text)).find("a")
        assert link["href"] == wanted
        assert (link.get("rel") == REL) == wanted.startswith("http")


@pytest.mark.parametrize(
    ("href", "wanted"),
    [
        ("..\\..\\x", "/alice/m/blob/main/x"),
        ("/\\a.example/x", "https://a.example/x"),
        (" \x01https:\\\\a.example", "https://a.example"),
        ("/\n/a.example/x", "https://a.example/x"),
        ("x.md?a\\b#c\\d", "/alice/m/blob/main/docs/x.md?a/b#user-content-c\\d"),
    ],
)
def test_addresses_are_read_as_browsers_read_them(href: str, wanted: str) -> None:
    assert PLACE.link(href) == wanted
    (link,) = seen(html_of(f'<a href="{href}">a</a>')).find("a")
    assert link["href"] == wanted


@pytest.mark.parametrize(
    ("href", "wanted"),
    [
        ("x.md", "/alice/m/blob/main/x.md"),
        ("/x.md", "/alice/m/blob/main/x.md"),
        ("/../x.md", "/alice/m/blob/main/x.md"),
        ("https://hub.example/bob/n", "/bob/n"),
        ("https://HUB.example//bob/n", "/bob/n"),
        ("https://hub.example/../x?y#z", "/x?y#z"),
        ("https://hub.example.evil.example/x", "https://hub.example.evil.example/x"),
    ],
)
def test_another_root_and_the_hubs_own_name(href: str, wanted: str) -> None:
    (link,) = seen(html_of(f"[a]({href})", ROOTED)).find("a")
    assert link["href"] == wanted
    assert ("rel" in link) == wanted.startswith("http")


@pytest.mark.parametrize(
    ("src", "wanted"),
    [
        ("a.png", "/alice/m/resolve/main/docs/a.png"),
        ("../b%20c.png?x=1#frag", "/alice/m/resolve/main/b%20c.png?x=1"),
        ("../../../../b.png", "/alice/m/resolve/main/b.png"),
    ],
)
def test_images_of_the_repository_load(src: str, wanted: str) -> None:
    for text in (f"![alt]({src})", f'<img src="{src}" alt="alt">'):
        (image,) = seen(html_of(text)).find("img")
        assert (image["src"], image["alt"]) == (wanted, "alt")


def test_an_image_without_words_is_called_by_its_file() -> None:
    assert seen(html_of("![](plots/loss.png)")).find("img")[0]["alt"] == "loss.png"


def test_images_of_the_hub_load_where_the_page_says_so() -> None:
    own = "![a](/x.png) ![b](https://hub.example/bob/n/resolve/main/y.png)"
    images = seen(render_markdown(own, ROOTED).html).find("img")
    sources = [image["src"] for image in images]
    assert sources == ["/alice/m/resolve/main/x.png", "/bob/n/resolve/main/y.png"]
    assert seen(html_of("![a](/x.png)", PLACE)).find("img") == []


@pytest.mark.parametrize(
    "src",
    [
        "https://a.example/x.svg",
        "http://a.example/x.svg",
        "//a.example/x.svg",
        "\\\\a.example/x.svg",
    ],
)
def test_an_image_from_elsewhere_becomes_a_link_with_its_words(src: str) -> None:
    found = seen(html_of(f'<img src="{src}" alt="Build: passing">'))
    assert found.find("img") == []
    (link,) = found.find("a")
    assert link["class"] == "external-image"
    assert link["href"].endswith("://a.example/x.svg")
    assert link["rel"] == REL
    assert found.text == "Build: passing"


def test_a_badge_stays_the_link_that_it_was_in() -> None:
    for text in (
        "[![Paper](https://img.example/b.svg)](https://arxiv.example/1)",
        '<a href="https://arxiv.example/1"><img src="https://img.example/b.svg" alt="Paper"></a>',
    ):
        found = seen(html_of(text))
        assert [link["href"] for link in found.find("a")] == ["https://arxiv.example/1"]
        assert found.find("span")[0]["class"] == "external-image"
        assert "Paper" in found.text


def test_an_image_from_elsewhere_without_words_is_called_by_its_host() -> None:
    assert "img.example" in seen(html_of("![](https://img.example/b.svg)")).text


def test_an_image_that_is_data_is_its_words() -> None:
    found = seen(html_of("![a dot](data:image/png;base64,iVBORw0KGgo=)"))
    assert found.find("img") == []
    assert found.text.strip() == "a dot"

# SPDX-License-Identifier: Apache-2.0
"""Lists of repositories in the browser: filters, facets, pages, and who sees what."""

from itertools import pairwise

import pytest

from hubkeep.cards.facts import Facts
from hubkeep.http import decode_pairs
from hubkeep.kit.cursors import encode_cursor
from hubkeep.repos.types import RepoType
from hubkeep.web.list_choices import ADDRESSES, Choices, choices_of
from tests.harness.hub import TestHub, on_sqlite
from tests.repos.world import World
from tests.web.html import BROWSER, Element, read_html

FILTERS = [
    ("search=BERT+large", {"acme/bert-large"}),
    ("author=acme", {"acme/bert-large", "acme/talker"}),
    ("author=nobody", set()),
    ("filter=license:mit&filter=en", {"alice/bert-small", "bob/guarded"}),
    ("license=mit", {"alice/bert-small", "acme/bert-large", "bob/guarded"}),
    ("license=license:mit&language=nl", {"acme/bert-large"}),
    ("library=gguf", {"alice/bert-small"}),
    ("pipeline_tag=text-generation", {"acme/talker", "bob/guarded"}),
    ("num_parameters=min:100M,max:1B", {"acme/bert-large"}),
    ("num_parameters=max:100M", {"alice/bert-small"}),
    ("gated=true", {"bob/guarded"}),
    ("gated=false&language=en", {"alice/bert-small", "acme/talker"}),
]
BAD_QUERIES = [
    ("colour=red", "Unknown parameter 'colour'"),
    ("sort=beauty", '"sort" must be one of'),
    ("direction=3", "$.direction"),
    ("num_parameters=many", '"num_parameters" must be like'),
    ("gated=perhaps", "$.gated"),
    ("all=everything", '"all" must be one of'),
    ("format=xml", "$.format"),
    ("search=" + "+".join("abcdefghijk"), "At most 10 words"),
    ("cursor=abc", "the cursor is not one that this list gave"),
    ("cursor=" + encode_cursor(["a", "b"]), "the cursor is not one that this list gave"),
    ("cursor=" + encode_cursor([1, -5]), "the cursor is not one that this list gave"),
    ("cursor=" + encode_cursor([10**30, 1]), "the cursor is not one that this list gave"),
]


@pytest.fixture
def world(hub: TestHub) -> World:
    """A few models of several kinds, one of them private."""
    made = World(hub)
    _model(made, "alice/bert-small", "fill-mask", "mit", "en", "gguf", num_parameters=30_000_000)
    _model(made, "acme/bert-large", "fill-mask", "mit", "nl", num_parameters=400_000_000)
    _model(made, "acme/talker", "text-generation", "apache-2.0", "en", num_parameters=9 * 10**9)
    _model(made, "acme/closed-secret", "text-generation", "hidden-licence", "en", private=True)
    _model(made, "bob/guarded", "text-generation", "mit", "en", gated="auto")
    return made


def _model(world: World, path: str, task: str, licence: str, *tags: str, **columns: object) -> None:
    found = ["transformers", task, *tags, f"license:{licence}", "region:us"]
    about = Facts(tags=found, pipeline_tag=task, library_name="transformers")
    world.repo(path, about=about, **columns)


def _page(world: World, path: str, who: str | None = None) -> Element:
    return read_html(world.hub.get(path, headers=BROWSER, token=who))


def _shown(page: Element) -> set[str]:
    return {one.text for one in page.all("a", class_="what")}


def _facet(page: Element, name: str) -> dict[str, Element]:
    """The links of a facet by what stands in them: name and count."""
    found = [one for one in page.all("details", class_="facet") if one.one("summary").text == name]
    return {link.text: link for link in found[0].all("a")}


def _href(link: Element) -> str:
    return link.attributes["href"]


def test_a_stranger_sees_what_is_public(world: World):
    page = _page(world, "/models")
    assert _shown(page) == {"alice/bert-small", "acme/bert-large", "acme/talker", "bob/guarded"}
    assert page.one("h1").text == "Models"
    assert page.one("title").text == "Models · Hubkeep"


def test_no_list_count_or_facet_tells_a_stranger_of_private_repositories(world: World):
    for path in ("/models", "/models?all=license", "/models?search=closed", "/models?author=acme"):
        for who in (None, world.hub.tokens.bob):
            for form in ({"Accept": "text/html"}, {"Accept": "application/json"}):
                text = world.hub.get(path, headers=form, token=who).text
                assert "closed-secret" not in text
                assert "hidden-licence" not in text


def test_a_member_sees_what_is_private_and_that_it_is(world: World):
    page = _page(world, "/models?search=secret", world.hub.tokens.alice)
    assert _shown(page) == {"acme/closed-secret"}
    assert "private" in page.one("ol", class_="rows").text


@on_sqlite
def test_filters_mean_what_they_mean_to_the_api(world: World):
    for query, expected in FILTERS:
        assert _shown(_page(world, f"/models?{query}")) == expected, query


@on_sqlite
def test_a_facet_counts_and_its_choices_go_on_and_off(world: World):
    page = _page(world, "/models?sort=downloads")
    choice = _facet(page, "Licence")["mit 3"]
    assert _href(choice) == "/models?license=mit&sort=downloads"
    chosen = _page(world, _href(choice))
    assert _shown(chosen) == {"alice/bert-small", "acme/bert-large", "bob/guarded"}
    again = _facet(chosen, "Licence")["mit 3"]
    assert again.attributes["aria-current"] == "true"
    assert _href(again) == "/models?sort=downloads"


@on_sqlite
def test_filters_in_force_can_be_taken_away_one_by_one_and_all_at_once(world: World):
    page = _page(world, "/models?license=mit&pipeline_tag=fill-mask&search=bert&gated=false")
    chosen = page.one("ul", aria_label="Filters in force")
    assert [one.text.removesuffix(" \N{MULTIPLICATION SIGN}") for one in chosen.all("a")] == [
        "Without “bert”",
        "Without fill mask",
        "Without mit",
        "Without open to all",
        "Clear all",
    ]
    without = chosen.link("Without mit \N{MULTIPLICATION SIGN}")
    assert without == "/models?search=bert&pipeline_tag=fill-mask&gated=false"
    assert chosen.link("Clear all") == "/models"


@on_sqlite
def test_looking_for_another_word_keeps_the_filters(world: World):
    page = _page(world, "/models?license=mit&search=large&cursor=" + encode_cursor([9.0, 10**9]))
    form = page.one("form", class_="by-name")
    kept = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    assert kept == {"license": "mit", "search": "large"}


@on_sqlite
def test_sizes_are_chosen_as_ranges(world: World):
    link = _facet(_page(world, "/models"), "Size in parameters")["5B to 15B"]
    assert _shown(_page(world, _href(link))) == {"acme/talker"}


@on_sqlite
def test_formats_of_files_are_no_libraries(world: World):
    page = _page(world, "/models")
    assert set(_facet(page, "Library")) == {"transformers 4"}
    assert set(_facet(page, "File format")) == {"gguf 1"}


@on_sqlite
def test_a_long_facet_is_shown_in_full_on_demand(hub: TestHub):
    world = World(hub)
    for number in range(12):
        _model(world, f"alice/m{number}", "fill-mask", f"licence-{number:02}")
    facet = _facet(_page(world, "/models"), "Licence")
    assert len(facet) == 9
    more = _href(facet["More of licence"])
    assert more == "/models?all=license#facet-license"
    page = _page(world, more)
    assert [*_facet(page, "Licence")] == [f"licence-{number:02} 1" for number in range(12)]
    assert "open" in page.one("details", class_="filters").attributes


@on_sqlite
def test_pages_go_on_to_the_end_and_back_to_the_first(hub: TestHub):
    world = World(hub)
    for number in range(65):
        world.repo(f"alice/m{number:02}", downloads=number)
    path, seen, pages = "/models?sort=downloads", [], []
    while path:
        page = _page(world, path)
        pages.append(page)
        seen += [one.text for one in page.all("a", class_="what")]
        more = page.all("a", rel="next")
        path = _href(more[0]) if more else ""
    assert seen == [f"alice/m{number:02}" for number in reversed(range(65))]
    assert len(pages) == 3
    assert pages[2].link("First page") == "/models?sort=downloads"
    assert "First page" not in pages[0].text


@on_sqlite
def test_what_makes_no_sense_is_named_in_a_page(world: World):
    for query, said in BAD_QUERIES:
        answer = world.hub.get(f"/models?{query}", headers=BROWSER)
        assert said in read_html(answer, 400).one("main").text, query


@on_sqlite
def test_a_parameter_of_another_kind_is_none_here(world: World):
    answer = world.hub.get("/spaces?pipeline_tag=fill-mask", headers=BROWSER)
    assert "Unknown parameter 'pipeline_tag'" in read_html(answer, 400).one("main").text


@on_sqlite
def test_a_made_up_cursor_shows_no_more_than_the_list(world: World):
    page = _page(world, "/models?cursor=" + encode_cursor([10**9, 2**60]))
    assert "acme/closed-secret" not in page.text


@on_sqlite
def test_the_data_of_the_page_is_what_it_shows(world: World):
    path = "/models?license=mit&sort=createdAt"
    page = _page(world, path)
    for answer in (
        world.hub.get(f"{path}&format=json", headers=BROWSER),
        world.hub.get(path, headers={"Accept": "application/json"}),
    ):
        data = answer.json()
        assert [one["id"] for one in data["repos"]] == [
            one.text for one in page.all("a", class_="what")
        ]
        hrefs = [choice["href"] for facet in data["facets"] for choice in facet["choices"]]
        shown = [link for facet in page.all("details", class_="facet") for link in facet.all("a")]
        assert hrefs == [_href(one) for one in shown]
        assert answer.headers["vary"] == "Accept, Cookie"
    assert page.link("This page as JSON") == "?license=mit&sort=createdAt&format=json"


@on_sqlite
def test_hostile_tags_and_words_are_text(hub: TestHub):
    world = World(hub)
    tag = '"><script>alert(1)</script>'
    _model(world, "alice/odd", "fill-mask", "mit", tag, "turn\u202eed")
    page = _page(world, "/models")
    choice = _facet(page, "Other tags")[f"{tag} 1"]
    assert "turnU+202Eed 1" in _facet(page, "Other tags")
    chosen = _page(world, _href(choice) + "&search=" + "%22%3E%3Cimg+src%3Dx%3E")
    assert len(chosen.all("script")) == 1
    assert chosen.all("img") == []
    assert chosen.one("input", id="by-name").attributes["value"] == '"><img src=x>'


@on_sqlite
def test_datasets_and_spaces_have_facets_of_their_own(hub: TestHub):
    world = World(hub)
    tags = ["task_categories:summarization", "language:nl", "license:mit", "format:parquet"]
    about = Facts(tags=[*tags, "size_categories:n<1K", "modality:text", "region:us"])
    world.repo("alice/notes", kind="dataset", about=about)
    world.repo("alice/show", kind="space", about=Facts(tags=["static", "games"], sdk="static"))
    page = _page(world, "/datasets")
    for facet, choice, href in (
        ("Task", "summarization 1", "/datasets?task_categories=summarization"),
        ("Rows", "n<1K 1", "/datasets?size_categories=n%3C1K"),
        ("File format", "parquet 1", "/datasets?filter=format%3Aparquet"),
        ("Modality", "text 1", "/datasets?modality=text"),
        ("Language", "nl 1", "/datasets?language=nl"),
    ):
        link = _facet(page, facet)[choice]
        assert _href(link) == href
        assert _shown(_page(world, href)) == {"alice/notes"}
    spaces = _page(world, "/spaces")
    assert set(_facet(spaces, "Other tags")) == {"games 1"}
    sdk = _href(_facet(spaces, "SDK")["static 1"])
    assert sdk == "/spaces?sdk=static"
    assert _shown(_page(world, sdk)) == {"alice/show"}
    assert _shown(_page(world, "/spaces?sdk=gradio")) == set()
    assert _page(world, "/kernels").one("main").text.endswith("There are no kernels yet.")


def test_addresses_say_what_was_chosen():
    chosen = Choices(
        RepoType.MODEL,
        search="a b",
        author="acme",
        tags=("license:mit", "gguf", "en", "a&b=c", "base_model:x/y"),
        pipeline_tag="fill-mask",
        num_parameters="min:1B",
        gated=True,
        sort="likes",
        ascending=True,
    )
    query = chosen.href(cursor="abc").partition("?")[2]
    address = decode_pairs(query, ADDRESSES[RepoType.MODEL])
    read = choices_of(RepoType.MODEL, address)
    assert {**_parts(read), "tags": set(read.tags)} == {**_parts(chosen), "tags": set(chosen.tags)}
    assert address.cursor == "abc"


def _parts(choices: Choices) -> dict[str, object]:
    return {name: getattr(choices, name) for name in Choices.__slots__}


def test_choosing_a_tag_twice_is_as_if_never():
    start = Choices(RepoType.DATASET, tags=("language:nl",))
    steps = [start, start.with_tag("modality:text"), start]
    for before, after in pairwise(steps):
        assert before.with_tag("modality:text") == after

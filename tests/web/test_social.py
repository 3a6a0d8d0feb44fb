# SPDX-License-Identifier: Apache-2.0
"""Pictures for links, and what pages say of themselves to sites that link to them."""

import struct
from io import BytesIO

import pytest
from PIL import Image

from hubkeep.cards.facts import Facts
from hubkeep.web.social_drawing import Drawn, draw
from tests.harness.hub import TestHub, on_sqlite
from tests.repos.world import World, secret
from tests.web.html import BROWSER, Element, read_html

MOST = 60_000


@pytest.fixture
def world(hub: TestHub) -> World:
    made = World(hub)
    made.user("ada", fullname="Ada Lovelace")
    return made


def open_picture(content: bytes) -> Image.Image:
    picture = Image.open(BytesIO(content))
    assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert len(content) < MOST
    return picture.convert("RGB")


def named(seen: Element) -> dict[str, str]:
    """The page's metadata, by property or name."""
    return {
        one.attributes.get("property") or one.attributes.get("name", ""): one.attributes["content"]
        for one in seen.all("meta")
        if "content" in one.attributes
    }


@on_sqlite
@pytest.mark.parametrize(
    ("path", "picture"),
    [
        ("/", "/social"),
        ("/models", "/social"),
        ("/ada", "/social/ada"),
        ("/ada/model", "/social/ada/model"),
        ("/ada/model/refs", "/social/ada/model"),
        ("/datasets/ada/texts", "/social/datasets/ada/texts"),
    ],
)
def test_pages_say_how_they_are_shown_elsewhere(world: World, path: str, picture: str):
    about = Facts(tags=[], license="mit", description="What it is for")
    world.repo("ada/model", about=about)
    world.repo("ada/texts", kind="dataset")
    told = named(read_html(world.hub.get(path, headers=BROWSER)))
    assert told["og:image"] == f"http://127.0.0.1:8080{picture}"
    assert told["og:url"] == f"http://127.0.0.1:8080{path}"
    assert told["twitter:card"] == "summary_large_image"
    assert told["og:title"]
    assert told["og:description"] == (
        "What it is for" if path == "/ada/model" else told["description"]
    )
    answer = world.hub.get(picture)
    assert answer.headers["content-type"] == "image/png"
    open_picture(answer.content)


@on_sqlite
def test_a_picture_is_not_sent_twice_and_changes_with_what_it_says(world: World):
    repo = world.repo("ada/model")
    first = world.hub.get("/social/ada/model")
    same = world.hub.get("/social/ada/model", headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    world.call("POST", "/api/models/ada/model/like", "ada")
    assert repo
    after = world.hub.get("/social/ada/model", headers={"If-None-Match": first.headers["etag"]})
    assert after.status_code == 200
    assert after.headers["etag"] != first.headers["etag"]


@on_sqlite
def test_a_name_that_a_caller_makes_up_is_no_picture_of_its_own(world: World):
    called = ["127.0.0.1:8080", "localhost:1", "any.localhost:65535"]
    tags = {world.hub.get("/social", headers={"Host": one}).headers["etag"] for one in called}
    assert len(tags) == 1
    assert world.hub.get("/social", headers={"Host": "any.example.org"}).status_code == 400


@on_sqlite
def test_pictures_of_what_is_private_are_for_its_readers(world: World):
    world.user("eve")
    world.repo("ada/hidden", private=True)
    answers = [
        world.hub.get(f"/social/ada/{name}", token=token)
        for name in ("hidden", "missing")
        for token in (None, secret("eve"))
    ]
    assert [one.status_code for one in answers] == [401, 404, 401, 404]
    assert answers[0].text == answers[2].text
    assert world.hub.get("/social/ada/hidden", token=secret("ada")).status_code == 200
    public = world.hub.get("/social/ada").headers["etag"]
    world.repo("ada/open")
    assert world.hub.get("/social/ada").headers["etag"] != public
    assert world.hub.get("/social/nobody").status_code == 404


@on_sqlite
def test_titles_and_texts_of_hostile_cards_stay_text(world: World):
    hostile = '"><script>alert(1)</script>\u202e'
    world.repo("ada/model", about=Facts(tags=[], description=hostile))
    answer = world.hub.get("/ada/model", headers=BROWSER)
    told = named(read_html(answer))
    assert told["og:description"].startswith('"><script>alert(1)</script>')
    assert "\u202e" not in answer.text
    assert "<script>alert" not in answer.text
    open_picture(world.hub.get("/social/ada/model").content)


PLAIN = Drawn("model", "Model", "ada", "model", "", (), "hub.example.org")


def is_empty(picture: Image.Image, box: tuple[int, int, int, int]) -> bool:
    return all(low == high for low, high in picture.crop(box).getextrema())


@pytest.mark.parametrize(
    "drawn",
    [
        PLAIN,
        Drawn("dataset", "Dataset", "a" * 96, "x" * 96, "y" * 500, ("z" * 200,), "h" * 300),
        Drawn("space", "Space", "W" * 96, "W-" * 48, "W " * 250, ("W" * 40,) * 9, "W.example"),
        Drawn("kernel", "Kernel", "", "漢字", "\U0001f600 \u202e\u0000", ("ω",), ""),
        Drawn("user", "User", "ada", "Ada Lovelace", "a\nb", ("12 models",), "localhost"),
        Drawn("org", "Organisation", "", "", "", (), "localhost"),
        Drawn("hub", "Model hub", "", "Hubkeep", "Models", (), "localhost"),
    ],
)
def test_whatever_is_written_stays_within_its_place(drawn: Drawn):
    picture = open_picture(draw(drawn))
    for edge in ((0, 20, 70, 630), (1130, 20, 1200, 630), (0, 600, 1200, 630)):
        assert is_empty(picture, edge), edge
    # The line that what it says of itself ends above, and what is below it.
    assert is_empty(picture, (80, 440, 1120, 452))


def test_what_the_type_cannot_write_is_left_out_with_what_little_remains():
    def with_about(about: str) -> bytes:
        return draw(Drawn("model", "Model", "ada", "model", about, (), "hub.example.org"))

    assert with_about("これは日本語です") == draw(PLAIN)
    assert with_about("Hello \u202e\U0001f600world") == with_about("Hello world")


def test_a_picture_is_a_png_of_few_colours():
    content = draw(PLAIN)
    width, height, depth, colour = struct.unpack(">IIBB", content[16:26])
    assert (width, height, colour) == (1200, 630, 3)
    assert depth <= 8

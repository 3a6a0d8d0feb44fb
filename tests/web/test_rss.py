# SPDX-License-Identifier: Apache-2.0
"""Feeds: valid RSS with absolute links, and nothing private in those of the hub."""

from email.utils import parsedate_to_datetime
from xml.etree import ElementTree

import httpx2 as httpx
import msgspec
import pytest

from hubkeep.cards.facts import Facts
from hubkeep.kit.time import DAY
from tests.harness.hub import BASE, TestHub, on_sqlite
from tests.repos.world import World
from tests.web.html import BROWSER, read_html

pytestmark = on_sqlite
FEEDS = ("/models/rss.xml", "/datasets/rss.xml", "/spaces/rss.xml", "/kernels/rss.xml")


def _channel(answer: httpx.Response) -> ElementTree.Element:
    """The channel of a feed that has all that RSS 2.0 asks for."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/rss+xml; charset=utf-8"
    root = ElementTree.fromstring(answer.content)
    assert (root.tag, root.attrib["version"]) == ("rss", "2.0")
    [channel] = root
    for name in ("title", "link", "description"):
        assert channel.findtext(name), name
    for item in channel.iter("item"):
        assert item.findtext("link") == item.findtext("guid")
        assert (item.findtext("link") or "").startswith(f"{BASE}/")
        assert parsedate_to_datetime(item.findtext("pubDate") or "")
    return channel


def _links(channel: ElementTree.Element) -> list[str]:
    return [(one.findtext("link") or "").removeprefix(BASE) for one in channel.iter("item")]


def test_new_repositories_come_first_and_public_ones_alone(hub: TestHub):
    world, start = World(hub), hub.clock()
    about = Facts(tags=[], pipeline_tag="fill-mask", library_name="a<b>&\x01c")
    world.repo("alice/old", created_at=start - DAY)
    world.repo("alice/new", about=about, created_at=start, num_parameters=7 * 10**9)
    world.repo("acme/closed-secret", private=True)
    world.repo("bob/numbers", kind="dataset")
    world.repo("bob/show", kind="space")
    channel = _channel(hub.get("/models/rss.xml"))
    assert _links(channel) == ["/alice/new", "/alice/old"]
    first = next(channel.iter("item"))
    assert first.findtext("title") == "alice/new"
    assert first.findtext("description") == "fill mask · 7B parameters · a<b>&\ufffdc"
    assert _links(_channel(hub.get("/datasets/rss.xml"))) == ["/datasets/bob/numbers"]
    assert _links(_channel(hub.get("/spaces/rss.xml"))) == ["/spaces/bob/show"]
    assert _links(_channel(hub.get("/kernels/rss.xml"))) == []


def test_feeds_of_the_hub_are_the_same_for_everybody(hub: TestHub):
    World(hub).repo("acme/closed-secret", private=True)
    for path in FEEDS:
        for who in (None, hub.tokens.alice, hub.tokens.root):
            assert "secret" not in hub.get(path, token=who).text
            assert hub.get(f"{path}?format=json", token=who).json()["items"] == []


def test_a_feed_is_data_too(hub: TestHub):
    World(hub).repo("alice/new")
    data = hub.get("/models/rss.xml", headers={"Accept": "application/json"}).json()
    assert [one["link"] for one in data["items"]] == [f"{BASE}/alice/new"]


@pytest.mark.parametrize("path", ["/models", "/datasets", "/spaces", "/kernels"])
def test_lists_lead_to_their_feed(hub: TestHub, path: str):
    page = read_html(hub.get(path, headers=BROWSER))
    [link] = page.all("link", rel="alternate")
    assert link.attributes["href"] == f"{path}/rss.xml"
    _channel(hub.get(link.attributes["href"]))


def _commit(hub: TestHub, repo: str, summary: str, text: str, description: str = "") -> str:
    lines = [
        {"key": "header", "value": {"summary": summary, "description": description}},
        {"key": "file", "value": {"path": "notes.txt", "content": text}},
    ]
    body = b"\n".join(msgspec.json.encode(line) for line in lines)
    sent = hub.post(f"/api/models/{repo}/commit/main", token=hub.tokens.alice, content=body)
    assert sent.status_code == 200, sent.text
    return sent.json()["commitOid"]


def _made(hub: TestHub, name: str, *, private: bool = False) -> None:
    body = {"name": name, "private": private}
    made = hub.post("/api/repos/create", token=hub.tokens.alice, json=body)
    assert made.status_code == 200, made.text


def test_commits_of_a_repository_come_newest_first(hub: TestHub):
    _made(hub, "notes")
    _commit(hub, "alice/notes", "Begin <em>well</em> & good", "one", "More ]]> of it")
    hub.clock.move(minutes=1)
    last = _commit(hub, "alice/notes", "Bell \x07 rings", "two")
    channel = _channel(hub.get("/alice/notes/commits/main/rss.xml"))
    titles = [one.findtext("title") for one in channel.iter("item")]
    assert titles[0] in ("Bell \ufffd rings", "Bell rings", "Bell  rings")
    assert titles[1] == "Begin <em>well</em> & good"
    assert _links(channel)[0] == f"/alice/notes/commit/{last}"
    begin = list(channel.iter("item"))[1]
    assert begin.findtext("description") == "More ]]> of it"
    assert begin.findtext("{http://purl.org/dc/elements/1.1/}creator") == "alice"


def test_pages_of_a_repository_lead_to_the_feed_of_its_commits(hub: TestHub):
    _made(hub, "notes")
    _commit(hub, "alice/notes", "Begin", "one")
    [link] = read_html(hub.get("/alice/notes", headers=BROWSER)).all("link", rel="alternate")
    assert len(_links(_channel(hub.get(link.attributes["href"])))) == 2


def test_commits_of_a_private_repository_are_for_its_readers(hub: TestHub):
    _made(hub, "diary", private=True)
    _commit(hub, "alice/diary", "Dear diary", "one")
    path = "/alice/diary/commits/main/rss.xml"
    assert _links(_channel(hub.get(path, token=hub.tokens.alice)))
    missing = hub.get("/alice/nothing/commits/main/rss.xml")
    for answer in (hub.get(path), missing):
        assert answer.status_code == 401
        assert "Dear" not in answer.text
    assert hub.get(path, token=hub.tokens.bob).status_code == 404


def test_a_revision_that_is_not_there_is_404_and_a_bad_parameter_400(hub: TestHub):
    _made(hub, "notes")
    _commit(hub, "alice/notes", "Begin", "one")
    assert hub.get("/alice/notes/commits/nowhere/rss.xml").status_code == 404
    assert hub.get("/alice/notes/commits/main/rss.xml?limit=3").status_code == 400
    assert hub.get("/models/rss.xml?limit=3").status_code == 400

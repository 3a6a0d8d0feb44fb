# SPDX-License-Identifier: Apache-2.0
"""Static Spaces: their page on the hub, and their files at an address that carries the right."""

import hashlib
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2 as httpx
import msgspec
import pytest
from sqlalchemy import Connection, update

from hubkeep.config import Config
from hubkeep.db.tables import repos
from hubkeep.identity import commands
from hubkeep.identity.actor import Role
from hubkeep.transfer.signing import _unb64
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite, started_hub
from tests.harness.world import seed
from tests.web.browser import Browser
from tests.web.html import BROWSER, read_html

pytestmark = on_sqlite

CONTENT = {"Host": "content.localhost:8080"}
STATIC = b"---\nsdk: static\n---\n# A Space\n"
PAGE = b"<!doctype html><script type=module src=js/app.js></script>"
FILES = {
    "README.md": STATIC,
    "index.html": PAGE,
    "js/app.js": b"import './other.mjs'",
    "docs/index.html": b"<p>docs</p>",
    "a b.txt": b"0123456789",
    "notes": b"plain",
    "blob": b"\0\1",
}


@pytest.fixture
def space(hub: TestHub) -> Shelf:
    """An empty Space of alice's."""
    return Shelf(hub, "alice/space", "spaces").create(sdk="static")


@pytest.fixture
def full(space: Shelf) -> Shelf:
    """The same with a page and a few files."""
    assert space.commit(FILES).status_code == 200
    return space


def data(shelf: Shelf, token: str | None = None) -> dict:
    answer = shelf.hub.get(shelf.web, headers={"Accept": "application/json"}, token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()["space"]


def run(shelf: Shelf, token: str | None = None) -> Callable[..., httpx.Response]:
    """Open the Space; what comes back asks for its files, by their paths in the Space."""
    root = urlsplit(data(shelf, token)["href"]).path.removesuffix("index.html")
    assert root.startswith("/space/")
    assert root.endswith("/")

    def ask(path: str = "", **headers: str) -> httpx.Response:
        return shelf.hub.get(root + path, headers={**CONTENT, **headers})

    return ask


def test_its_page_frames_it_from_the_other_origin(full: Shelf):
    answer = full.hub.get(full.web, headers=BROWSER)
    frame = read_html(answer).one("iframe").attributes
    assert frame["src"].startswith("http://content.localhost:8080/space/")
    assert frame["src"].endswith("/index.html")
    assert "allow-scripts" in frame["sandbox"].split()
    assert "allow-same-origin" not in frame["sandbox"]
    assert "top-navigation" not in frame["sandbox"]
    assert frame["referrerpolicy"] == "no-referrer"
    assert frame["title"]
    policy = answer.headers["content-security-policy"]
    assert "frame-src http://content.localhost:8080;" in policy
    assert "/tree/main" in answer.text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
        ("js/app.js", "text/javascript; charset=utf-8"),
        ("docs/", "text/html; charset=utf-8"),
        ("a%20b.txt", "text/plain; charset=utf-8"),
        ("notes", "text/plain; charset=utf-8"),
        ("blob", "application/octet-stream"),
    ],
)
def test_files_come_as_a_web_server_sends_them(full: Shelf, path: str, kind: str):
    answer = run(full)(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert "content-disposition" not in answer.headers


def test_every_answer_is_an_origin_of_its_own(full: Shelf):
    ask = run(full)
    for path in ("index.html", "js/app.js", "missing", "blob"):
        answer = ask(path, Origin="null")
        policy = answer.headers["content-security-policy"]
        assert "sandbox" in policy
        assert "allow-same-origin" not in policy
        assert "allow-top-navigation" not in policy
        assert "frame-ancestors " in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


def test_parts_and_unchanged_files(full: Shelf):
    ask = run(full)
    whole = ask("a%20b.txt")
    part = ask("a%20b.txt", Range="bytes=2-4")
    assert (part.status_code, part.content) == (206, b"234")
    assert part.headers["content-range"] == "bytes 2-4/10"
    again = ask("a%20b.txt", **{"If-None-Match": whole.headers["etag"]})
    assert again.status_code == 304
    assert "sandbox" in again.headers["content-security-policy"]
    head = full.hub.head(whole.request.url.path, headers=CONTENT)
    assert (head.status_code, head.headers["content-length"]) == (200, "10")


def test_a_large_file_comes_whole_and_in_parts(space: Shelf):
    picture = bytes(range(256)) * 100
    value = {"path": "cat.png", **space.upload(picture)}
    assert space.commit(FILES, lines=[("lfsFile", value)]).status_code == 200
    ask = run(space)
    answer = ask("cat.png")
    assert answer.content == picture
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["etag"] == f'"{hashlib.sha256(picture).hexdigest()}"'
    assert ask("cat.png", Range="bytes=-2").content == picture[-2:]


def test_nginx_is_not_asked_to_send_what_the_policy_makes_safe(tmp_path, database_url: str):
    config = Config(data=tmp_path / "hub", database_url=database_url, accel_prefix="/_files")
    with started_hub(config) as hub:
        hub.write(lambda conn: seed(conn, hub.clock()))
        space = Shelf(hub, "alice/space", "spaces").create(sdk="static")
        value = {"path": "big.html", **space.upload(PAGE * 9)}
        assert space.commit(FILES, lines=[("lfsFile", value)]).status_code == 200
        answer = run(space)("big.html")
        assert "x-accel-redirect" not in answer.headers
        assert answer.content == PAGE * 9


def test_a_folder_is_led_to_with_its_slash(full: Shelf):
    answer = run(full)("docs")
    assert (answer.status_code, answer.headers["location"]) == (307, "./docs/")
    path = answer.request.url.path.removesuffix("/docs")
    root = full.hub.get(path, headers=CONTENT)
    assert root.headers["location"] == f"./{path.rpartition('/')[2]}/"
    # Wherever that begins, it stays on this host.
    twice = full.hub.client.get(f"http://content.localhost:8080/{path}/docs")
    assert twice.headers["location"] == "./docs/"


@pytest.mark.parametrize("path", ["missing", "js/", "js/app.js/", "index.html/x", "..%2fREADME.md"])
def test_what_is_not_there_is_not_found(full: Shelf, path: str):
    ask = run(full)
    assert ask(path).status_code == 404
    full.commit({"404.html": b"<h1>Lost</h1>"})
    lost = run(full)(path)
    assert (lost.status_code, lost.text) == (404, "<h1>Lost</h1>")
    assert lost.headers["content-type"] == "text/html; charset=utf-8"
    assert "sandbox" in lost.headers["content-security-policy"]


def test_a_page_stays_at_the_commit_that_it_was_opened_at(full: Shelf):
    before = run(full)
    full.commit({"index.html": b"new"})
    assert before("index.html").content == PAGE
    assert run(full)("index.html").content == b"new"


def test_an_address_ends_after_an_hour(full: Shelf):
    ask = run(full)
    full.hub.clock.move(minutes=59)
    assert ask("index.html").status_code == 200
    full.hub.clock.move(minutes=2)
    ended = ask("index.html", **BROWSER)
    assert ended.status_code == 404
    assert "Open the Space again" in ended.text


def test_an_address_cannot_be_made_or_changed(full: Shelf):
    href = urlsplit(data(full)["href"]).path
    token = href.split("/")[2]
    other = Shelf(full.hub, "alice/other", "spaces").create(sdk="static", private=True)
    assert other.commit(FILES).status_code == 200
    for forged in ("x", token[:-2] + "AA", token.swapcase(), "." + token):
        answer = full.hub.get(href.replace(token, forged), headers=CONTENT)
        assert answer.status_code == 404


def test_the_address_of_a_public_space_does_not_say_who_looks(full: Shelf):
    """The scripts of a Space can read where they run."""
    token = urlsplit(data(full, full.token)["href"]).path.split("/")[2]
    assert token == urlsplit(data(full)["href"]).path.split("/")[2]


def test_an_address_of_a_private_space_is_for_its_readers(hub: TestHub):
    shelf = Shelf(hub, "alice/closed", "spaces").create(sdk="static", private=True)
    assert shelf.commit(FILES).status_code == 200
    assert hub.get(shelf.web, token=hub.tokens.bob).status_code == 404
    assert run(shelf, shelf.token)("index.html").content == PAGE


def test_an_address_ends_with_the_right_to_read(hub: TestHub):
    def work(conn: Connection) -> None:
        commands.create_org(conn, "makers", hub.clock())
        for user, role in (("alice", Role.ADMIN), ("bob", Role.READ)):
            commands.add_member(conn, "makers", user, role, hub.clock())

    hub.write(work)
    shelf = Shelf(hub, "makers/closed", "spaces").create(sdk="static", private=True)
    assert shelf.commit(FILES).status_code == 200
    ask = run(shelf, hub.tokens.bob)
    assert ask("index.html").status_code == 200
    hub.write(lambda conn: commands.remove_member(conn, "makers", "bob"))
    assert ask("index.html").status_code == 404


def test_an_address_ends_with_the_session_it_was_made_in(alice: Browser):
    shelf = Shelf(alice.hub, "alice/closed", "spaces").create(sdk="static", private=True)
    assert shelf.commit(FILES).status_code == 200
    frame = read_html(alice.get(shelf.web)).one("iframe").attributes["src"]
    path = urlsplit(frame).path
    assert alice.hub.get(path, headers=CONTENT).status_code == 200
    alice.post("/logout")
    assert alice.hub.get(path, headers=CONTENT).status_code == 404


def test_a_public_space_that_becomes_private_is_gone_for_strangers(full: Shelf):
    ask = run(full)
    settings = {"private": True}
    full.hub.put(f"{full.api}/settings", token=full.token, json=settings)
    assert ask("index.html").status_code == 404


def test_a_space_that_is_disabled_does_not_run(full: Shelf):
    ask = run(full)
    full.hub.write(lambda conn: conn.execute(update(repos).values(disabled=True)))
    assert ask("index.html").status_code == 404
    assert data(full) is None


def test_a_space_that_was_deleted_is_gone(full: Shelf):
    ask = run(full)
    body = {"name": "space", "organization": "alice", "type": "space"}
    gone = full.hub.delete("/api/repos/delete", token=full.token, json=body)
    assert gone.status_code == 200
    assert ask("index.html").status_code == 404


def test_the_card_names_the_page(space: Shelf):
    card = b"---\nsdk: static\napp_file: site/start here.html\n---\n"
    space.commit({"README.md": card, "site/start here.html": PAGE})
    assert data(space)["href"].endswith("/site/start%20here.html")


@pytest.mark.parametrize("given", ["/etc/passwd", "../x.html", "a/../../b", "a//b"])
def test_a_page_outside_of_the_space_is_not_the_page(space: Shelf, given: str):
    card = f"---\nsdk: static\napp_file: {given}\n---\n".encode()
    space.commit({"README.md": card, "index.html": PAGE})
    assert data(space)["appFile"] == "index.html"


def test_a_space_without_its_page_says_what_is_missing(space: Shelf):
    space.commit({"README.md": STATIC, "src/main.js": b"1"})
    shown = data(space)
    assert (shown["state"], shown["href"]) == ("no_page", None)
    page = read_html(space.hub.get(space.web, headers=BROWSER))
    assert not page.all("iframe")
    assert "index.html" in page.text
    assert "runs no build" in page.text


@pytest.mark.parametrize(
    ("card", "last"),
    [
        (b"sdk: gradio\nsdk_version: 5.9.1", "pip install gradio==5.9.1 -r requirements.txt"),
        (b"sdk: gradio\nsdk_version: '5; rm'", "pip install gradio -r requirements.txt"),
        (b"sdk: gradio\napp_file: 'a;b $(c).py'", "python 'a;b $(c).py'"),
        (b"sdk: streamlit\napp_file: -x.py", "streamlit run ./-x.py"),
        (b"sdk: docker\napp_port: 8001", "docker run --rm --publish 8001:8001 space"),
    ],
)
def test_other_spaces_say_how_they_are_run_elsewhere(space: Shelf, card: bytes, last: str):
    space.commit({"README.md": b"---\n" + card + b"\n---\n", "requirements.txt": b"numpy\n"})
    shown = data(space)
    assert (shown["state"], shown["href"]) == ("not_here", None)
    lines = shown["ways"][0]["text"].split("\n")
    assert lines[:2] == ["git clone http://127.0.0.1:8080/spaces/alice/space", "cd space"]
    assert last in lines[2:]
    page = read_html(space.hub.get(space.web, headers=BROWSER))
    assert "does not run them" in page.text
    assert not page.all("iframe")


def test_a_hub_without_a_second_address_says_so(tmp_path, database_url: str):
    config = Config(
        data=tmp_path / "hub", database_url=database_url, public_url="https://hub.example.org"
    )
    with started_hub(config) as hub:
        hub.write(lambda conn: seed(conn, hub.clock()))
        space = Shelf(hub, "alice/space", "spaces").create(sdk="static")
        assert space.commit(FILES).status_code == 200
        assert data(space)["state"] == "no_origin"
        answer = hub.get(space.web, headers=BROWSER)
        assert "HUBKEEP_CONTENT_URL" in answer.text
        assert "frame-src 'none'" in answer.headers["content-security-policy"]


def test_an_empty_space_has_no_app(space: Shelf):
    assert "<iframe" not in space.hub.get(space.web, headers=BROWSER).text


def test_other_repositories_have_no_app(hub: TestHub):
    shelf = Shelf(hub).create()
    shelf.commit({"README.md": STATIC, "index.html": PAGE})
    assert data(shelf) is None


def test_a_grant_is_no_other_kind_of_right(full: Shelf):
    token = urlsplit(data(full)["href"]).path.split("/")[2]
    claims = msgspec.json.decode(_unb64(token.partition(".")[0]))
    assert claims[0] == "space"
    assert full.hub.get(f"/lfs/objects/{token}").status_code == 403

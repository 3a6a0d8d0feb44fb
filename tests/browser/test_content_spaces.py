# SPDX-License-Identifier: Apache-2.0
"""Static Spaces in a browser: they work, and reach nothing that is not theirs."""

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2 as httpx

from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page, Request

CARD = "---\nsdk: static\n---\n# A Space\n"

APP = """<!doctype html>
<html lang="en">
<link rel="stylesheet" href="style/app.css">
<h1 id="said">waiting</h1>
<img id="picture" src="cat.png" alt="A cat">
<script type="module" src="js/app.js"></script>
</html>
"""
APP_JS = """
import { said } from "./words/said.mjs";
const data = await (await fetch("./data/words.json")).json();
const { rest } = await import("../js/words/rest.mjs");
document.querySelector("#said").textContent = said(data.word) + rest;
"""
APP_FILES = {
    "README.md": CARD,
    "index.html": APP,
    "style/app.css": "h1 { color: rgb(1, 2, 3) }",
    "js/app.js": APP_JS,
    "js/words/said.mjs": "export const said = (word) => `I say ${word}`;",
    "js/words/rest.mjs": "export const rest = '!';",
    "data/words.json": '{"word": "hello"}',
}

# Tries what a Space must not do, and leaves what came of it for the test to read.
HOSTILE = """<!doctype html>
<title>secret title</title>
<body>
<script type="module">
const hub = location.ancestorOrigins[0];
const tried = {};
const attempt = async (name, what) => {
  try { tried[name] = "GOT " + await what(); } catch (error) { tried[name] = error.name; }
};
await attempt("cookie", () => document.cookie);
await attempt("storage", () => localStorage.length);
await attempt("database", () => new Promise((yes, no) => {
  const asked = indexedDB.open("x"); asked.onsuccess = () => yes("opened"); asked.onerror = no;
}));
await attempt("worker", () => navigator.serviceWorker.register("index.html"));
await attempt("hub", () => parent.document.body.innerHTML);
await attempt("session", async () =>
  (await fetch(`${hub}/api/whoami-v2`, { credentials: "include" })).text());
await attempt("stranger", async () => (await fetch(`${hub}/api/whoami-v2`)).status);
await attempt("token", async () => (await fetch(`${hub}/settings/tokens`, {
  method: "POST", mode: "no-cors", credentials: "include",
  headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: "name=stolen&role=write",
})).type);
await attempt("top", () => { top.location = "http://elsewhere.localhost/"; });
await attempt("frame", () => new Promise((done) => {
  const inside = document.createElement("iframe");
  inside.src = `${hub}/settings/tokens`;
  inside.onload = () => {
    try { done(inside.contentDocument.title); } catch (error) { done("closed"); }
  };
  document.body.append(inside);
  setTimeout(done, 2000, "nothing");
}));
window.tried = tried;
document.body.dataset.done = "yes";
</script>
"""

# Another Space in the same page.
BESIDE = """
address => new Promise((done) => {
  const beside = document.createElement("iframe");
  beside.src = address;
  beside.onload = done;
  document.body.append(beside);
})
"""
LOOK_BESIDE = """
() => { try { return parent.frames[1].document.title; } catch (error) { return error.name; } }
"""


def png(size: int) -> bytes:
    """A picture of one colour, of so many pixels either way."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = zlib.compress((b"\0" + b"\x80\x20\x20" * size) * size, 0)
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def add_large(site: Site, repo: str, path: str, content: bytes) -> None:
    """Put a file into a Space as git-lfs does."""
    oid = hashlib.sha256(content).hexdigest()
    wanted = {
        "operation": "upload",
        "transfers": ["basic"],
        "objects": [{"oid": oid, "size": len(content)}],
    }
    batch = site.api("POST", f"/spaces/{repo}.git/info/lfs/objects/batch", json=wanted).json()
    upload = batch["objects"][0]["actions"]["upload"]["href"]
    assert httpx.put(upload, content=content).is_success
    value = {"path": path, "algo": "sha256", "oid": oid, "size": len(content)}
    lines = [{"key": "header", "value": {"summary": "Add"}}, {"key": "lfsFile", "value": value}]
    site.api(
        "POST",
        f"/api/spaces/{repo}/commit/main",
        content="\n".join(map(json.dumps, lines)),
        headers={"Content-Type": "application/x-ndjson"},
    )


def make(site: Site, name: str, files: Mapping[str, str], **more: object) -> str:
    """Make a Space of alice's, and return its path on the hub."""
    repo = site.create(name, kind="space", sdk="static", **more)
    site.commit(repo, files, kind="space")
    return f"/spaces/{repo}"


def app_of(page: "Page") -> "Frame":
    """The frame in which a page's Space runs."""
    frame = page.locator("iframe[data-space]").element_handle().content_frame()
    assert frame is not None
    return frame


def test_a_space_runs_with_its_modules_data_and_pictures(site: Site, page: "Page"):
    path = make(site, "runs", APP_FILES)
    add_large(site, "alice/runs", "cat.png", png(1100))
    asked: list[Request] = []
    # Playwright asks a listener for attributes, which a method of a list has not.
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108
    page.goto(path)
    app = app_of(page)
    app.get_by_role("heading", name="I say hello!").wait_for()
    colour = "getComputedStyle(document.querySelector('#said')).color"
    assert app.evaluate(colour) == "rgb(1, 2, 3)"
    app.wait_for_function("document.querySelector('#picture').naturalWidth === 1100")
    assert app.evaluate("self.origin") == "null"
    for one in asked:
        if urlsplit(one.url).hostname == "content.localhost":
            assert "cookie" not in one.all_headers()


def test_it_also_runs_in_a_window_of_its_own(site: Site, page: "Page"):
    page.goto(make(site, "window", APP_FILES | {"cat.png": "no picture"}))
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Full window").click()
    window = opened.value
    window.get_by_role("heading", name="I say hello!").wait_for()
    assert window.evaluate("self.origin") == "null"
    assert window.evaluate("document.referrer") == ""
    assert window.evaluate("window.opener") is None


def test_a_space_reaches_nothing_that_is_not_its_own(site: Site, open_page: OpenPage, watch: Watch):
    watch.expect(
        "blocked by CORS policy",
        "whoami-v2 net::ERR_FAILED",
        "console error: Failed to load resource: net::ERR_FAILED",
        "401: GET .*/api/whoami-v2",
        "403: POST .*/settings/tokens",
        "Unsafe attempt to initiate navigation",
        "Framing .* violates",
        "no answer: GET .*/login.*ERR_BLOCKED_BY_RESPONSE",
    )
    victim = make(site, "victim", {"README.md": CARD, "index.html": "<title>private words</title>"})
    path = make(site, "hostile", {"README.md": CARD, "index.html": HOSTILE})
    page = open_page("alice")
    page.goto(victim)
    address = page.locator("iframe[data-space]").get_attribute("src")
    page.goto(path)
    app = app_of(page)
    app.locator("body[data-done]").wait_for(state="attached")
    tried = app.evaluate("window.tried")
    assert tried.pop("stranger") == "GOT 401"
    assert tried.pop("token") == "GOT opaque"
    assert tried.pop("frame") == "GOT closed"
    assert tried.pop("session") == "TypeError"
    assert tried == dict.fromkeys(
        ("cookie", "storage", "database", "worker", "hub", "top"), "SecurityError"
    )
    assert urlsplit(page.url).path == path
    page.evaluate(BESIDE, address)
    assert app.evaluate(LOOK_BESIDE) == "SecurityError"
    page.goto("/settings/tokens")
    assert page.get_by_text("stolen").count() == 0


def test_a_private_space_runs_for_its_readers_until_they_may_not(
    site: Site, open_page: OpenPage, watch: Watch
):
    path = make(site, "closed", APP_FILES | {"cat.png": ""}, private=True)
    page = open_page("alice")
    page.goto(path)
    app = app_of(page)
    app.get_by_role("heading", name="I say hello!").wait_for()
    address = app.url

    stranger = open_page("bob")
    watch.expect(f"404: GET .*{path}$")
    stranger.goto(path)
    assert stranger.locator("iframe").count() == 0

    page.goto("/settings/sessions")
    page.locator("summary[aria-label='Your account']").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    watch.expect("404: GET http://content.localhost")
    page.goto(address)
    assert page.get_by_text("does not hold any more").is_visible()
    # The cookies that the other tests share were of this session.
    site.cookies_of.cache_clear()


def test_the_page_says_when_the_address_has_ended(site: Site, page: "Page"):
    path = make(site, "ended", {"README.md": CARD, "index.html": "<h1>on</h1>"})
    page.clock.install()
    page.goto(path)
    app_of(page).get_by_role("heading", name="on").wait_for()
    over = page.locator("[data-space-over]")
    assert over.is_hidden()
    page.clock.fast_forward("01:00:02")
    over.wait_for()
    assert over.get_by_role("link", name="Reload the page").is_visible()

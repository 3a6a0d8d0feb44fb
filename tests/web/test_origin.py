# SPDX-License-Identifier: Apache-2.0
"""Two origins, of which neither has what is on the other, and nobody is signed in on the second."""

import httpx2 as httpx
import pytest

from hubkeep.config import Config
from hubkeep.routes_content import content_routes
from tests.harness.hub import TestHub, on_sqlite, started_hub
from tests.web.browser import Browser
from tests.web.html import BROWSER

pytestmark = on_sqlite

CONTENT = {"Host": "content.localhost:8080"}
HUB_PAGES = ["/", "/models", "/login", "/alice", "/static/mark.svg", "/healthz", "/metrics"]
HUB_API = ["/api/models", "/api/whoami-v2", "/alice/m/resolve/main/a", "/alice/m.git/info/refs"]


@pytest.mark.parametrize("path", HUB_PAGES + HUB_API)
def test_nothing_of_the_hub_is_on_the_content_origin(hub: TestHub, path: str):
    answer = hub.get(path, headers={**CONTENT, **BROWSER}, token=hub.tokens.alice)
    assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("path", ["/space/x/", "/space/x/index.html", "/diagrams"])
def test_nothing_of_the_content_origin_is_on_the_hub(hub: TestHub, path: str):
    # Two segments are the name of a model, which a stranger is asked to sign in for.
    assert hub.get(path, token=hub.tokens.alice).status_code == 404


def test_nothing_can_be_changed_there(hub: TestHub):
    assert {route.method for route in content_routes()} == {"GET"}
    for method in ("POST", "PUT", "DELETE"):
        assert hub.request(method, "/diagrams", headers=CONTENT).status_code == 405
        assert hub.request(method, "/login", headers=CONTENT).status_code == 404


@pytest.mark.parametrize("path", ["/diagrams", "/login", "/space/x/", "/settings/tokens"])
def test_no_cookie_is_read_or_set_there(alice: Browser, path: str):
    alone = alice.hub.get(path, headers={**CONTENT, **BROWSER})
    cookies = "; ".join(f"{name}={value}" for name, value in alice.cookies.items())
    signed_in = alice.hub.get(path, headers={**CONTENT, **BROWSER, "Cookie": cookies})
    for answer in (alone, signed_in):
        assert "set-cookie" not in answer.headers
    assert (alone.status_code, alone.text) == (signed_in.status_code, signed_in.text)


def test_errors_there_run_nothing(hub: TestHub):
    answer = hub.get("/space/<script>alert(1)</script>/", headers={**CONTENT, **BROWSER})
    assert answer.status_code == 404
    assert "<script" not in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'; sandbox;" in answer.headers["content-security-policy"]
    plain = hub.get("/nowhere", headers=CONTENT)
    assert plain.json()["error"].startswith("Nothing is at")
    assert "sandbox" in plain.headers["content-security-policy"]


def test_a_hub_behind_a_proxy_goes_by_what_the_proxy_was_called(tmp_path, database_url: str):
    config = Config(
        data=tmp_path / "hub",
        database_url=database_url,
        public_url="https://hub.example.org",
        content_url="https://content.example.net",
        trusted_proxies=("127.0.0.1",),
    )

    def status(hub: TestHub, path: str, called: str) -> int:
        return hub.get(path, headers={"X-Forwarded-Host": called}).status_code

    with started_hub(config) as hub:
        assert status(hub, "/diagrams", "content.example.net") == 200
        assert status(hub, "/models", "content.example.net") == 404
        assert status(hub, "/diagrams", "hub.example.org") == 404
        assert status(hub, "/models", "hub.example.org") == 200
        framed = hub.get("/diagrams", headers={"X-Forwarded-Host": "content.example.net"})
        policy = framed.headers["content-security-policy"]
        assert policy.endswith("frame-ancestors https://hub.example.org")


def test_the_page_that_draws_diagrams_may_load_its_scripts_and_nothing_else(hub: TestHub):
    answer = hub.get("/diagrams", headers=CONTENT)
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy[:4] == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'unsafe-inline'",
        "sandbox allow-scripts",
    ]
    assert "127.0.0.1:8080" in policy[4].split()
    script = answer.text.partition('src="')[2].partition('"')[0]
    part = hub.get(script, headers={**CONTENT, "Origin": "null", "Accept-Encoding": "gzip"})
    assert part.status_code == 200
    assert part.headers["content-type"] == "text/javascript; charset=utf-8"
    # Its origin is nobody's, so scripts come to it from another one.
    assert part.headers["access-control-allow-origin"] == "*"
    assert part.headers["cache-control"].endswith("immutable")
    assert part.headers["content-encoding"] == "gzip"
    mermaid = script.replace("draw.js", "mermaid-12.3.0/mermaid.esm.min.mjs")
    assert hub.get(mermaid, headers=CONTENT).status_code == 200


@pytest.mark.parametrize("name", ["../draw.js", "%2e%2e/site.py", "mermaid-12.3.0/LICENSE", "x.js"])
def test_no_other_file_is_sent_from_there(hub: TestHub, name: str):
    frame = hub.get("/diagrams", headers=CONTENT).text
    digest = frame.partition("/diagrams/")[2].partition("/")[0]
    assert hub.get(f"/diagrams/{digest}/{name}", headers=CONTENT).status_code == 404
    assert hub.get("/diagrams/000000000000/draw.js", headers=CONTENT).status_code == 404


def frame_sources(answer: httpx.Response) -> str:
    policy = answer.headers["content-security-policy"]
    return next(part for part in policy.split("; ") if part.startswith("frame-src "))


def test_only_pages_with_something_to_frame_may_frame_it(hub: TestHub):
    assert frame_sources(hub.get("/models", headers=BROWSER)) == "frame-src 'none'"

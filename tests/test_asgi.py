# SPDX-License-Identifier: Apache-2.0
"""What holds for every address: errors, HEAD, request ids, CORS, hosts, sign-in."""

import base64

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from hubkeep import errors
from hubkeep.app import App
from hubkeep.db import DatabaseFull, DatabaseUnavailable
from hubkeep.errors import Moved
from hubkeep.identity.rules import Action
from hubkeep.kit.routing import Router
from hubkeep.route import Route
from tests.harness.hub import TestHub, on_sqlite

pytestmark = on_sqlite

PATHS = ["/healthz", "/readyz", "/metrics", "/api/whoami-v2", "/nowhere", "/api/models/a/b"]


@pytest.fixture
def raising(hub: TestHub):
    """A route `/raise` that raises, and answers nothing else."""

    def install(error: Exception) -> TestHub:
        async def handler(app: App, request: Request) -> Response:
            raise error

        router: Router[Route] = Router()
        router.add("GET", "/raise/{what*}", Route("GET", "/raise", handler, Action.ANYONE, "test"))
        hub.application._router = router
        return hub

    return install


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_body(hub: TestHub, path: str):
    got, head = hub.get(path), hub.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    per_answer = {"x-request-id", "date"}
    if path == "/metrics":
        per_answer.add("content-length")  # the first call is counted in what the second says
    assert {k: v for k, v in head.headers.items() if k not in per_answer} == {
        k: v for k, v in got.headers.items() if k not in per_answer
    }


@pytest.mark.parametrize("path", PATHS)
def test_nothing_but_the_head_is_sent_to_head(hub: TestHub, path: str):
    # The client of these tests would drop a body by itself, so the messages are looked at.
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "HEAD",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    assert hub.client.portal is not None
    hub.client.portal.call(hub.application, scope, receive, send)
    assert b"".join(message.get("body", b"") for message in sent) == b""
    assert dict(sent[0]["headers"])[b"content-length"] != b"0"


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ({"X-Request-Id": "abc"}, "abc"),
        ({"X-Amzn-Trace-Id": "trace"}, "trace"),
        ({"X-Request-Id": "abc", "X-Amzn-Trace-Id": "trace"}, "abc"),
        ({"X-Request-Id": "x" * 500}, "x" * 128),
    ],
)
def test_request_id_is_echoed(hub: TestHub, sent: dict[str, str], echoed: str):
    assert hub.get("/healthz", headers=sent).headers["x-request-id"] == echoed


def test_each_request_has_an_id_of_its_own(hub: TestHub):
    first, second = (hub.get("/nowhere").headers["x-request-id"] for _ in range(2))
    assert first != second


def test_unknown_path(hub: TestHub):
    answer = hub.get("/n%C3%B6where/to/go")
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("Nothing is at")
    assert answer.headers["x-error-message"].isascii()


def test_wrong_method_says_which_are_right(hub: TestHub):
    answer = hub.put("/healthz")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.json() == {"error": "Use one of: GET, HEAD"}


def test_unexpected_error_tells_the_request_id_and_nothing_else(raising, caplog):
    answer = raising(RuntimeError("the secret")).get("/raise/x", headers={"X-Request-Id": "id7"})
    assert answer.status_code == 500
    assert answer.json() == {"error": "Internal error; tell the administrator the request id id7"}
    assert "the secret" not in answer.text + str(answer.headers)
    assert "the secret" in caplog.text


@pytest.mark.parametrize(
    ("error", "status"), [(DatabaseFull("full"), 507), (DatabaseUnavailable("busy"), 503)]
)
def test_storage_errors(raising, error: Exception, status: int):
    answer = raising(error).get("/raise/x")
    assert answer.status_code == status
    assert answer.headers["x-error-message"] == answer.json()["error"]


def test_error_message_header_is_one_ascii_line(raising):
    message = "wörse\r\nX-Evil: 1\x00than"
    answer = raising(errors.bad_request(message)).get("/raise/x")
    assert answer.json() == {"error": message}
    assert answer.headers["x-error-message"] == "w rse X-Evil: 1 than"
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/raise/old/name/tree/a%2Fb?x=1", "/raise/new/name/tree/a%2Fb?x=1"),
        ("/raise/Old/Name", "/raise/new/name"),
        ("/raise/old/name.git/info/refs", "/raise/new/name.git/info/refs"),
        ("/raise/%6Fld/name/resolve/main/a%3Fb", "/raise/new/name/resolve/main/a%3Fb"),
        ("/raise/old/name2/tree/x/old/name/y", "/raise/old/name2/tree/x/new/name/y"),
    ],
)
def test_moved_keeps_the_rest_of_the_address(raising, path: str, location: str):
    answer = raising(Moved("old/name", "new/name")).get(path)
    assert (answer.status_code, answer.headers["location"]) == (307, location)


def test_moved_never_leads_to_another_host(raising):
    hub = raising(Moved("raise/name", "raise/new"))
    answer = hub.client.get(f"{hub.client.base_url}//raise/name/x")
    assert (answer.status_code, answer.headers["location"]) == (307, "/raise/new/x")


def test_cors(hub: TestHub):
    preflight = hub.request(
        "OPTIONS",
        "/api/models/a/b",
        headers={
            "Origin": "https://elsewhere.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, x-thing",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-headers"] == "authorization, x-thing"
    answer = hub.get("/api/models/a/nowhere", headers={"Origin": "https://elsewhere.example"})
    exposed = answer.headers["access-control-expose-headers"].split(",")
    assert {"X-Error-Code", "X-Repo-Commit", "Link", "ETag"} <= set(exposed)
    assert "access-control-allow-origin" not in hub.get("/api/models/a/nowhere").headers
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/metrics", "/", "/models", "/login"])
def test_pages_of_others_read_neither_pages_nor_metrics(hub: TestHub, path: str):
    answer = hub.get(path, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_addresses_are_not_made_for_a_host_that_is_not_ours(hub: TestHub):
    body = {"name": "thing", "type": "model"}
    answer = hub.post(
        "/api/repos/create", token=hub.tokens.alice, json=body, headers={"Host": "evil.example"}
    )
    assert answer.status_code == 400
    assert "HUBKEEP_ALLOWED_HOSTS" in answer.json()["error"]
    assert hub.post("/api/repos/create", token=hub.tokens.alice, json=body).status_code == 200


@pytest.mark.parametrize("path", ["/", "/nowhere", "/alice/nothing", "/login"])
def test_a_browser_that_calls_a_hub_by_another_name_is_told_what_to_set(hub: TestHub, path: str):
    answer = hub.get(path, headers={"Host": "192.0.2.1:8080", "Accept": "text/html"})
    assert answer.status_code == 400
    assert "HUBKEEP_ALLOWED_HOSTS" in answer.json()["error"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("[::1]:8080", 200),
        ("[::1]", 200),
        ("127.0.0.1:80@evil.example", 400),
        ("localhost:8080/..", 400),
        ('localhost:80"><', 400),
        ("localhost:x", 400),
        ("", 400),
    ],
)
def test_a_host_is_a_name_and_a_port(hub: TestHub, host: str, status: int):
    assert hub.get("/", headers={"Host": host}).status_code == status


def test_basic_auth_takes_the_token_as_password(hub: TestHub):
    def whoami(user: str, password: str) -> int:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        return hub.get("/api/whoami-v2", headers={"Authorization": f"Basic {pair}"}).status_code

    assert whoami("anybody", hub.tokens.alice) == 200
    assert whoami("alice", "hf_wrong") == 401


@pytest.mark.parametrize("header", ["Bearer hf_unknown", "Bearer", "Basic !!!", "Digest x", "x"])
def test_bad_credentials_are_refused(hub: TestHub, header: str):
    answer = hub.get("/api/whoami-v2", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json() == {"error": "Invalid credentials in Authorization header"}


def test_metrics_count_requests(hub: TestHub):
    hub.get("/nowhere/to/go")
    hub.get("/healthz")
    text = hub.get("/metrics").text
    assert 'hubkeep_requests_total{route="none",status="404"} 1.0' in text
    assert 'hubkeep_requests_total{route="/healthz",status="200"} 1.0' in text

# SPDX-License-Identifier: Apache-2.0
"""Small answers, and what is missing being said to be missing."""

import pytest

from tests.harness.hub import TestHub, on_sqlite

pytestmark = on_sqlite


def test_the_root_says_how_to_use_the_hub(hub: TestHub) -> None:
    answer = hub.get("/", headers={"Accept": "application/json"}).json()
    assert answer["name"] == "Hubkeep"
    assert answer["use"] == "export HF_ENDPOINT=http://127.0.0.1:8080"
    assert answer["models"] == "http://127.0.0.1:8080/api/models"


def test_what_clients_ask_at_their_start(hub: TestHub) -> None:
    assert hub.get("/api/agent-harnesses").json() == {"standardEnvVars": [], "harnesses": {}}
    assert hub.head("/api/telemetry/gradio/launched").status_code == 204
    assert hub.get("/api/tasks").json()["fill-mask"]["id"] == "fill-mask"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/cas/0/v2/file-chunk-hashes/" + "0" * 64),
        ("GET", "/api/models/alice/x/treesize/main"),
        ("POST", "/api/collections"),
        ("GET", "/api/collections/alice/some-0123456789abcdef01234567"),
        ("GET", "/api/models/alice/x/discussions"),
        ("GET", "/api/buckets/alice/x"),
        ("POST", "/oauth/device"),
    ],
)
def test_what_is_missing_is_said_to_be_missing(hub: TestHub, method: str, path: str) -> None:
    answer = hub.request(method, path)
    assert answer.status_code == 501
    assert answer.headers["X-Error-Code"] == "NotImplemented"
    assert "not implemented" in answer.json()["error"]

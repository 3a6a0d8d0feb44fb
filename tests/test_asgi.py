# SPDX-License-Identifier: Apache-2.0
"""What holds for every address: errors, HEAD, request ids, CORS, hosts."""

from tests.harness.hub import LiveHub, TestHub, on_sqlite


@on_sqlite
def test_ready(hub: TestHub):
    assert hub.get("/readyz").json() == {"status": "ready"}


def test_ready2(hub: TestHub):
    assert hub.get("/readyz").json() == {"status": "ready"}


def test_live(live_hub: LiveHub):
    import httpx2 as httpx

    assert httpx.get(live_hub.url + "/readyz").status_code == 200

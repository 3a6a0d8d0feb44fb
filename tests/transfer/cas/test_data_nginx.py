# SPDX-License-Identifier: Apache-2.0
"""Chunks that nginx sends: what the hub allows it to, and no more."""

import os
from collections.abc import Iterator
from dataclasses import replace

import httpx2 as httpx
import pytest

from hubkeep.xet.chunks import Scheme
from tests.harness.hub import LiveHub, running_hub, seed_folder
from tests.harness.nginx import ACCEL, needs_nginx, nginx_before
from tests.transfer.cas.following import follow, runs
from tests.transfer.cas.live import live_shelf, make_repo, read_token
from tests.transfer.cas.shelf import Shelf
from tests.transfer.cas.test_data import STORED, asking, at, read_parts

pytestmark = needs_nginx


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveHub, Shelf, str]]:
    """A hub as clients see it through nginx, its shelf, and a repository."""
    folder = tmp_path_factory.mktemp("nginx")
    seed_folder(folder / "hub")
    with (
        running_hub(folder / "hub", "--no-job-worker", env=ACCEL) as hub,
        nginx_before(hub.url, folder / "hub" / "blobs" / "blobs", folder) as url,
        live_shelf(hub) as shelf,
    ):
        seen = replace(hub, url=url)
        yield seen, shelf, make_repo(seen, "m")


def fetch(url: str, span: str) -> httpx.Response:
    return httpx.get(url, headers={"Range": span})


def test_nginx_sends_what_is_asked_for_and_allowed(behind: tuple[LiveHub, Shelf, str]):
    hub, shelf, repo = behind
    xorb = shelf.xorb([os.urandom(1000) for _ in range(6)], Scheme.NONE)
    file = shelf.file(repo, [xorb.term(1, 2), xorb.term(3, 4)])
    cas, token = read_token(hub, repo)
    assert cas.startswith(hub.url)
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
        said = client.get(f"{cas}/v2/reconstructions/{file.hash}").json()
    assert follow(fetch, said, 2000) == file.content
    (url,) = {url for _, url, _, _ in runs(said)}

    several = httpx.get(url, headers=asking(at(1), at(3)))
    assert several.status_code == 206
    assert [(span, content) for _, span, content in read_parts(several)] == [
        (f"bytes {first}-{last}/{6 * STORED}", xorb.body[first : last + 1])
        for first, last in (at(1), at(3))
    ]
    assert several.headers["cache-control"] == "private, no-store"
    head = httpx.head(url, headers=asking(at(1)))
    assert (head.status_code, head.headers["content-length"]) == (206, str(STORED))

    first, last = at(1)
    for headers, status in (
        ({}, 403),
        (asking(at(2)), 403),
        (asking(at(1), at(2)), 403),
        ({"Range": f"bytes={first}-"}, 403),
        ({"Range": f"bytes={first}-{last}", "If-Range": '"x"'}, 403),
        ({"Range": f"bytes={first}-{last},{first}-{last}"}, 400),
        ({"Range": f"Bytes={first}-{last}"}, 400),
        ({"Range": f"bytes={6 * STORED}-"}, 416),
    ):
        answer = httpx.get(url, headers=headers)
        assert (answer.status_code, answer.content.count(xorb.body[:100])) == (status, 0), headers

# SPDX-License-Identifier: Apache-2.0
"""Chunks that lie on S3: clients are sent there, each with the right to one span."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest

from hubkeep.config import Config
from hubkeep.transfer.cas import addresses
from hubkeep.xet.chunks import Scheme
from hubkeep.xet.hashes import to_text
from tests.harness.hub import TestHub, started_hub
from tests.harness.s3 import ACCESS_KEY, SECRET_KEY
from tests.harness.world import seed
from tests.transfer.cas.conftest import make_repo
from tests.transfer.cas.following import fetcher, follow, runs, told
from tests.transfer.cas.shelf import Shelf, shelf_of
from tests.transfer.cas.test_data import asking, at, read_parts


@pytest.fixture
def hub(
    tmp_path: Path, database_url: str, s3_endpoint: str, s3_client: object
) -> Iterator[TestHub]:
    """A hub on S3 that sends clients there."""
    with hub_on(f"s3://files/{tmp_path.name}?endpoint={s3_endpoint}", tmp_path, database_url) as it:
        yield it


@pytest.fixture
def hidden(
    tmp_path: Path, sqlite_url: str, s3_endpoint: str, s3_client: object
) -> Iterator[TestHub]:
    """A hub on an S3 that clients cannot reach."""
    place = f"s3://files/{tmp_path.name}?endpoint={s3_endpoint}&direct=no"
    with hub_on(place, tmp_path, sqlite_url) as it:
        yield it


@contextmanager
def hub_on(place: str, folder: Path, database_url: str) -> Iterator[TestHub]:
    config = Config(
        data=folder / "hub",
        database_url=database_url,
        blobs_url=place,
        s3_access_key=ACCESS_KEY,
        s3_secret_key=SECRET_KEY,
    )
    with started_hub(config) as started:
        started.write(lambda conn: seed(conn, started.clock()))
        yield started


@pytest.mark.parametrize("version", [1, 2])
def test_each_run_has_an_address_of_its_own(
    hub: TestHub, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, version: int
):
    monkeypatch.setattr(addresses, "_SIGNED_AT_ONCE", 2)
    xorb = shelf.xorb([os.urandom(1000) for _ in range(9)], Scheme.NONE)
    other = shelf.xorb([os.urandom(500) for _ in range(3)])
    terms = [xorb.term(0, 2), other.term(1, 3), xorb.term(3, 4), xorb.term(7, 9)]
    file = shelf.file("alice/m", terms)
    said = told(hub, version, file, "bytes=100-4999")
    found = list(runs(said))
    assert len({url for _, url, _, _ in found}) == len(found) == 4
    with httpx.Client() as outside:

        def fetch(url: str, span: str) -> httpx.Response:
            return outside.get(url, headers={"Range": span})

        assert follow(fetch, said, 4900) == file.content[100:5000]
        # moto takes any Range; that the right one is signed can be seen.
        assert all("range" in urlsplit(url).query.lower() for _, url, _, _ in found)
    if version == 2:
        assert all(len(one["ranges"]) == 1 for one in said["xorbs"][to_text(xorb.name)])


def test_the_hub_sends_what_clients_cannot_fetch_there(hidden: TestHub):
    shelf = shelf_of(hidden)
    make_repo(hidden, "m")
    xorb = shelf.xorb([os.urandom(1000) for _ in range(6)], Scheme.NONE)
    file = shelf.file("alice/m", [xorb.term(1, 2), xorb.term(3, 4)])
    said = told(hidden, 2, file)
    assert follow(fetcher(hidden), said, 2000) == file.content
    (url,) = {url for _, url, _, _ in runs(said)}
    several = hidden.get(urlsplit(url).path, headers=asking(at(1), at(3)))
    assert [content for _, _, content in read_parts(several)] == [
        xorb.body[first : last + 1] for first, last in (at(1), at(3))
    ]
    assert hidden.get(urlsplit(url).path, headers=asking(at(2))).status_code == 403

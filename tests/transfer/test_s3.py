# SPDX-License-Identifier: Apache-2.0
"""Large files with S3 behind the hub: bytes go past it where S3 can take the client's word."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from hubkeep.transfer import offers, rules
from tests.harness.s3 import ACCESS_KEY, SECRET_KEY
from tests.transfer.town import Town, named, sha, town_at

pytestmark = pytest.mark.anyio

PART = 5 << 20
CONTENT = os.urandom(PART + 100)


@pytest.fixture
def s3_url(s3_endpoint: str, s3_client: object) -> str:
    """A place in a bucket that is there: that is what asking for the client sees to."""
    return f"s3://files/hub?endpoint={s3_endpoint}"


@pytest.fixture
async def s3_town(
    s3_url: str, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    monkeypatch.setattr(rules, "PART_SIZE", PART)
    monkeypatch.setattr(offers, "PART_SIZE", PART)
    settings = {"blobs_url": s3_url, "s3_access_key": ACCESS_KEY, "s3_secret_key": SECRET_KEY}
    async with town_at(sqlite_url, tmp_path / "data", **settings) as town:
        yield town


async def test_parts_go_to_s3_and_the_whole_is_checked(s3_town: Town):
    s3_town.repo("ann/m")
    upload = (await s3_town.actions("ann", "ann/m", CONTENT))["upload"]
    addresses = [upload["header"]["00001"], upload["header"]["00002"]]
    pieces = [CONTENT[:PART], CONTENT[PART:]]

    async with httpx2.AsyncClient() as outside:
        parts = []
        for number, (url, piece) in enumerate(zip(addresses, pieces, strict=True), start=1):
            sent = (await outside.put(url, content=piece)).raise_for_status()
            parts.append({"partNumber": number, "etag": sent.headers["etag"]})
        body = {"oid": sha(CONTENT), "parts": parts}
        done = await s3_town.client.post(upload["href"], json=body)
        got = (await s3_town.actions("ann", "ann/m", CONTENT, operation="download"))["download"]
        fetched = await outside.get(got["href"], headers={"Range": "bytes=10-"})

    assert (done.status_code, s3_town.links("ann/m")) == (200, {sha(CONTENT)})
    assert not got["href"].startswith(str(s3_town.client.base_url))
    assert fetched.content == CONTENT[10:]


async def test_parts_may_come_through_the_hub_too(s3_town: Town):
    """As those of browsers do, whose pages talk to nobody but the hub."""
    s3_town.repo("ann/m")
    content = os.urandom(PART + 1)
    upload = (await s3_town.actions("ann", "ann/m", content))["upload"]
    async with httpx2.AsyncClient() as outside:
        (await outside.put(upload["header"]["00001"], content=content[:PART])).raise_for_status()
    sent = await s3_town.client.put(f"{upload['href']}/2", content=content[PART:])
    there = (await s3_town.client.get(upload["href"])).json()
    body = {"oid": sha(content), "parts": there["parts"]}
    done = await s3_town.client.post(upload["href"], json=body)

    assert (sent.status_code, done.status_code) == (200, 200)
    assert [part["partNumber"] for part in there["parts"]] == [1, 2]
    assert s3_town.links("ann/m") == {sha(content)}


async def test_wrong_parts_on_s3_are_found_out(s3_town: Town):
    s3_town.repo("ann/m")
    content = os.urandom(PART + 1)
    upload = (await s3_town.actions("ann", "ann/m", content))["upload"]
    async with httpx2.AsyncClient() as outside:
        first = await outside.put(upload["header"]["00001"], content=bytes(PART))
        second = await outside.put(upload["header"]["00002"], content=b"x")
    parts = [
        {"partNumber": number, "etag": sent.headers["etag"]}
        for number, sent in enumerate((first, second), start=1)
    ]
    refused = await s3_town.client.post(upload["href"], json={"oid": sha(content), "parts": parts})
    assert refused.status_code == 422
    assert s3_town.links("ann/m") == set()


async def test_a_file_in_one_piece_goes_through_the_hub(s3_town: Town):
    s3_town.repo("ann/m")
    small = os.urandom(1000)
    actions = await s3_town.actions("ann", "ann/m", small)
    href = actions["upload"]["href"]
    wrong = await s3_town.client.put(href, content=bytes(1000))
    sent = await s3_town.client.put(href, content=small)
    checked = await s3_town.client.post(actions["verify"]["href"], json=named(small))
    assert [one.status_code for one in (wrong, sent, checked)] == [422, 200, 200]

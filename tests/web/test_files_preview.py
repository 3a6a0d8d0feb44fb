# SPDX-License-Identifier: Apache-2.0
"""Pictures, sounds and films for pages: shown as what they are, from the hub, unable to run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hubkeep.config import Config
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite, started_hub
from tests.harness.s3 import ACCESS_KEY, SECRET_KEY
from tests.harness.world import seed
from tests.web.browser import Browser
from tests.web.shelves import SCRIPT, page

SVG = f'<svg xmlns="http://www.w3.org/2000/svg">{SCRIPT}</svg>'.encode()


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


@pytest.fixture
def on_s3(
    s3_endpoint: str, s3_client: object, tmp_path: Path, sqlite_url: str
) -> Iterator[TestHub]:
    """A hub that sends clients to S3 for large files."""
    where = f"s3://files/preview?endpoint={s3_endpoint}"
    config = Config(
        data=tmp_path / "hub",
        database_url=sqlite_url,
        blobs_url=where,
        s3_access_key=ACCESS_KEY,
        s3_secret_key=SECRET_KEY,
    )
    with started_hub(config) as started:
        started.write(lambda conn: seed(conn, started.clock()))
        yield started


@on_sqlite
def test_files_have_the_type_that_browsers_show(shelf: Shelf) -> None:
    types = {
        "a.svg": "image/svg+xml",
        "a.PNG": "image/png",
        "a.wav": "audio/wav",
        "a.mp4": "video/mp4",
        "a.html": "application/octet-stream",
        "a.xhtml": "application/octet-stream",
        "svg": "image/svg+xml",
        "a": "application/octet-stream",
    }
    shelf.commit(dict.fromkeys(types, SVG))
    for name, kind in types.items():
        answer = shelf.hub.get(f"{shelf.web}/preview/main/{name}")
        assert (answer.status_code, answer.content) == (200, SVG)
        assert answer.headers["content-type"] == kind


@on_sqlite
def test_a_drawing_is_shown_and_cannot_run(shelf: Shelf) -> None:
    shelf.commit({"a.svg": SVG})
    seen = page(shelf, "/blob/main/a.svg")
    assert (
        seen.one("div", class_="media").one("img").attributes["src"].endswith("/preview/main/a.svg")
    )
    assert SCRIPT in page(shelf, seen.link("Source").removeprefix(shelf.web)).text
    headers = shelf.hub.get(f"{shelf.web}/preview/main/a.svg").headers
    policy = headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "sandbox"} <= set(policy)
    assert not any(each.startswith("script-src") for each in policy)
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''a.svg"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@on_sqlite
def test_a_large_drawing_is_not_shown(shelf: Shelf) -> None:
    shelf.commit({"a.svg": b"<svg>" + b" " * (2 << 20)})
    assert not page(shelf, "/blob/main/a.svg").all("img", alt="a.svg")


@on_sqlite
def test_parts_can_be_had_and_nothing_is_counted(hub: TestHub) -> None:
    shelf = Shelf(hub, "alice/rows", "datasets").create()
    shelf.commit(lines=[("lfsFile", {**shelf.upload(b"0123456789" * 100), "path": "a.wav"})])
    address = f"{shelf.web}/preview/main/a.wav"
    part = shelf.hub.get(address, headers={"Range": "bytes=10-13"})
    assert (part.status_code, part.content) == (206, b"0123")
    assert part.headers["content-range"] == "bytes 10-13/1000"
    whole = shelf.hub.get(address)
    known = shelf.hub.get(address, headers={"If-None-Match": whole.headers["etag"]})
    assert known.status_code == 304
    assert shelf.hub.head(address).headers["content-length"] == "1000"
    assert hub.client.portal is not None
    hub.client.portal.call(hub.app.downloads.flush)
    assert hub.get(shelf.api).json()["downloads"] == 0


@on_sqlite
def test_what_is_private_is_for_its_readers(alice: Browser) -> None:
    shelf = Shelf(alice.hub, "alice/unlisted").create(private=True)
    shelf.commit(lines=[("lfsFile", {**shelf.upload(b"0123456789"), "path": "a.wav"})])
    address = f"{shelf.web}/preview/main/a.wav"
    part = alice.get(address, Accept="*/*", Range="bytes=2-3")
    assert (part.status_code, part.content) == (206, b"23")
    assert part.headers["cache-control"] == "private, no-cache"
    assert alice.hub.get(address).status_code == 401


def test_bytes_on_s3_come_from_the_hub(on_s3: TestHub) -> None:
    shelf = Shelf(on_s3).create()
    shelf.commit(lines=[("lfsFile", {**shelf.upload(b"0123456789"), "path": "a.png"})])
    assert on_s3.get(f"{shelf.web}/resolve/main/a.png").status_code == 302
    whole = on_s3.get(f"{shelf.web}/preview/main/a.png")
    assert (whole.status_code, whole.content) == (200, b"0123456789")
    part = on_s3.get(f"{shelf.web}/preview/main/a.png", headers={"Range": "bytes=2-3"})
    assert (part.status_code, part.content) == (206, b"23")


@on_sqlite
def test_what_is_not_there_is_not_sent(shelf: Shelf) -> None:
    shelf.commit({"a.png": b"x"})
    for path in ("main/b.png", "nowhere/a.png", "main/"):
        assert shelf.hub.get(f"{shelf.web}/preview/{path}").status_code == 404
    assert shelf.hub.get(f"{shelf.web}/preview/main/a.png?x=1").status_code == 400

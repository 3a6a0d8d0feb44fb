# SPDX-License-Identifier: Apache-2.0
"""hf_xet puts files together by what the hub says, in all the ways that it can (1.8.0)."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import hf_xet
import pytest

from hubkeep.xet.chunks import Scheme
from tests.harness.hub import LiveHub
from tests.transfer.cas.live import live_shelf, make_repo, read_token
from tests.transfer.cas.shelf import File, Shelf

SMALL_BLOCKS = {
    "HF_XET_RECONSTRUCTION_MIN_RECONSTRUCTION_FETCH_SIZE": "300kb",
    "HF_XET_RECONSTRUCTION_MAX_RECONSTRUCTION_FETCH_SIZE": "300kb",
}
SEVERAL = {"HF_XET_CLIENT_ENABLE_MULTIRANGE_FETCHING": "1"}
V1 = {"HF_XET_CLIENT_RECONSTRUCTION_API_VERSION": "1"}


@pytest.fixture(scope="module")
def shelf(live_hub: LiveHub) -> Iterator[Shelf]:
    with live_shelf(live_hub) as found:
        yield found


@pytest.fixture(scope="module")
def repo(live_hub: LiveHub) -> str:
    return make_repo(live_hub, f"stock-{os.urandom(4).hex()}")


@pytest.fixture(scope="module")
def scattered(shelf: Shelf, repo: str) -> File:
    """A file of many short terms, of xorbs in all schemes."""
    random = Random(7)
    kept = [
        shelf.xorb([random.randbytes(random.randint(1, 9000)) for _ in range(300)], scheme)
        for scheme in Scheme
    ]
    terms = []
    for _ in range(150):
        start = random.randrange(295)
        terms.append(random.choice(kept).term(start, start + random.randint(1, 5)))
    return shelf.file(repo, terms, row_terms=40)


@pytest.fixture(scope="module")
def plain(shelf: Shelf, repo: str) -> File:
    """A file that is all of two xorbs."""
    one, two = (shelf.xorb([os.urandom(60_000) for _ in range(20)], Scheme.NONE) for _ in range(2))
    return shelf.file(repo, [one.term(0, 20), two.term(0, 20)])


@pytest.fixture
def group(live_hub: LiveHub, repo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Opens a group of downloads, with settings that the client reads from its environment."""
    cas, token = read_token(live_hub, repo)
    monkeypatch.setenv("HF_XET_CACHE", str(tmp_path / "xet"))

    def open_group(settings: dict[str, str], *, stream: bool = False):
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        session = hf_xet.XetSession()
        make = session.new_download_stream_group if stream else session.new_file_download_group
        return make(endpoint=cas, token=token, token_expiry_unix_secs=int(time.time()) + 3600)

    return open_group


@pytest.mark.parametrize(
    "settings",
    [{}, SEVERAL, V1, SMALL_BLOCKS, SMALL_BLOCKS | SEVERAL, SMALL_BLOCKS | V1],
    ids=["default", "several", "v1", "blocks", "blocks-several", "blocks-v1"],
)
def test_files_come_whole(
    group, scattered: File, plain: File, tmp_path: Path, settings: dict[str, str]
):
    files = {"scattered": scattered, "plain": plain}
    with group(settings) as downloads:
        for name, file in files.items():
            info = hf_xet.XetFileInfo(file.hash, len(file.content))
            downloads.start_download_file(info, str(tmp_path / name))
    for name, file in files.items():
        assert (tmp_path / name).read_bytes() == file.content


@pytest.mark.parametrize("settings", [{}, SEVERAL, V1], ids=["default", "several", "v1"])
def test_parts_of_files_come(group, scattered: File, settings: dict[str, str]):
    size = len(scattered.content)
    info = hf_xet.XetFileInfo(scattered.hash, size)
    streams = group(settings, stream=True)
    for start, end in ((0, 1), (12_345, 12_346), (size // 3, size // 2), (size - 5, size)):
        got = b"".join(streams.download_stream(info, start, end))
        assert got == scattered.content[start:end]

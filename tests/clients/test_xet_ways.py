# SPDX-License-Identifier: Apache-2.0
"""Every way up by every way down, the client's settings of Xet, and several clients at once."""

import io
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from tests.clients import stock
from tests.clients.stored import MiB, edited, stored, weights, xet_hash
from tests.harness.hub import LiveHub

pytestmark = stock

Hf = Callable[..., str]
WITHOUT_XET = {"HF_HUB_DISABLE_XET": "1"}
SIZE = 3 * MiB + 1


@pytest.mark.parametrize("way", ["xet", "lfs", "without-xet"])
def test_what_went_up_one_way_comes_down_every_way(
    api: HfApi, repo: str, hf: Hf, live_hub: LiveHub, tmp_path: Path, way: str
) -> None:
    content = weights(SIZE)
    path = tmp_path / "w.bin"
    path.write_bytes(content)
    if way == "xet":
        api.upload_file(path_or_fileobj=path, path_in_repo="w.bin", repo_id=repo)
    elif way == "lfs":  # the client sends what is an open file by git-lfs
        api.upload_file(path_or_fileobj=io.BytesIO(content), path_in_repo="w.bin", repo_id=repo)
    else:
        hf("upload", repo, str(path), "w.bin", **WITHOUT_XET)
    for _ in range(2):  # before the hub has looked at the file, and after
        assert bool(xet_hash(api, repo, "w.bin")) == (way == "xet")
        for number, env in enumerate(({}, WITHOUT_XET)):
            down = tmp_path / f"down-{number}"
            hf("download", repo, "w.bin", "--local-dir", str(down), "--force-download", **env)
            assert (down / "w.bin").read_bytes() == content
        url = f"{live_hub.url}/{repo}/resolve/main/w.bin"
        assert curl(url) == content
        for first, last in ((0, 0), (1, 70_000), (65_000, 2_000_000), (SIZE - 1, SIZE - 1)):
            assert curl("--range", f"{first}-{last}", url) == content[first : last + 1]
        assert curl("--range", "-5", url) == content[-5:]
        live_hub.command("worker", "--once")


def curl(*arguments: str) -> bytes:
    command = ["curl", "--location", "--silent", "--show-error", "--fail", "--noproxy", "*"]
    return subprocess.run([*command, *arguments], check=True, capture_output=True).stdout


def test_one_file_by_both_ways_is_one_file(
    api: HfApi, repo: str, live_hub: LiveHub, tmp_path: Path
) -> None:
    content = os.urandom(2 * MiB)
    api.upload_file(path_or_fileobj=io.BytesIO(content), path_in_repo="lfs.bin", repo_id=repo)
    api.upload_file(path_or_fileobj=content, path_in_repo="xet.bin", repo_id=repo)
    live_hub.command("worker", "--once")
    infos = api.get_paths_info(repo, ["lfs.bin", "xet.bin"])
    assert len({info.lfs.sha256 for info in infos}) == 1
    assert len({info.xet_hash for info in infos}) == 1
    for path in ("lfs.bin", "xet.bin"):
        assert Path(api.hf_hub_download(repo, path)).read_bytes() == content


@pytest.mark.parametrize(
    "env",
    [
        {"HF_XET_CLIENT_SHARD_API_VERSION": "1"},
        {"HF_XET_CLIENT_LEGACY_DIRECT_XORB_UPLOAD": "true"},
        {"HF_XET_CLIENT_RECONSTRUCTION_API_VERSION": "1"},
        {"HF_XET_CLIENT_ENABLE_MULTIRANGE_FETCHING": "true"},
        {"HF_XET_HIGH_PERFORMANCE": "true"},
    ],
    ids=["shards-v1", "no-grants", "reconstruction-v1", "multirange", "high-performance"],
)
def test_other_settings_of_the_client(
    hf: Hf, repo: str, tmp_path: Path, env: dict[str, str]
) -> None:
    first = weights(8 * MiB)
    # Of the first file's xorb the second one needs pieces that do not touch.
    second = first[:MiB] + first[3 * MiB : 4 * MiB] + os.urandom(MiB) + first[6 * MiB : 7 * MiB]
    for name, content in (("first.bin", first), ("second.bin", second)):
        (tmp_path / name).write_bytes(content)
        hf("upload", repo, str(tmp_path / name), name, **env)
    down = tmp_path / "down"
    hf("download", repo, "--local-dir", str(down), HF_XET_CACHE=str(tmp_path / "empty"), **env)
    assert (down / "first.bin").read_bytes() == first
    assert (down / "second.bin").read_bytes() == second


def test_several_clients_at_once(
    hf: Hf, api: HfApi, repo: str, live_hub: LiveHub, tmp_path: Path
) -> None:
    shared = os.urandom(6 * MiB)
    files = {f"{number}.bin": edited(shared, number * MiB) for number in range(4)}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    before = stored(live_hub)

    def upload(name: str) -> None:
        cache = str(tmp_path / f"xet-{name}")
        hf("upload", repo, str(tmp_path / name), name, HF_XET_CACHE=cache)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(upload, files))
    assert (stored(live_hub) - before).size <= 4 * len(shared) + MiB
    live_hub.command("worker", "--once")
    down = Path(api.snapshot_download(repo))
    assert {name: (down / name).read_bytes() for name in files} == files

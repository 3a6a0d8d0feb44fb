# SPDX-License-Identifier: Apache-2.0
"""Large files in and out, against bare granian and bare nginx: `python -m bench.transfer`.

Prints one JSON object. Each ratio is of the best of several rounds within this run, the
sides measured in turns: what other programs of the machine add only ever makes a round worse.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from bench.processes import (
    bare_granian,
    cpu_seconds,
    free_port,
    peak_rss,
    rss_mib,
    running,
    touch_memory,
)
from bench.transfer_world import TOKEN, make_repo, nginx_for, write_random
from hubkeep.blobs import whole_key

MIB = 1 << 20
RANGE = 64 * MIB
REPO = "bench/files"


@dataclass(frozen=True)
class Sample:
    """One file to move."""

    path: Path
    oid: str
    size: int


def sample(folder: Path, size: int, seed: int = 0) -> Sample:
    path = folder / f"sample-{size}-{seed}"
    write_random(path, size, seed)
    with path.open("rb") as file:
        oid = hashlib.file_digest(file, "sha256").hexdigest()
    return Sample(path, oid, size)


def actions(url: str, one: Sample, operation: str) -> dict[str, dict[str, str]]:
    """What the hub's batch answer offers for a file; empty where there is nothing to do."""
    body = {"operation": operation, "objects": [{"oid": one.oid, "size": one.size}]}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx2.post(f"{url}/{REPO}.git/info/lfs/objects/batch", json=body, headers=headers)
    return answer.raise_for_status().json()["objects"][0].get("actions", {})


def curl(*words: str) -> float:
    """Run curl to its end; return the seconds that it took."""
    started = time.perf_counter()
    subprocess.run(["curl", "-sf", "-o", "/dev/null", *words], check=True)
    return time.perf_counter() - started


def fetch(url: str) -> float:
    return curl(url)


def fetch_ranges(url: str, size: int) -> float:
    """Fetch a file in ranges, one after the other."""
    spans = (f"{at}-{min(at + RANGE, size) - 1}" for at in range(0, size, RANGE))
    return sum(curl("-r", span, url) for span in spans)


def in_turns(rounds: int, **measures: Callable[[], float]) -> dict[str, float]:
    """The best of each measure, taken in turns so that the machine's moods hit all alike."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            value = measure()
            if number:  # the first round warms
                taken[name].append(value)
    return {name: min(values) for name, values in taken.items()}


@contextmanager
def running_hub(folder: Path, **settings: str) -> Iterator[tuple[int, str]]:
    """Run `hubkeep serve` over a folder; gives process id and address."""
    port = free_port()
    command = [sys.executable, "-m", "hubkeep", "serve", "--data", str(folder), "--port", str(port)]
    with running([*command, "--no-job-worker"], port, **settings) as pid:
        yield pid, f"http://127.0.0.1:{port}"


def downloads(folder: Path, data: Path, one: Sample, rounds: int) -> dict[str, float]:
    """MB/s of each way to fetch the file, and the ratios."""
    with ExitStack() as stack:
        _, hub = stack.enter_context(running_hub(data))
        _, bare = stack.enter_context(
            bare_granian("bench.transfer_peers:sender", BENCH_FILE=str(one.path))
        )
        href = actions(hub, one, "download")["download"]["href"]
        ways: dict[str, Callable[[], float]] = {
            "bare": lambda: fetch(bare),
            "hub": lambda: fetch(href),
            "hub_ranges": lambda: fetch_ranges(href, one.size),
        }
        if shutil.which("nginx"):
            blob = data / "blobs" / "blobs" / whole_key(one.oid)
            ways |= stack.enter_context(_through_nginx(folder, data, one, blob))
        taken = in_turns(rounds, **ways)
    speeds = {f"{name}_mb_s": one.size / 1e6 / seconds for name, seconds in taken.items()}
    ratios = {
        "whole_to_bare": taken["bare"] / taken["hub"],
        "ranges_to_bare": taken["bare"] / taken["hub_ranges"],
    }
    if "nginx" in taken:
        ratios["accel_to_nginx"] = taken["nginx"] / taken["accel"]
    return speeds | ratios


@contextmanager
def _through_nginx(
    folder: Path, data: Path, one: Sample, blob: Path
) -> Iterator[dict[str, Callable[[], float]]]:
    """nginx alone, and nginx in front of a second hub that leaves the sending to it."""
    with ExitStack() as stack:
        _, hub = stack.enter_context(running_hub(data, HUBKEEP_ACCEL_PREFIX="/_blobs"))
        front = stack.enter_context(nginx_for(folder, data / "blobs" / "blobs", hub))
        href = actions(hub, one, "download")["download"]["href"].replace(hub, front)
        plain = f"{front}/plain/{blob.relative_to(data / 'blobs' / 'blobs')}"
        yield {"nginx": lambda: fetch(plain), "accel": lambda: fetch(href)}


def uploads(data: Path, one: Sample, folder: Path, rounds: int) -> dict[str, float]:
    """CPU seconds of the server for one upload, against the bare application."""
    store = data / "blobs" / "blobs" / whole_key(one.oid)
    with ExitStack() as stack:
        hub_pid, hub = stack.enter_context(running_hub(data))
        bare_pid, bare = stack.enter_context(
            bare_granian("bench.transfer_peers:taker", BENCH_FILE=str(folder / "bare"))
        )
        href = actions(hub, one, "upload")["upload"]["href"]

        def spent(pid: int, url: str) -> float:
            store.unlink(missing_ok=True)
            touch_memory(folder, one.size * 3 // 2)
            before = cpu_seconds(pid)
            curl("-T", str(one.path), url)
            return cpu_seconds(pid) - before

        taken = in_turns(
            rounds, bare=lambda: spent(bare_pid, bare), hub=lambda: spent(hub_pid, href)
        )
    return {
        "bare_cpu_s": taken["bare"],
        "hub_cpu_s": taken["hub"],
        "upload_cpu_to_bare": taken["hub"] / taken["bare"],
    }


def memory(data: Path, folder: Path, size: int, clients: int = 4) -> dict[str, float]:
    """How far the server's memory rises while clients each move a file, up and then down."""
    samples = [sample(folder, size, seed) for seed in range(1, clients + 1)]
    with running_hub(data) as (pid, hub), ThreadPoolExecutor(clients) as pool:
        actions(hub, samples[0], "upload")
        idle = rss_mib(pid)
        puts = [actions(hub, one, "upload")["upload"]["href"] for one in samples]
        with peak_rss(pid) as up:
            list(pool.map(lambda one, url: curl("-T", str(one.path), url), samples, puts))
        gets = [actions(hub, one, "download")["download"]["href"] for one in samples]
        with peak_rss(pid) as down:
            list(pool.map(lambda url: fetch_ranges(url, size), gets))
    return {
        "idle_mib": idle,
        "up_over_idle_mib": up[0] - idle,
        "down_over_idle_mib": down[0] - idle,
    }


def measure(mib: int, memory_mib: int, rounds: int) -> dict[str, float]:
    """Move a file of `mib` each way `rounds` times, then files of `memory_mib` by four clients."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "hub"
        make_repo(data, REPO)
        one = sample(folder, mib * MIB)
        figures = {"size_mib": mib, **uploads(data, one, folder, rounds)}
        figures |= downloads(folder, data, one, rounds)
        figures |= {"memory_mib": memory_mib}
        return figures | memory(data, folder, memory_mib * MIB)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the file")
    parser.add_argument("--memory-mib", type=int, default=256, help="size of each client's file")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    figures = measure(options.mib, options.memory_mib, options.rounds)
    print(json.dumps({key: round(value, 3) for key, value in figures.items()}))


if __name__ == "__main__":
    main()

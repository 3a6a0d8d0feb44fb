# SPDX-License-Identifier: Apache-2.0
"""Large files by Xet, with the stock client: `python -m bench.xet --mib 64` for a quick look.

Prints one JSON object. The hub runs as it comes, its job worker beside it. Each round has a file
of its own of random bytes and clients that remember nothing; the first round warms and is not
counted, and a ratio is the median of those of the rounds.
"""

import argparse
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from bench import hubs, transfer
from bench.checkpoints import checkpoints
from bench.processes import (
    bare_granian,
    cpu_seconds,
    family,
    own_cpu_seconds,
    peak_rss,
    rss_mib,
    touch_memory,
)
from bench.relay import relay
from bench.transfer_world import write_random
from bench.xet_client import StockClient
from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.db.tables import files, xorbs

MIB = 1 << 20
REPO = "bench/files"
CLIENTS = 4
CHECKPOINTS = 10
CHANGED = 0.05
_CHECK_SECONDS = 1800


@dataclass(frozen=True)
class XetHub:
    """A hub with its job worker, and a folder for what clients need."""

    pid: int
    url: str
    data: Path
    folder: Path

    def client(self, url: str = "") -> StockClient:
        """A client on a machine where nobody has used the hub."""
        home = Path(tempfile.mkdtemp(prefix="home-", dir=self.folder))
        return StockClient(url or self.url, home, REPO)

    def wait_until_checked(self) -> None:
        """Return when the hub has computed the sha256 of all that it has; TimeoutError."""
        deadline = time.monotonic() + _CHECK_SECONDS
        while self._one(select(func.count()).where(files.c.sha256.is_(None))):
            if time.monotonic() > deadline:
                raise TimeoutError("the hub does not check what it was sent")
            time.sleep(0.1)

    def stored(self) -> int:
        """Bytes of all xorbs."""
        return int(self._one(select(func.coalesce(func.sum(xorbs.c.size), 0))))

    def _one(self, query) -> int:  # noqa: ANN001 -- any query for one number
        with closing(Database(Config(data=self.data).database)) as db:
            return db.read_now(lambda conn: conn.execute(query).scalar_one())


@contextmanager
def running_hub(folder: Path) -> Iterator[XetHub]:
    """Run a hub with one repository; its data are removed at the end."""
    data = folder / "hub"
    hubs.fill(data)
    with hubs.serving(data, "") as hub:
        with hub.caller() as caller:
            hubs.make_repo(caller, REPO.partition("/")[2])
        yield XetHub(hub.pid, hub.url, data, folder)
    shutil.rmtree(data)


def uploads(hub: XetHub, size: int, rounds: int) -> dict[str, float]:
    """CPU of the hub against that of the client, for uploads of random bytes."""
    at_once, in_all, client_cpu, speeds = [], [], [], []
    for number in range(rounds + 1):
        path = hub.folder / "upload"
        write_random(path, size, seed=number)
        touch_memory(hub.folder, 2 * size)
        server, everybody = own_cpu_seconds(hub.pid), cpu_seconds(hub.pid)
        spent = hub.client().upload(f"{number}.bin", path)
        server = own_cpu_seconds(hub.pid) - server
        hub.wait_until_checked()
        everybody = cpu_seconds(hub.pid) - everybody
        if number:
            at_once.append(server / spent.cpu_s)
            in_all.append(everybody / spent.cpu_s)
            client_cpu.append(spent.cpu_s)
            speeds.append(size / 1e6 / spent.seconds)
    return {
        "upload_cpu": median(at_once),
        "upload_cpu_checked": median(in_all),
        "upload_client_cpu_s": median(client_cpu),
        "upload_mb_s": median(speeds),
    }


def downloads(hub: XetHub, size: int, rounds: int) -> dict[str, float]:
    """CPU of the hub for default downloads, against a bare server that sends the same file.

    The file is the last that `uploads` has sent, and so is its copy on the disk.
    """
    source, down = hub.folder / "upload", hub.folder / "down"

    def by_xet() -> float:
        touch_memory(hub.folder, 2 * size)
        before = own_cpu_seconds(hub.pid)
        hub.client().download(f"{rounds}.bin", down)
        spent = own_cpu_seconds(hub.pid) - before
        assert (down / f"{rounds}.bin").stat().st_size == size
        shutil.rmtree(down)
        return spent

    with bare_granian("bench.transfer_peers:sender", BENCH_FILE=str(source)) as (pid, bare):

        def by_pathsend() -> float:
            before = cpu_seconds(pid)
            transfer.fetch(bare)
            return cpu_seconds(pid) - before

        taken = in_turns(rounds, xet=by_xet, bare=by_pathsend)
    return {
        "download_cpu": taken["xet"] / taken["bare"],
        "download_hub_cpu_s": taken["xet"],
        "download_bare_cpu_s": taken["bare"],
    }


def plain(hub: XetHub, size: int, rounds: int) -> dict[str, float]:
    """MB/s of plain GETs of a file that came by Xet, against one that came by git-lfs."""
    whole = transfer.sample(hub.folder, size, seed=1000)
    upload = transfer.actions(hub.url, whole, "upload")["upload"]["href"]
    transfer.curl("-T", str(whole.path), upload)
    whole.path.unlink()
    chunked = transfer.sample(hub.folder, size, seed=rounds)
    chunked.path.unlink()
    hrefs = {
        name: transfer.actions(hub.url, one, "download")["download"]["href"]
        for name, one in (("xet", chunked), ("lfs", whole))
    }
    taken = in_turns(
        rounds,
        xet=lambda: transfer.fetch(hrefs["xet"]),
        lfs=lambda: transfer.fetch(hrefs["lfs"]),
    )
    return {
        "plain_to_lfs": taken["lfs"] / taken["xet"],
        "plain_xet_mb_s": size / 1e6 / taken["xet"],
        "plain_lfs_mb_s": size / 1e6 / taken["lfs"],
    }


def changes(hub: XetHub, size: int, rounds: int) -> dict[str, float]:
    """MB that a client with an empty cache sends for changed copies of what `uploads` has sent.

    A longer copy begins with a chunk that is new. What the client learns then is up to the hub;
    the next chunk that it asks about by itself may be anywhere in the first 200 MB.
    """
    edited, inserted = [], []
    for number in range(rounds + 1):
        draw = random.Random(f"changes to {number}")
        path = hub.folder / "changed"
        write_random(path, size, seed=number)
        with path.open("r+b") as file:
            for place in (size // 10, size // 2, size * 9 // 10):
                file.seek(place)
                file.write(draw.randbytes(100))
        edited.append(_sent(hub, path))
        with path.open("wb") as file:
            file.write(draw.randbytes(MIB))
        write_random(path, size, seed=number, append=True)
        inserted.append(_sent(hub, path))
        path.unlink()
    return {
        "edited_mb": median(edited),
        "inserted_mb": median(inserted),
        "inserted_least_mb": min(inserted),
        "inserted_most_mb": max(inserted),
    }


def _sent(hub: XetHub, path: Path) -> float:
    with relay(hub.url) as counting:
        hub.client(counting.url).upload(f"{os.urandom(4).hex()}.bin", path)
    return counting.sent / 1e6


def versions(hub: XetHub, size: int) -> dict[str, float]:
    """Bytes stored against logical bytes for checkpoints that one machine uploads."""
    hub.wait_until_checked()
    before, logical = hub.stored(), 0
    path, client = hub.folder / "checkpoint", hub.client()
    for each in checkpoints(path, size, CHECKPOINTS, CHANGED):
        client.upload("model.safetensors", path)
        logical += each
    path.unlink()
    stored = hub.stored() - before
    return {
        "checkpoints_stored": stored / logical,
        "checkpoints_stored_mb": stored / 1e6,
        "checkpoints_logical_mb": logical / 1e6,
    }


def memory(folder: Path, size: int) -> dict[str, float]:
    """How far the memory of each process rises while clients upload a file each, at once."""
    paths = [folder / f"memory-{number}" for number in range(CLIENTS)]
    for number, path in enumerate(paths):
        write_random(path, size, seed=2000 + number)
    with running_hub(folder) as hub, ExitStack() as stack:
        hub.client().upload("small.bin", _small(folder))
        hub.wait_until_checked()
        server, *others = family(hub.pid)
        idle = {pid: rss_mib(pid) for pid in (server, *others)}
        peaks = {pid: stack.enter_context(peak_rss(pid)) for pid in idle}
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda path: hub.client().upload(path.name, path), paths))
        hub.wait_until_checked()
        over = {pid: peaks[pid][0] - idle[pid] for pid in idle}
    for path in paths:
        path.unlink()
    return {
        "memory_server_mib": over[server],
        "memory_worker_mib": max((over[pid] for pid in others), default=0.0),
        "memory_idle_mib": idle[server],
    }


def _small(folder: Path) -> Path:
    path = folder / "small"
    path.write_bytes(os.urandom(MIB))
    return path


def in_turns(rounds: int, **measures: Callable[[], float]) -> dict[str, float]:
    """The median of each measure, taken in turns so that the machine's moods hit all alike."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            value = measure()
            if number:  # the first round warms
                taken[name].append(value)
    return {name: median(values) for name, values in taken.items()}


def measure(mib: int, memory_mib: int, rounds: int) -> dict[str, float]:
    """Take all figures, with files of `mib`, checkpoints of a quarter of that, and clients that
    send files of `memory_mib` at once.
    """
    size = mib * MIB
    with tempfile.TemporaryDirectory(prefix="hubkeep-bench-") as name:
        folder = Path(name)
        figures = {"size_mib": float(mib), "memory_mib": float(memory_mib)}
        with running_hub(folder) as hub:
            figures |= uploads(hub, size, rounds)
            figures |= downloads(hub, size, rounds)
            figures |= plain(hub, size, rounds)
            figures |= changes(hub, size, rounds)
            figures |= versions(hub, size // 4)
        return figures | memory(folder, memory_mib * MIB)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the file")
    parser.add_argument("--memory-mib", type=int, default=1024, help="size of each client's file")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    figures = measure(options.mib, options.memory_mib, options.rounds)
    print(json.dumps({key: round(value, 3) for key, value in figures.items()}))


if __name__ == "__main__":
    main()

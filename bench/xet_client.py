# SPDX-License-Identifier: Apache-2.0
"""The stock client in a process of its own, with nothing remembered from an earlier run.

As a program, it is that process: `python -m bench.xet_client upload|download REPO NAME PATH`.
"""

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.transfer_world import TOKEN


class Spent(msgspec.Struct, frozen=True):
    """What one call cost the client, the start of its process left out."""

    cpu_s: float
    seconds: float


@dataclass(frozen=True)
class StockClient:
    """A client of a hub, on a machine whose caches lie in `home`."""

    url: str
    home: Path
    repo: str

    def start(self, verb: str, name: str, path: Path) -> "subprocess.Popen[bytes]":
        """Begin to upload a file, or to download one into a folder; `finish` ends it."""
        own = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
        env = {
            **own,
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": TOKEN,
            "HF_HOME": str(self.home),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "no_proxy": "*",
        }
        command = [sys.executable, "-m", "bench.xet_client", verb, self.repo, name, str(path)]
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE)

    def upload(self, name: str, path: Path) -> Spent:
        """Upload a file and wait until its commit is acknowledged."""
        return finish(self.start("upload", name, path))

    def download(self, name: str, folder: Path) -> Spent:
        """Download a file into a folder."""
        return finish(self.start("download", name, folder))


def finish(process: "subprocess.Popen[bytes]") -> Spent:
    """Wait for a client; RuntimeError if it failed."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the client ended with {process.returncode}")
    return msgspec.json.decode(output, type=Spent)


def _main(verb: str, repo: str, name: str, path: str) -> None:
    from huggingface_hub import HfApi

    api = HfApi()
    api.repo_info(repo)
    before, began = _cpu(), time.perf_counter()
    if verb == "upload":
        api.upload_file(path_or_fileobj=path, path_in_repo=name, repo_id=repo)
    else:
        api.hf_hub_download(repo, name, local_dir=path)
    spent = Spent(_cpu() - before, time.perf_counter() - began)
    [info] = api.get_paths_info(repo, [name])
    assert info.xet_hash, "it did not go by Xet"
    print(msgspec.json.encode(spent).decode())


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    _main(*sys.argv[1:])

# SPDX-License-Identifier: Apache-2.0
"""A hub for the stock libraries of this environment, which holds nothing of Hubkeep's own.

They read `HF_ENDPOINT` and where their caches are when they are imported, so the environment is
set before any of them is, and the hub is started on the port that was named there.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.hub import ROOT, EndToEndHub
from tests.harness.network import stay_on_loopback

HUBKEEP = ROOT / ".venv" / "bin" / "hubkeep"
TOKEN = "hf_alice_of_the_end_to_end_tests"
FOLDER = Path(tempfile.mkdtemp(prefix="hubkeep-e2e-"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


PORT = _free_port()
CLIENT_ENV = {
    "HF_ENDPOINT": f"http://127.0.0.1:{PORT}",
    "HF_TOKEN": TOKEN,
    "HF_HOME": str(FOLDER / "hf-home"),
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "2",
    "no_proxy": "*",
}
os.environ.update(CLIENT_ENV)
stay_on_loopback()


@pytest.fixture(scope="session", autouse=True)
def hub() -> Iterator[EndToEndHub]:
    """`hubkeep serve` over an empty folder, with one user."""
    data = FOLDER / "hub"
    env = {**os.environ, "HUBKEEP_DATA": str(data)}
    for arguments in (
        ["user", "create", "alice"],
        ["token", "create", "alice", "--role", "write", "--value", TOKEN, "--json"],
    ):
        subprocess.run([HUBKEEP, *arguments], env=env, check=True, stdout=subprocess.DEVNULL)
    command = [HUBKEEP, "serve", "--port", str(PORT), "--json"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline(), "the hub did not start"
        yield EndToEndHub(CLIENT_ENV["HF_ENDPOINT"], TOKEN)
        server.terminate()
        assert server.wait(60) == 0
    shutil.rmtree(FOLDER)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """An empty cache: what a test finds in it came from the hub."""
    return tmp_path / "cache"

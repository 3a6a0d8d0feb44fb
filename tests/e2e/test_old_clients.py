# SPDX-License-Identifier: Apache-2.0
"""The oldest stock client that is supported, and the first one with another HTTP library."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.hub import ROOT, EndToEndHub

SCRIPT = Path(__file__).with_name("old_client.py")


@pytest.mark.parametrize("version", ["0.24", "1.0"])
def test_it_does_what_every_client_must(hub: EndToEndHub, version: str, tmp_path: Path) -> None:
    python = ROOT / f".venv-client-{version}" / "bin" / "python"
    repo = hub.name(f"client-{version}")
    env = {**os.environ, "HF_HOME": str(tmp_path), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [python, SCRIPT, repo, version], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

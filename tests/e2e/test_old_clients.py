# SPDX-License-Identifier: Apache-2.0
"""The oldest stock client that is supported, the first one with another HTTP library and Xet, and
today's with Xet turned off.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from tests.e2e.hub import ROOT, EndToEndHub, xet_hash

SCRIPT = Path(__file__).with_name("old_client.py")


@pytest.fixture(scope="module")
def chunked(hub: EndToEndHub) -> tuple[str, str]:
    """A repository with `w.safetensors`, sent by Xet, and the file's sha256."""
    repo = HfApi().create_repo(hub.name("chunked")).repo_id
    content = os.urandom(3_000_000)
    HfApi().upload_file(path_or_fileobj=content, path_in_repo="w.safetensors", repo_id=repo)
    assert xet_hash(repo, "w.safetensors")
    return repo, hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(("version", "way"), [("0.24", "lfs"), ("1.0", "xet"), ("2.4", "lfs")])
def test_it_does_what_every_client_must(
    hub: EndToEndHub, chunked: tuple[str, str], version: str, way: str, tmp_path: Path
) -> None:
    env = {**os.environ, "HF_HOME": str(tmp_path), "PYTHONSAFEPATH": "1"}
    if version == "2.4":
        python = Path(sys.executable)
        env["HF_HUB_DISABLE_XET"] = "1"
    else:
        python = ROOT / f".venv-client-{version}" / "bin" / "python"
    repo = hub.name(f"client-{version}")
    command = [python, SCRIPT, version, way, repo, *chunked]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

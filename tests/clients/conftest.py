# SPDX-License-Identifier: Apache-2.0
"""The stock client in this process, pointed at the live hub and with nothing remembered."""

import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import HfApi, constants, hf_api
from huggingface_hub.utils import _xet, disable_progress_bars

from tests.harness.hub import LiveHub, running_hub, seed_database, seed_folder
from tests.harness.s3 import ACCESS_KEY, SECRET_KEY

_PLACES = {
    "HF_HOME": "",
    "HF_HUB_CACHE": "hub",
    "HUGGINGFACE_HUB_CACHE": "hub",
    "HF_ASSETS_CACHE": "assets",
    "HF_TOKEN_PATH": "token",
    "HF_STORED_TOKENS_PATH": "stored_tokens",
    "AGENT_HARNESSES_PATH": "agent_harnesses.json",
}


@pytest.fixture(scope="session", params=["sqlite-folder", "postgresql-s3"])
def live_hub(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveHub]:
    """The real server on each pair of stores, with the accounts of `Seeded`.

    Tests share it, so each makes repositories with names of its own.
    """
    data = tmp_path_factory.mktemp("live") / "hub"
    env: dict[str, str] = {}
    if request.param == "sqlite-folder":
        seed_folder(data)
    else:
        cluster = request.getfixturevalue("postgres_cluster")
        name = next(request.getfixturevalue("postgresql_names"))
        url = cluster.create(name, request.getfixturevalue("postgresql_template"))
        seed_database(url)
        request.getfixturevalue("s3_client")
        endpoint = request.getfixturevalue("s3_endpoint")
        env = {
            "HUBKEEP_DATABASE_URL": url,
            "HUBKEEP_BLOBS_URL": f"s3://blobs/live?endpoint={endpoint}",
            "HUBKEEP_S3_ACCESS_KEY": ACCESS_KEY,
            "HUBKEEP_S3_SECRET_KEY": SECRET_KEY,
        }
    with running_hub(data, "--no-job-worker", env=env) as hub:
        yield hub


@pytest.fixture
def client_home(live_hub: LiveHub, tmp_path: Path) -> Iterator[Path]:
    """An empty HF_HOME, and the settings that a user's environment would give.

    They are constants that the client reads when it is imported, which another test may have done.
    """
    disable_progress_bars()
    home = tmp_path / "hf-home"
    hosts = constants.HF_URL_HOSTS | {"127.0.0.1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, place in _PLACES.items():
            patch.setattr(constants, name, str(home / place))
        patch.setattr(constants, "ENDPOINT", live_hub.url)
        patch.setattr(hf_api.api, "endpoint", live_hub.url)
        template = f"{live_hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr(constants, "HF_URL_HOSTS", hosts)
        patch.setenv("HF_TOKEN", live_hub.token)
        # hf_xet reads the environment when a session begins, and keeps it.
        patch.setattr(_xet, "_GLOBAL_XET_HOLDER", _xet.XetSessionHolder())
        patch.setattr(_xet, "XET_CONNECTION_INFO_CACHE", {})
        patch.setenv("HF_XET_CACHE", str(home / "xet"))
        patch.setenv("HF_XET_CLIENT_RETRY_BASE_DELAY", "50ms")
        patch.setenv("no_proxy", "*")
        yield home
    huggingface_hub.close_session()


@pytest.fixture
def api(live_hub: LiveHub, client_home: Path) -> HfApi:
    """The stock client as alice."""
    return HfApi(endpoint=live_hub.url, token=live_hub.token)


@pytest.fixture
def repo_id(request: pytest.FixtureRequest) -> str:
    """A name of alice's that no other test takes; nothing has it yet."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name).strip("-")
    return f"alice/{name[:80]}-{zlib.crc32(request.node.nodeid.encode()):08x}"


@pytest.fixture
def repo(api: HfApi, repo_id: str) -> str:
    """An empty model repository of alice's."""
    return api.create_repo(repo_id).repo_id


@pytest.fixture
def hf(live_hub: LiveHub, tmp_path: Path) -> Callable[..., str]:
    """Run the `hf` command as alice with an empty HF_HOME and what is named; its output."""
    own = {
        **live_hub.client_env,
        "HF_HOME": str(tmp_path / "hf-command"),
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "NO_COLOR": "1",
        "no_proxy": "*",
    }

    def run(*arguments: str, **env: str) -> str:
        command = [str(Path(sys.executable).with_name("hf")), *arguments]
        done = subprocess.run(
            command, env={**os.environ, **own, **env}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run

# SPDX-License-Identifier: Apache-2.0
"""nginx before a hub, with the settings that `docs/deployment.md` gives."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.markdown import Page

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="no nginx")
ACCEL = {
    "HUBKEEP_ACCEL_PREFIX": "/_hubkeep_blobs",
    "HUBKEEP_TRUSTED_PROXIES": "127.0.0.1",
}
"""What a hub behind it has in its environment."""


@contextmanager
def nginx_before(hub_url: str, blobs: Path, folder: Path) -> Iterator[str]:
    """Run nginx before a hub, to send the files of the folder `blobs` itself; yield its address.

    What it writes is in `folder`.
    """
    assert NGINX is not None
    port = _free_port()
    config = folder / "nginx.conf"
    config.write_text(_config(hub_url, blobs, folder, port))
    command = [NGINX, "-q", "-c", str(config), "-e", str(folder / "errors")]
    subprocess.run(command, check=True)  # it goes into the background once it listens
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        subprocess.run([*command, "-s", "stop"], check=True)


def _config(hub_url: str, blobs: Path, folder: Path, port: int) -> str:
    (site,) = Page("docs/deployment.md").blocks("nginx")
    site = re.sub(r"^\s+ssl_certificate.*\n", "", site, flags=re.MULTILINE)
    site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    site = site.replace("server 127.0.0.1:8080", f"server {urlsplit(hub_url).netloc}")
    site = re.sub(r"alias .*;", f"alias {blobs}/;", site)
    temporary = "".join(
        f"{kind}_temp_path {folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        # Without workers, which would run as a user who cannot read the folders of tests.
        f"master_process off; pid {folder}/pid; error_log {folder}/errors;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{site}\n}}\n"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

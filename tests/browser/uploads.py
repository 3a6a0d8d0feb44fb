# SPDX-License-Identifier: Apache-2.0
"""Uploading as people do: files dragged in from the disk, and what goes over the wire then."""

import hashlib
import random
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Locator, Page

PART = 64 << 20
"""Bytes in a part of a large file; what is not larger goes in one piece."""

SLOW_MS = 60_000
"""How long all of a large file may take on a slow machine."""


# Browsers do not tell tools how large the bodies are that they read from the disk.
_COUNTING = """
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (body) {
  this.addEventListener("load", () => this.status < 300 && bodySent(body.size));
  send.call(this, body);
};
"""


def made(path: Path, size: int) -> Path:
    """Make a file of `size` bytes that no other file has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random.Random(str(path)).randbytes(size))
    return path


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class UploadPage:
    """The page in one window, and the bodies that it sends."""

    def __init__(self, page: "Page", repo: str, folder: str = "") -> None:
        self.page = page
        self.repo = repo
        self.sent: list[int] = []
        """The sizes of the bodies that the hub took."""
        self._devtools: CDPSession | None = None
        page.expose_function("bodySent", self._took)
        page.add_init_script(_COUNTING)
        page.goto(f"/{repo}/upload/main{folder and '/'}{folder}")
        self.part("zone").wait_for()

    def _took(self, size: int) -> None:
        self.sent.append(size)

    def block(self, *addresses: str) -> None:
        """Have no request to such addresses (`*` is anything) arrive; none: all arrive again."""
        if self._devtools is None:
            self._devtools = self.page.context.new_cdp_session(self.page)
            self._devtools.send("Network.enable")
        self._devtools.send("Network.setBlockedURLs", {"urls": list(addresses)})

    def part(self, name: str) -> "Locator":
        """An element of the page by what it is for."""
        return self.page.locator(f"[data-part={name}]")

    def drop(self, *paths: Path) -> None:
        """Drag files and folders from the disk onto the page."""
        box = self.part("zone").bounding_box()
        assert box is not None
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        devtools = self.page.context.new_cdp_session(self.page)
        for kind in ("dragEnter", "dragOver", "drop"):
            at = {"x": box["x"] + 20, "y": box["y"] + 20}
            devtools.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})

    def row(self, path: str) -> "Locator":
        """The row of a file."""
        name = self.page.get_by_text(path, exact=True)
        return self.page.locator("[data-part=files] > li").filter(has=name)

    def wait_for(self, path: str, state: str) -> None:
        """Wait until a file has come that far."""
        row = self.page.locator(f"[data-part=files] > li[data-state={state}]")
        row.filter(has_text=path).wait_for(timeout=SLOW_MS)

    def start(self) -> None:
        """Press the button that uploads."""
        self.part("start").click()

    def finish(self) -> str:
        """Wait until all is uploaded; returns what the page says then."""
        self.part("done").wait_for(timeout=SLOW_MS)
        return self.part("done").inner_text()


def stored(site: Site, repo: str) -> dict[str, tuple[int, str]]:
    """What the hub has on the branch: size and hash by path, the sha256 of large files."""
    entries = site.api("GET", f"/api/models/{repo}/tree/main?recursive=true").json()
    return {
        one["path"]: (one["size"], one["lfs"]["oid"] if "lfs" in one else one["oid"])
        for one in entries
        if one["type"] == "file"
    }


def last_commit(site: Site, repo: str) -> dict:
    """The newest commit of the branch."""
    return site.api("GET", f"/api/models/{repo}/commits/main").json()[0]

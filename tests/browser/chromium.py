# SPDX-License-Identifier: Apache-2.0
"""Debian's chromium, driven by Playwright, and kept from talking to anybody but the hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from shutil import which
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MISSING = "chromium is not installed (on Debian: apt-get install chromium)"
HERE = "EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--force-color-profile=srgb",
    # Names resolve to nothing but this machine: what a page asks for elsewhere fails at once.
    f"--host-resolver-rules=MAP * ~NOTFOUND, {HERE}",
)


def find_chromium() -> str | None:
    """Where the browser is, or None."""
    return which("chromium")


@contextmanager
def running_chromium(path: str) -> "Iterator[Browser]":
    """Run one browser. Until it ends nothing else in this thread may run an event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()

# SPDX-License-Identifier: Apache-2.0
"""The first view of a repository's page in a browser: bytes, requests, and the time until its
largest part is painted, on a processor four times slower.
"""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.hubs import USER, commit, commit_body, make_repo, running_hub
from bench.pages_cards import card
from bench.table import Figure
from tests.browser.chromium import find_chromium, running_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROUNDS = 7
SLOWER = 4
_LARGEST = """() => new Promise((found) => {
  new PerformanceObserver((list) => found(list.getEntries().at(-1).startTime))
    .observe({type: "largest-contentful-paint", buffered: true});
})"""


@dataclass(frozen=True, slots=True)
class View:
    """One first view: bytes as they came, headers included, and milliseconds."""

    size: int
    requests: int
    largest_ms: float


def run() -> list[Figure]:
    path = find_chromium()
    if path is None:
        raise RuntimeError("chromium is not installed")
    with page_address() as address, running_chromium(path) as browser:
        views = [view(browser, address) for _ in range(ROUNDS)]
    sizes, counts, times = zip(*((v.size, v.requests, v.largest_ms) for v in views), strict=True)
    what = "first view of a repository's page in chromium"
    slow = f"largest contentful paint of the same, loopback, processor {SLOWER} times slower"
    note = f"best of {ROUNDS}; their median {median(times):.0f} ms"
    return [
        Figure(
            "8 view, bytes", f"{what}, bytes without images", max(sizes) / 1000, "<=", 150, "kB"
        ),
        Figure("8 view, requests", f"{what}, requests", max(counts), "<=", 12),
        Figure("8 view, paint", slow, min(times), "<=", 1000, "ms", note),
    ]


@contextmanager
def page_address() -> Iterator[str]:
    """Run a hub with one repository; gives the address of its page."""
    with (
        tempfile.TemporaryDirectory(prefix="hubkeep-bench-") as folder,
        running_hub(Path(folder)) as hub,
    ):
        with hub.caller() as caller:
            api = make_repo(caller, "model")
            text = card(random.Random("view"), "hub/llama-1")
            commit(caller, api, commit_body("First files", [("README.md", text.encode())]))
        yield f"{hub.url}/{USER}/model"


def view(browser: "Browser", address: str) -> View:
    """Open a page in a browser that has nothing of the hub yet."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    tools = context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def answered(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = event["type"]

    def finished(event: dict[str, Any]) -> None:
        sizes[event["requestId"]] = event["encodedDataLength"]

    tools.on("Network.responseReceived", answered)
    tools.on("Network.loadingFinished", finished)
    tools.send("Network.enable")
    tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(address, wait_until="networkidle")
    largest = page.evaluate(_LARGEST)
    context.close()
    size = sum(size for number, size in sizes.items() if kinds.get(number) != "Image")
    return View(round(size), len(sizes), largest)

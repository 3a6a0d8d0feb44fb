# SPDX-License-Identifier: Apache-2.0
"""The report in a browser: from a file, without a network, over a snapshot that is all hostile."""

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.document import documented
from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.report.html import html_of
from hubkeep.observatory.report.tables import csv_of
from hubkeep.observatory.snapshot import Snapshot
from tests.browser.audit import outline_faults, overflow, violations
from tests.observatory.hostile import hostile
from tests.observatory.shelf import three

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

SOME = ("F1", "F2", "F4", "S2", "S6", "S7")
DRAWN = "() => document.querySelectorAll('.chart svg').length"


def written(folder: Path, snapshots: list[Snapshot], figures: Iterable[str]) -> Path:
    """Write a report."""
    last = snapshots[-1]
    documents = [documented(last.figure(name, others=snapshots)) for name in figures]
    path = folder / "index.html"
    path.write_bytes(html_of(documents))
    return path


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("usual")
    return written(folder, three(folder), SOME)


class Reader:
    """Somebody who opens a report from a disk; what it asks for is written down."""

    def __init__(self, context: "BrowserContext", path: Path) -> None:
        self.asked: list[str] = []
        self.dialogs: list[str] = []
        context.set_offline(True)
        self.page: Page = context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on(
            "dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss())
        )
        self.page.goto(path.as_uri())

    def see_all(self) -> None:
        """Scroll past all charts, so that each is drawn."""
        for holder in self.page.locator(".chart").all():
            holder.scroll_into_view_if_needed()
            holder.locator("svg").wait_for()

    def elsewhere(self) -> list[str]:
        return [url for url in self.asked[1:] if not url.startswith("blob:")]


Context = Callable[..., "BrowserContext"]


def test_a_hostile_snapshot_runs_nothing_and_asks_for_nothing(new_context: Context, tmp_path: Path):
    path = written(tmp_path, [hostile(tmp_path)], all_figures())
    reader = Reader(new_context(viewport={"width": 390, "height": 900}), path)
    reader.see_all()
    page = reader.page
    assert page.get_by_text("cannot be drawn").count() == 0
    for one in page.locator("details").all():
        one.evaluate("one => { one.open = true }")
    bars = page.locator(".chart svg .mark-rect.role-mark path")
    assert bars.count() > 20
    bars.first.hover(force=True)
    page.locator(".chart-tooltip").wait_for()
    assert page.evaluate("window.ran") is None
    assert reader.elsewhere() == []
    assert reader.dialogs == []
    own = page.locator("article script:not([type='application/json']), article style, article img")
    assert own.count() == 0
    assert (
        page.locator("article [onerror], article [onload], .chart-tooltip *:not(dt, dd)").count()
        == 0
    )
    assert "<img src=x onerror=window.ran=1>/b" in page.locator("#S4 .flagged").inner_text()
    assert overflow(page) == []


def test_all_charts_are_drawn_and_the_page_is_whole(new_context: Context, usual: Path):
    reader = Reader(new_context(viewport={"width": 1280, "height": 900}), usual)
    reader.see_all()
    page = reader.page
    assert page.evaluate(DRAWN) == page.locator(".chart").count() == len(SOME)
    assert page.get_by_text("cannot be drawn").count() == 0
    assert violations(page) == []
    assert outline_faults(page) == []
    page.locator("nav a", has_text="S2").click()
    assert page.url.endswith("#S2")
    assert reader.elsewhere() == []


def test_figures_are_found_by_their_words(new_context: Context, usual: Path):
    page = Reader(new_context(), usual).page
    page.get_by_label("Find a figure").fill("licences downloads apache")
    found = {one.get_attribute("id") for one in page.locator("article:visible").all()}
    assert "S2" in found
    assert "F4" not in found
    assert page.locator("nav li:visible").count() == len(found)
    page.get_by_label("Find a figure").fill("licences zyzzyva")
    assert page.get_by_text("No figure is about that.").is_visible()


def test_downloads_have_what_the_page_shows(new_context: Context, usual: Path, tmp_path: Path):
    page = Reader(new_context(accept_downloads=True), usual).page
    for kind, begins in (
        ("CSV", b"licence,"),
        ("JSON", b"{"),
        ("SVG", b"<svg"),
        ("PNG", b"\x89PNG"),
    ):
        with page.expect_download() as waiting:
            page.locator("#S2").get_by_role("button", name=kind, exact=True).click()
        assert waiting.value.suggested_filename == f"S2.{kind.lower()}"
        content = Path(waiting.value.path()).read_bytes()
        assert content.startswith(begins)
        if kind == "SVG":
            assert b"Under which licences" in content
            assert b"snapshot 2024" in content
        if kind == "CSV":
            rows = list(csv.reader(io.StringIO(content.decode())))
            document = documented(three(tmp_path)[-1].figure("S2"))
            wanted = list(csv.reader(io.StringIO(csv_of(document).decode())))
            assert [row[:3] for row in rows] == [row[:3] for row in wanted]


def test_charts_follow_light_and_dark(new_context: Context, usual: Path):
    page = Reader(new_context(color_scheme="light"), usual).page
    page.locator("#S2").scroll_into_view_if_needed()
    title = page.locator("#S2 .chart svg .role-axis-title text").first
    light = title.get_attribute("fill")
    page.get_by_role("button", name="Dark", exact=True).click()
    dark = title.get_attribute("fill")
    assert light != dark
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(DRAWN) == page.locator(".chart").count()
    assert page.locator("details:not([open])").count() == 0
    assert title.get_attribute("fill") == light
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert title.get_attribute("fill") == dark


def test_without_scripts_there_are_tables(new_context: Context, usual: Path):
    page = Reader(new_context(java_script_enabled=False), usual).page
    page.locator("#S2 summary", has_text="Table").click()
    assert page.locator("#S2 table").is_visible()
    assert page.get_by_text("Charts and downloads need JavaScript").is_visible()

# SPDX-License-Identifier: Apache-2.0
"""Files of users' at their addresses on the hub, opened in a browser: none runs anything there."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUN = "document.cookie = 'ran=1; path=/'; fetch('/ran-a-script')"
FILES = {
    "page.html": f'<!doctype html><script>{RUN}</script><body onload="{RUN}">',
    "page.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><script>{RUN}</script></html>',
    "picture.svg": (
        f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RUN}"><script>{RUN}</script></svg>'
    ),
    "feed.xml": (
        '<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="sheet.xsl"?>'
        f'<a xmlns:h="http://www.w3.org/1999/xhtml"><h:script>{RUN}</h:script></a>'
    ),
    "script.js": RUN,
    "page.mht": f"Content-Type: text/html\n\n<script>{RUN}</script>",
    "paper.pdf": (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS"
        "(app.alert\\(1\\); this.submitForm\\('/ran-a-script'\\))>>>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
        "trailer<</Root 1 0 R>>\n%%EOF"
    ),
    "unnamed": f"<!doctype html><html><script>{RUN}</script>",
}
WAYS = ("resolve/main/{}", "raw/main/{}", "resolve/main/{}?noContentDisposition=true")


@pytest.fixture(scope="module")
def repo(site: Site) -> str:
    """A repository with a hostile file of each kind."""
    name = site.create("raw-files")
    site.commit(name, FILES)
    return name


def visit(page: "Page", address: str) -> None:
    """Open an address as one that is typed in, be it shown or offered to be saved."""
    from playwright.sync_api import Error

    try:
        page.goto(address)
    except Error as ended:
        if "Download is starting" not in ended.message:
            raise


@pytest.mark.parametrize("file", FILES)
def test_nothing_of_a_file_runs(repo: str, open_page: OpenPage, file: str):
    page = open_page("alice")
    asked: list[str] = []
    dialogs: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for way in WAYS:
        visit(page, f"/{repo}/{way.format(file)}")
    page.goto(f"/{repo}/blob/main/{file}")
    assert dialogs == []
    assert not any("ran-a-script" in address for address in asked)
    assert "ran" not in {cookie["name"] for cookie in page.context.cookies()}

# SPDX-License-Identifier: Apache-2.0
"""Pages that take long, and who waits for them."""

import threading

import pytest

from hubkeep.web import kept, notebooks, rendered
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.web.browser import Browser, give_passwords
from tests.web.html import BROWSER
from tests.web.shelves import page

pytestmark = on_sqlite


def test_who_opens_slow_pages_holds_up_neither_uploads_nor_who_signs_in(
    hub: TestHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(hub).create()
    texts = {f"{name}/README.md": f"# {name}".encode() for name in "abcd"}
    assert shelf.commit(texts).status_code == 200
    give_passwords(hub)
    over, render = threading.Event(), rendered.render_markdown

    def slow(*given: object) -> object:
        assert over.wait(20)
        return render(*given)  # ty: ignore

    monkeypatch.setattr(rendered, "render_markdown", slow)
    monkeypatch.setattr(kept, "PATIENCE", 20)
    answers: list[int] = []

    def read(name: str) -> None:
        answers.append(hub.get(f"{shelf.web}/tree/main/{name}", headers=BROWSER).status_code)

    readers = [threading.Thread(target=read, args=(name,)) for name in "abcd"]
    for reader in readers:
        reader.start()
    Browser(hub).sign_in("alice")
    shelf.upload(b"a large file")
    assert answers == []
    over.set()
    for reader in readers:
        reader.join()
    assert answers == [200] * 4


NOTEBOOK = b'{"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "# Words"}]}'
SHOWN = ("/tree/main/docs", "/blob/main/docs/README.md", "/blob/main/docs/a.ipynb")


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    made = Shelf(hub).create()
    made.commit({"docs/README.md": b"# Words", "docs/a.ipynb": NOTEBOOK})
    return made


@pytest.mark.parametrize("path", SHOWN)
def test_what_takes_long_to_render_keeps_no_page_waiting(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    over, render = threading.Event(), rendered.render_markdown

    def slow(*given: object) -> object:
        assert over.wait(20)
        return render(*given)  # ty: ignore

    monkeypatch.setattr(rendered, "render_markdown", slow)
    monkeypatch.setattr(notebooks, "render_markdown", slow)
    monkeypatch.setattr(kept, "PATIENCE", 0.05)
    try:
        seen = page(shelf, path)
    finally:
        over.set()
    assert "takes long to prepare" in seen.text
    assert "Words" not in seen.one("main").text
    monkeypatch.setattr(kept, "PATIENCE", 20)
    assert "Words" in page(shelf, path).one("main").text


@pytest.mark.parametrize("path", SHOWN)
def test_what_was_rendered_once_is_not_rendered_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    page(shelf, path)
    monkeypatch.setattr(rendered, "render_markdown", None)
    monkeypatch.setattr(notebooks, "render_markdown", None)
    assert "Words" in page(shelf, path).one("main").text
    monkeypatch.undo()
    shelf.commit(
        {"docs/README.md": b"# Others", "docs/a.ipynb": NOTEBOOK.replace(b"Words", b"Others")}
    )
    assert "Others" in page(shelf, path).one("main").text

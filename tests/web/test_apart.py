# SPDX-License-Identifier: Apache-2.0
"""Pages that take long, and who waits for them."""

import threading
from functools import partial

import pytest

from hubkeep.web import pages_tree
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.web.browser import Browser, give_passwords
from tests.web.html import BROWSER

pytestmark = on_sqlite


def test_who_opens_slow_pages_holds_up_neither_uploads_nor_who_signs_in(
    hub: TestHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(hub).create()
    assert shelf.commit({"README.md": b"# slow"}).status_code == 200
    give_passwords(hub)
    over, render = threading.Event(), pages_tree.render_markdown

    def slow(*given: object) -> object:
        assert over.wait(20)
        return render(*given)  # ty: ignore

    monkeypatch.setattr(pages_tree, "render_markdown", slow)
    answers: list[int] = []
    page = partial(hub.get, f"{shelf.web}/tree/main", headers=BROWSER)
    readers = [
        threading.Thread(target=lambda: answers.append(page().status_code)) for _ in range(4)
    ]
    for reader in readers:
        reader.start()
    Browser(hub).sign_in("alice")
    shelf.upload(b"a large file")
    assert answers == []
    over.set()
    for reader in readers:
        reader.join()
    assert answers == [200] * 4

# SPDX-License-Identifier: Apache-2.0
"""Who may change files in the browser: who may by the API, with the token of the form."""

from collections.abc import Callable

import pytest

from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.web.browser import Browser
from tests.web.desk import Desk, filled

pytestmark = on_sqlite

PAGES = ("/edit/main/a.txt", "/new/main", "/delete/main/a.txt", "/revert/main?commit=main")


@pytest.fixture
def desk(alice: Browser) -> Desk:
    shelf = Shelf(alice.hub).create()
    shelf.commit({"a.txt": b"a\n"})
    return Desk(alice, shelf)


def forms(desk: Desk) -> list[tuple[str, dict[str, str]]]:
    """What alice would send, each of which changes something."""
    changed = {"text": "changed", "path": "a.txt"}
    found = []
    for path in PAGES:
        form = filled(desk.open(path))
        more = {"/edit/main/a.txt": changed, "/new/main": changed | {"path": "n"}}.get(path, {})
        found.append((path.partition("?")[0], form | more))
    return found


def test_who_may_not_write_is_refused_as_by_the_api(
    desk: Desk, another: Callable[[str], Browser]
) -> None:
    sent, head = forms(desk), desk.shelf.head()
    bob, nobody = Desk(another("bob"), desk.shelf), Desk(stranger(desk.shelf.hub), desk.shelf)
    for path in PAGES:
        assert bob.browser.get(desk.shelf.web + path).status_code == 403, path
        assert nobody.browser.get(desk.shelf.web + path).status_code == 404, path
    for path, form in sent:
        assert bob.send(path, **(form | {"csrf": bob.browser.csrf})).status_code == 403, path
        assert nobody.send(path, **(form | {"csrf": nobody.browser.csrf})).status_code == 404, path
    assert desk.shelf.head() == head


def test_a_form_from_elsewhere_changes_nothing(desk: Desk) -> None:
    sent, head = forms(desk), desk.shelf.head()
    for path, form in sent:
        for token in ("", "0" * 40):
            assert desk.send(path, **(form | {"csrf": token})).status_code == 403, path
    assert desk.shelf.head() == head


def test_a_token_that_only_reads_changes_nothing(desk: Desk) -> None:
    hub, head = desk.shelf.hub, desk.shelf.head()
    for path in PAGES:
        assert hub.get(desk.shelf.web + path, token=hub.tokens.alice_read).status_code == 403, path
    for path, form in forms(desk):
        reads = {"Authorization": f"Bearer {hub.tokens.alice_read}"}
        assert desk.browser.send(desk.shelf.web + path, form, **reads).status_code == 403, path
    assert desk.shelf.head() == head


def test_hidden_and_missing_are_alike(
    hub: TestHub, desk: Desk, another: Callable[[str], Browser]
) -> None:
    sent = forms(desk)
    closed, absent = Shelf(hub, "alice/closed").create(private=True), Shelf(hub, "alice/absent")
    closed.commit({"a.txt": b"a\n"})
    for who in (another("bob"), stranger(hub)):
        for path in PAGES:
            seen = [who.get(one.web + path) for one in (closed, absent)]
            assert [one.status_code for one in seen] == [404, 404]
            names = [one.text.replace("closed", "x").replace("absent", "x") for one in seen]
            assert scrubbed(names[0]) == scrubbed(names[1]), path
        for path, form in sent:
            for one in (closed, absent):
                fields = form | {"csrf": who.csrf}
                assert who.send(one.web + path, fields).status_code == 404, path


def stranger(hub: TestHub) -> Browser:
    """A browser that nobody is signed in with, and that has been shown a form."""
    made = Browser(hub)
    assert made.get("/login").status_code == 200
    return made


def scrubbed(html: str) -> str:
    """A page without the token of its forms, which a browser without a session gets anew."""
    return "".join(line for line in html.splitlines() if "csrf" not in line)

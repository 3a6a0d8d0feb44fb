# SPDX-License-Identifier: Apache-2.0
"""The page on which files are uploaded: who gets it, and what it says without a script."""

import pytest

from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.web.browser import Browser, give_passwords
from tests.web.html import BROWSER, Element, read_html

pytestmark = on_sqlite


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    shelf = Shelf(hub).create()
    assert shelf.commit({"notes/a.txt": b"a", "README.md": b"# Shelf\n"}).status_code == 200
    return shelf


def signed_in(hub: TestHub, name: str = "alice") -> Browser:
    give_passwords(hub)
    browser = Browser(hub)
    browser.sign_in(name)
    return browser


def uploader(page: Element) -> dict[str, str]:
    """What the page tells its script."""
    [found] = [one for one in page.all("div") if "data-upload" in one.attributes]
    return found.attributes


def test_the_page_knows_where_files_go(shelf: Shelf, hub: TestHub):
    browser = signed_in(hub)
    answer = browser.get(f"{shelf.web}/upload/main/notes/new")
    told = uploader(read_html(answer))
    assert told["data-api"] == "/api/models/alice/shelf"
    assert told["data-batch"] == "/alice/shelf.git/info/lfs/objects/batch"
    assert (told["data-branch"], told["data-folder"]) == ("main", "notes/new")
    assert told["data-csrf"] == browser.csrf
    # Nobody is shown what only the script can do.
    assert "hidden" in told
    data = browser.json(f"{shelf.web}/upload/main/notes/new")
    assert (data["branch"], data["folder"], data["api"]) == ("main", "notes/new", told["data-api"])
    assert data["crumbs"][-1] == {**data["crumbs"][-1], "name": "Upload", "isCurrent": True}


def test_the_policy_lets_the_hubs_own_worker_run_and_nothing_of_elsewhere(
    shelf: Shelf, hub: TestHub
):
    answer = signed_in(hub).get(f"{shelf.web}/upload/main")
    policy = dict(
        one.strip().split(" ", 1) for one in answer.headers["content-security-policy"].split(";")
    )
    assert (policy["worker-src"], policy["connect-src"]) == ("'self'", "'self'")
    assert policy["script-src"] == "'self'"
    worker = uploader(read_html(answer))["data-worker"]
    assert hub.get(worker).headers["content-type"].startswith("text/javascript")


def test_without_a_script_it_says_which_commands_do_it(shelf: Shelf, hub: TestHub):
    hub.post(f"{shelf.api}/branch/next", token=shelf.token, json={})
    page = read_html(signed_in(hub).get(f"{shelf.web}/upload/next/my%20notes"))
    [said] = page.all("noscript")
    assert "needs JavaScript" in said.text
    commands = [one.text for one in said.all("pre")]
    assert "hf upload alice/shelf ./folder 'my notes' --revision next" in commands[0]
    assert "git clone --branch next http://127.0.0.1:8080/alice/shelf" in commands[1]
    assert "cp -r ../folder/. 'my notes'" in commands[1]


def test_files_are_uploaded_to_folders_of_branches(shelf: Shelf, hub: TestHub):
    hub.post(f"{shelf.api}/tag/main", token=shelf.token, json={"tag": "v1"})
    browser = signed_in(hub)
    tag = read_html(browser.get(f"{shelf.web}/upload/v1/notes"), 400)
    file = read_html(browser.get(f"{shelf.web}/upload/main/notes/a.txt/below"), 400)
    assert tag.link("Go on with main") == f"{shelf.web}/upload/main/notes"
    assert "notes/a.txt is not a folder" in file.text
    assert file.link("Upload into notes") == f"{shelf.web}/upload/main/notes"
    assert browser.get(f"{shelf.web}/upload/no-such-branch").status_code == 404
    assert browser.get(f"{shelf.web}/upload/main/.git/hooks").status_code == 422


@pytest.mark.parametrize(("user", "status"), [(None, 404), ("bob", 403), ("alice", 200)])
def test_who_may_write_gets_the_page(shelf: Shelf, hub: TestHub, user: str | None, status: int):
    browser = signed_in(hub, user) if user else Browser(hub)
    assert browser.get(f"{shelf.web}/upload/main").status_code == status


def test_a_private_repository_is_not_there_for_others(hub: TestHub):
    shelf = Shelf(hub, "alice/closed").create(private=True)
    bob = signed_in(hub, "bob")
    there = bob.get(f"{shelf.web}/upload/main").text.replace("closed", "x")
    missing = bob.get("/alice/missing/upload/main").text.replace("missing", "x")
    assert there == missing
    assert hub.get(f"{shelf.web}/upload/main", headers=BROWSER).status_code == 404


def test_names_of_users_are_shown_as_what_they_are(shelf: Shelf, hub: TestHub):
    page = read_html(signed_in(hub).get(f"{shelf.web}/upload/main/%3Cb%3E%E2%80%AEx"))
    assert "\u202e" not in page.text
    assert "<b>U+202Ex" in page.text

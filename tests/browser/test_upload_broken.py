# SPDX-License-Identifier: Apache-2.0
"""Uploads that are broken off: the network, the hub, the window, the session, the right to it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.identity import commands
from hubkeep.identity.actor import Role
from hubkeep.kit.time import now
from tests.browser.conftest import OpenPage
from tests.browser.site import Site, running_site
from tests.browser.uploads import PART, UploadPage, made, sha256, stored
from tests.browser.watch import Watch
from tests.harness.hub import running_hub

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext, Route

TAIL = 1000
"""Bytes of the second part of a file."""
SECOND_PART, FILES = "*/lfs/parts/*/2", "*/lfs/objects/*.*"
ONE_PIECE = re.compile(r"://[^/]+/lfs/objects/")
NO_ANSWER = "no answer: PUT .*/lfs/"


def two_parts(tmp_path: Path) -> Path:
    """Make a file that is sent in two parts, the second of them small."""
    return made(tmp_path / "weights.bin", PART + TAIL)


@contextmanager
def database_of(site: Site) -> Iterator[Database]:
    """The database of a running hub."""
    database = Database(Config(data=site.hub.data).database)
    yield database
    database.close()


def test_the_network_breaks_and_comes_back(
    site: Site, open_page: OpenPage, watch: Watch, tmp_path: Path
):
    watch.expect(NO_ANSWER)
    large = two_parts(tmp_path)
    page = UploadPage(open_page("alice"), site.create("upload-broken"))
    page.block(SECOND_PART)
    page.drop(large)
    page.start()
    page.wait_for("weights.bin", "pausing")
    assert "No answer from the hub: trying again in" in page.row("weights.bin").inner_text()
    assert "does not answer" in page.page.locator("[role=status]").inner_text()

    page.block()
    page.part("now").click()
    page.finish()

    assert page.sent == [PART, TAIL]
    assert stored(site, page.repo)["weights.bin"] == (PART + TAIL, sha256(large))


def test_after_a_reload_only_what_is_missing_is_sent(
    site: Site, open_page: OpenPage, watch: Watch, tmp_path: Path
):
    watch.expect(NO_ANSWER)
    large = two_parts(tmp_path)
    page = UploadPage(open_page("alice"), site.create("upload-reload"))
    page.block(SECOND_PART)
    page.drop(large)
    page.start()
    page.wait_for("weights.bin", "pausing")
    assert page.sent == [PART]

    asked: list[str] = []

    def leave(dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.page.on("dialog", leave)
    page.page.reload()
    page.block()
    page.drop(large)
    page.start()
    page.finish()
    page.page.goto("/")

    assert page.sent == [PART, TAIL]
    assert stored(site, page.repo)["weights.bin"] == (PART + TAIL, sha256(large))
    # One is asked while something is under way, and not after it.
    assert asked == ["beforeunload"]


def test_the_hub_is_started_again_meanwhile(
    new_context: "Callable[..., BrowserContext]", watch: Watch, tmp_path: Path
):
    watch.expect("no answer: ", "ERR_CONNECTION_REFUSED")
    small = made(tmp_path / "weights.bin", 300_000)
    with running_site(tmp_path / "site") as site:
        repo, port = site.create("m"), urlsplit(site.url).port
        context = new_context(base_url=site.url)
        context.add_cookies(list(site.cookies_of("alice")))
        page = UploadPage(context.new_page(), repo)

        def stop(route: "Route") -> None:
            site.hub.stop()
            route.continue_()

        page.page.route(ONE_PIECE, stop, times=1)
        page.drop(small)
        page.start()
        page.wait_for("weights.bin", "pausing")
        with running_hub(site.hub.data, "--port", str(port)):
            page.finish()  # of itself
            assert stored(site, repo)["weights.bin"] == (300_000, sha256(small))
            context.close()


def test_a_file_is_removed_and_the_rest_is_stopped_and_gone_on_with(
    site: Site, open_page: OpenPage, watch: Watch, tmp_path: Path
):
    watch.expect(NO_ANSWER)
    large, other = two_parts(tmp_path), made(tmp_path / "other.bin", 300_000)
    page = UploadPage(open_page("alice"), site.create("upload-stopped"))
    page.block(SECOND_PART, FILES)
    page.drop(large, other)
    page.start()
    page.wait_for("other.bin", "pausing")
    page.wait_for("weights.bin", "pausing")
    page.page.get_by_role("button", name="Remove other.bin").click()
    page.part("stop").click()
    page.wait_for("weights.bin", "known")
    page.block()
    page.start()
    page.finish()
    assert page.sent == [PART, TAIL]
    assert stored(site, page.repo).keys() == {".gitattributes", "weights.bin"}


def test_a_right_that_is_lost_meanwhile_and_given_back(
    site: Site, open_page: OpenPage, watch: Watch, tmp_path: Path
):
    watch.expect("403: PUT .*/lfs/objects/", "403: POST .*/info/lfs/objects/batch")
    repo = site.create("upload-rights", organization="acme")
    with database_of(site) as database:
        database.write_now(lambda conn: commands.add_member(conn, "acme", "bob", Role.WRITE, now()))
        page = UploadPage(open_page("bob"), repo)

        def lose(route: "Route") -> None:
            database.write_now(
                lambda conn: commands.add_member(conn, "acme", "bob", Role.READ, now())
            )
            route.continue_()

        page.page.route(ONE_PIECE, lose, times=1)
        page.drop(made(tmp_path / "weights.bin", 300_000))
        page.start()
        page.part("alert").wait_for()
        told = page.part("alert").inner_text()
        assert "You don't have the right to write acme/upload-rights" in told
        assert "Ask who administers the repository" in told

        database.write_now(lambda conn: commands.add_member(conn, "acme", "bob", Role.WRITE, now()))
        page.start()
        page.finish()
        database.write_now(lambda conn: commands.remove_member(conn, "acme", "bob"))
    assert page.sent == [300_000]
    assert "weights.bin" in stored(site, repo)


def test_who_is_signed_out_signs_in_in_another_window_and_goes_on(
    site: Site, open_page: OpenPage, watch: Watch, tmp_path: Path
):
    watch.expect("401: POST .*/info/lfs/objects/batch", "404: GET .*/upload/main$")
    small = made(tmp_path / "weights.bin", 300_000)
    page = UploadPage(open_page("bob"), site.create("upload-signed-out", user="bob"))
    page.drop(small)
    page.wait_for("weights.bin", "known")
    page.page.context.clear_cookies()
    page.start()
    page.part("alert").wait_for()
    assert "Sign in in another window" in page.part("alert").inner_text()

    page.page.context.add_cookies(list(Site(site.hub).cookies_of("bob")))
    page.start()
    page.finish()
    assert stored(site, page.repo)["weights.bin"] == (300_000, sha256(small))


COMMIT = re.compile("/commit/main$")


def test_a_commit_whose_answer_is_lost_is_known_again(
    site: Site, open_page: OpenPage, watch: Watch, tmp_path: Path
):
    watch.expect("502: POST .*/commit/main$", "412: POST .*/commit/main$")
    repo = site.create("upload-lost-answer")
    site.commit(repo, {"a.txt": "1"})
    (tmp_path / "a.txt").write_text("mine")
    page = UploadPage(open_page("alice"), repo)

    def lose(route: "Route") -> None:
        route.fetch()
        route.fulfill(status=502)

    page.page.route(COMMIT, lose, times=1)
    page.drop(tmp_path / "a.txt")
    page.wait_for("a.txt", "known")
    page.start()
    page.finish()
    content = site.api("GET", f"/{repo}/raw/main/a.txt").text
    assert content == "mine"


def test_what_somebody_wrote_while_the_hub_did_not_answer_is_not_replaced_unasked(
    site: Site, open_page: OpenPage, watch: Watch, tmp_path: Path
):
    watch.expect("502: POST .*/commit/main$", "412: POST .*/commit/main$")
    repo = site.create("upload-theirs")
    site.commit(repo, {"a.txt": "1"})
    (tmp_path / "a.txt").write_text("mine")
    page = UploadPage(open_page("alice"), repo)

    def lose(route: "Route") -> None:
        site.commit(repo, {"a.txt": "theirs"})
        route.fulfill(status=502)

    page.page.route(COMMIT, lose, times=1)
    page.drop(tmp_path / "a.txt")
    page.wait_for("a.txt", "known")
    page.start()
    page.part("alert").wait_for()
    assert "Somebody changed a.txt meanwhile" in page.part("alert").inner_text()
    assert site.api("GET", f"/{repo}/raw/main/a.txt").text == "theirs"


def test_a_file_that_changes_on_the_disk_is_asked_for_again(
    site: Site, open_page: OpenPage, watch: Watch, tmp_path: Path
):
    small = made(tmp_path / "weights.bin", 300_000)
    page = UploadPage(open_page("alice"), site.create("upload-changed"))
    page.drop(small)
    page.wait_for("weights.bin", "known")
    made(small, 300_000)
    small.write_bytes(b"\0" * 400_000)
    page.start()
    page.wait_for("weights.bin", "failed")
    assert "choose it again" in page.row("weights.bin").inner_text()
    page.drop(small)
    page.start()
    page.finish()
    assert stored(site, page.repo)["weights.bin"] == (400_000, sha256(small))

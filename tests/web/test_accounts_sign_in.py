# SPDX-License-Identifier: Apache-2.0
"""Signing in and out: who is let in, what the cookie is, and when it stops to count."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import func, select

from hubkeep.config import Config
from hubkeep.db.tables import sessions, tokens
from hubkeep.identity import commands
from hubkeep.identity.queries_sign_in import MOST_FAILURES
from tests.harness.hub import TestHub, on_sqlite, started_hub
from tests.harness.world import seed
from tests.web.browser import PASSWORD, Browser, Seen, give_passwords

More = Callable[[str], Browser]


def set_cookies(answer) -> dict[str, list[str]]:
    """The cookies that an answer sets, by name, with their attributes in order."""
    found = {}
    for line in answer.headers.get_list("set-cookie"):
        first, *rest = (part.strip() for part in line.split(";"))
        found[first.partition("=")[0]] = sorted(rest)
    return found


def count(hub: TestHub, table) -> int:
    return hub.read(lambda conn: conn.execute(select(func.count()).select_from(table)).scalar_one())


def test_who_signs_in_is_known_until_signing_out(browser: Browser):
    assert "Sign in" in browser.seen("/login").text
    answer = browser.post("/login", name="Alice", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "/settings/profile" in browser.seen("/alice").links()
    answer = browser.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "hubkeep" not in browser.cookies
    assert count(browser.hub, sessions) == 0
    assert browser.get("/settings/profile").headers["location"].startswith("/login?next=")


@on_sqlite
def test_the_cookie_is_for_this_host_alone_and_no_script_sees_it(
    tmp_path: Path, database_url: str, quick: None
):
    for public_url, name, more in (
        ("", "hubkeep", []),
        ("https://hub.example.org", "__Host-hubkeep", ["Secure"]),
    ):
        config = Config(data=tmp_path / name, database_url="", public_url=public_url)
        with started_hub(config) as hub:
            hub.write(lambda conn, hub=hub: seed(conn, hub.clock()))
            give_passwords(hub)
            browser = Browser(hub)
            own = set_cookies(browser.get("/login"))
            assert own == {f"{name}-form": sorted(["HttpOnly", "Path=/", "SameSite=strict", *more])}
            signed = set_cookies(browser.post("/login", name="alice", password=PASSWORD))
            kept = ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=lax", *more]
            assert signed == {name: sorted(kept)}
            gone = set_cookies(browser.send("/logout", {"csrf": token_of(browser)}))
            assert "Max-Age=0" in gone[name]
            assert set(more) <= set(gone[name])


def token_of(browser: Browser) -> str:
    browser.get("/settings/profile")
    return browser.csrf


def test_a_wrong_name_and_a_wrong_password_are_told_alike(browser: Browser):
    browser.get("/login?next=/acme")
    told = set()
    for name, password in (("alice", "not the password"), ("nobody", PASSWORD), ("alice", "x")):
        answer = browser.post("/login", name=name, password=password, next="/acme")
        page = Seen(answer.text)
        assert answer.status_code == 422
        assert page.value("name") == name
        assert page.value("password") is None
        assert page.value("next") == "/acme"
        told.add(page.text.replace(browser.csrf, ""))
    assert len(told) == 1
    assert "The name or the password is wrong." in told.pop()
    assert "hubkeep" not in browser.cookies


@on_sqlite
def test_after_many_wrong_ones_the_right_one_is_not_taken_either(browser: Browser):
    browser.get("/login")
    for _ in range(MOST_FAILURES):
        assert browser.post("/login", name="alice", password="a wrong one").status_code == 422
    answer = browser.post("/login", name="alice", password=PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Try again in 15 minutes" in Seen(answer.text).text
    browser.hub.clock.move(minutes=16)
    assert browser.post("/login", name="alice", password=PASSWORD).status_code == 303


@on_sqlite
@pytest.mark.parametrize(
    ("asked", "led_to"),
    [
        ("/settings/tokens", "/settings/tokens"),
        ("/models?search=a", "/models?search=a"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_one_goes_on_to_pages_of_this_hub_alone(browser: Browser, asked: str, led_to: str):
    browser.get("/login")
    answer = browser.post("/login", name="alice", password=PASSWORD, next=asked)
    assert answer.headers["location"] == led_to
    assert browser.get(f"/login?next={quote(asked)}").headers["location"] == led_to


def test_each_sign_in_has_a_secret_of_its_own(browser: Browser):
    """A cookie that somebody else has put there is not what the session is known by."""
    browser.cookies["hubkeep"] = "planted-by-somebody-else"
    browser.get("/login")
    browser.post("/login", name="alice", password=PASSWORD)
    first = browser.cookies["hubkeep"]
    assert first != "planted-by-somebody-else"
    stranger = Browser(browser.hub)
    stranger.cookies["hubkeep"] = "planted-by-somebody-else"
    assert stranger.get("/settings/profile").status_code == 303
    # Signing in again ends the session that the browser had.
    browser.get("/settings/profile")
    browser.send("/login", {"csrf": browser.csrf, "name": "bob", "password": PASSWORD})
    assert browser.cookies["hubkeep"] != first
    stranger.cookies["hubkeep"] = first
    assert stranger.get("/settings/profile").status_code == 303


@on_sqlite
def test_forms_count_from_pages_of_the_hub_alone(alice: Browser, another: More):
    other = another("bob")
    form = {"name": "stolen", "role": "write", "days": ""}
    before = count(alice.hub, tokens)
    for csrf in ({}, {"csrf": ""}, {"csrf": "0" * 40}, {"csrf": other.csrf}):
        for path, fields in (
            ("/settings/tokens", form),
            ("/settings/profile", {"fullname": "Mallory"}),
            ("/organizations/new", {"name": "mallory"}),
            ("/new", {"name": "mallory", "owner": "alice"}),
            ("/organizations/acme/settings/members", {"name": "bob", "role": "admin"}),
            ("/settings/sessions/end", {}),
            ("/logout", {}),
            ("/login", {"name": "bob", "password": PASSWORD}),
            ("/join", {"name": "mallory", "password": PASSWORD}),
        ):
            answer = alice.send(path, {**fields, **csrf})
            assert answer.status_code == 403, (path, csrf)
            assert "reload it and try again" in Seen(answer.text).text
    assert count(alice.hub, tokens) == before
    assert alice.json("/alice")["fullname"] == "Alice"
    assert [one["name"] for one in alice.json("/acme")["members"]] == ["alice"]
    assert alice.get("/mallory").status_code == 404
    assert alice.get("/settings/profile").status_code == 200


@on_sqlite
def test_the_cookie_alone_changes_nothing_by_the_api(alice: Browser):
    cookie = {"Cookie": f"hubkeep={alice.cookies['hubkeep']}"}
    made = {"name": "by-cookie", "type": "model"}

    def create(**headers: str) -> int:
        alice.hub.client.cookies.clear()
        sent = {**cookie, **headers}
        return alice.hub.post("/api/repos/create", json=made, headers=sent).status_code

    assert create() == 401
    assert create(**{"x-csrf-token": "0" * 40}) == 401
    assert create(**{"x-csrf-token": alice.csrf}) == 200
    alice.hub.client.cookies.clear()
    assert alice.hub.get("/api/whoami-v2", headers=cookie).json()["name"] == "alice"


def test_a_session_is_over_at_once(alice: Browser, another: More):
    other = another("alice")
    alice.hub.write(lambda conn: commands.set_disabled(conn, "alice", True, alice.hub.clock()))
    for one in (alice, other):
        assert one.get("/settings/profile").status_code == 303
        assert one.post("/settings/profile", fullname="x").headers["location"].startswith("/login")
    alice.hub.write(lambda conn: commands.set_disabled(conn, "alice", False, alice.hub.clock()))
    assert alice.get("/settings/profile").status_code == 303
    alice.sign_in("alice")
    assert alice.json("/alice")["fullname"] == "Alice"


@on_sqlite
def test_a_disabled_account_is_told_nothing_else_than_a_stranger(browser: Browser):
    browser.hub.write(lambda conn: commands.set_disabled(conn, "bob", True, browser.hub.clock()))
    browser.get("/login")
    answer = browser.post("/login", name="bob", password=PASSWORD)
    assert answer.status_code == 422
    assert "The name or the password is wrong." in answer.text


def test_a_session_lasts_while_it_is_used_and_that_is_noted_once_an_hour(alice: Browser):
    def noted() -> tuple[int, int]:
        row = select(sessions.c.seen_at, sessions.c.expires_at)
        return tuple(alice.hub.read(lambda conn: conn.execute(row).one()))

    first = noted()
    alice.hub.clock.move(minutes=59)
    assert set_cookies(alice.get("/settings/profile")) == {}
    assert noted() == first
    alice.hub.clock.move(minutes=2)
    assert "hubkeep" in set_cookies(alice.get("/settings/profile"))
    assert noted() == (alice.hub.clock(), alice.hub.clock() + 30 * 86_400_000)
    alice.hub.clock.move(days=29)
    assert alice.get("/settings/profile").status_code == 200
    alice.hub.clock.move(days=31)
    assert alice.get("/settings/profile").status_code == 303


@on_sqlite
def test_errors_know_who_is_signed_in(alice: Browser):
    page = Seen(alice.get("/nobody-here").text)
    assert "Nothing is here" in page.text
    assert "/settings/profile" in page.links()
    assert "/settings/profile" not in Seen(Browser(alice.hub).get("/nobody-here").text).links()


def test_who_is_signed_in_is_not_asked_again(alice: Browser):
    assert alice.get("/login?next=/acme").headers["location"] == "/acme"
    assert alice.get("/join").headers["location"] == "/"


def test_the_data_of_the_page_is_there_too(browser: Browser):
    page = browser.json("/login")
    assert [field["name"] for field in page["fields"]] == ["name", "password"]
    browser.get("/login")
    form = {"csrf": browser.csrf, "name": "alice", "password": "a wrong one"}
    answer = browser.send("/login", form, Accept="application/json")
    assert answer.status_code == 422
    assert answer.json()["error"] == "The name or the password is wrong."
    assert "a wrong one" not in answer.text

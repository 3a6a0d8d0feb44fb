# SPDX-License-Identifier: Apache-2.0
"""The settings of one's own account: profile, password, sessions, tokens."""

import logging
import re
from collections.abc import Callable

import pytest

from hubkeep import errors
from hubkeep.identity.proofs import PasswordProof
from hubkeep.identity.queries import of_password
from hubkeep.identity.queries_admin import list_tokens
from hubkeep.identity.queries_sign_in import MOST_FAILURES
from tests.harness.hub import TestHub, on_sqlite
from tests.web.browser import AGENT, PASSWORD, Browser, Seen

More = Callable[[str], Browser]
NEW = "another horse, another battery"
PAGES = ("profile", "password", "sessions", "tokens")


def secret_in(text: str) -> list[str]:
    """The tokens that stand in a text."""
    return re.findall(r"hf_[A-Za-z0-9]{34}", text)


def works(hub: TestHub, token: str) -> bool:
    return hub.get("/api/whoami-v2", token=token).status_code == 200


@on_sqlite
@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_is_led_to_sign_in_and_back(browser: Browser, page: str):
    answer = browser.get(f"/settings/{page}")
    assert answer.headers["location"] == f"/login?next=%2Fsettings%2F{page}"
    # Other clients are told as by the API.
    assert browser.get(f"/settings/{page}", Accept="application/json").status_code == 401


@on_sqlite
@pytest.mark.parametrize("page", PAGES)
def test_each_page_leads_to_the_others_and_has_its_data(alice: Browser, page: str):
    assert {f"/settings/{one}" for one in PAGES} <= set(alice.seen(f"/settings/{page}").links())
    assert alice.json(f"/settings/{page}")["title"]


@on_sqlite
def test_no_token_makes_tokens_or_changes_how_one_signs_in(alice: Browser):
    """Whoever holds a token that reads could make one that writes: its own cookie proves a form."""
    thief = Browser(alice.hub)
    thief.get("/login")
    bearer = {"Authorization": f"Bearer {alice.hub.tokens.alice}"}
    for path, form in (
        ("/settings/tokens", {"name": "mine", "role": "write", "days": ""}),
        ("/settings/profile", {"fullname": "Mallory"}),
        ("/settings/password", {"old": PASSWORD, "new": NEW, "again": NEW}),
        ("/settings/sessions/end", {}),
        ("/organizations/new", {"name": "mallory"}),
        ("/organizations/acme/settings/members", {"name": "bob", "role": "admin"}),
    ):
        answer = thief.send(path, {**form, "csrf": thief.csrf}, **bearer)
        assert answer.status_code == 403, path
    assert alice.json("/alice")["fullname"] == "Alice"
    assert thief.get("/settings/tokens", **bearer).status_code == 403


def test_what_one_says_of_oneself_is_shown(alice: Browser):
    about = "First line.\r\nSecond <b>line</b>."
    answer = alice.post("/settings/profile", fullname="Alice L.", email="", about=about)
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/profile?saved")
    assert "Saved." in alice.seen("/settings/profile?saved").text
    shown = alice.json("/alice")
    assert (shown["fullname"], shown["about"]) == ("Alice L.", "First line.\nSecond <b>line</b>.")
    assert "<b>" not in alice.get("/alice").text


@on_sqlite
def test_tricks_in_a_profile_show_as_what_they_are(alice: Browser):
    alice.post("/settings/profile", fullname="Al\u202eice", about="a\u200bb")
    page = alice.get("/alice").text
    assert "\u202e" not in page
    assert "U+202E" in page
    assert "U+200B" in page


@on_sqlite
def test_a_profile_that_cannot_be_taken_changes_nothing(alice: Browser):
    fields = {"fullname": "A\x07", "email": "nowhere", "about": "x" * 2001}
    answer = alice.post("/settings/profile", **fields)
    page = Seen(answer.text)
    assert answer.status_code == 422
    for field in fields:
        assert page.describes(field) == f"{field}-wrong"
    assert page.value("email") == "nowhere"
    assert alice.json("/alice")["fullname"] == "Alice"


def test_another_password_ends_all_else_that_the_old_one_opened(alice: Browser, another: More):
    other, secret = another("alice"), alice.cookies["hubkeep"]
    proof = stored_proof(alice.hub)
    answer = alice.post("/settings/password", old=PASSWORD, new=NEW, again=NEW)
    assert answer.headers["location"] == "/settings/password?saved"
    assert "signed out everywhere else" in alice.seen("/settings/password?saved").text
    assert alice.cookies["hubkeep"] != secret
    assert other.get("/settings/profile").status_code == 303
    with pytest.raises(errors.HubError):
        alice.hub.read(lambda conn: of_password(conn, proof))
    assert works(alice.hub, alice.hub.tokens.alice)
    other.sign_in("alice", NEW)
    other.cookies.clear()
    other.get("/login")
    assert other.post("/login", name="alice", password=PASSWORD).status_code == 422


def stored_proof(hub: TestHub) -> PasswordProof:
    from hubkeep.identity.sign_in import prove_password

    assert hub.client.portal is not None
    return hub.client.portal.call(prove_password, hub.app, "alice", PASSWORD)


@on_sqlite
def test_the_old_password_is_asked_for_and_guesses_are_counted(alice: Browser):
    for form, field in (
        ({"old": "not the password", "new": NEW, "again": NEW}, "old"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "new"),
        ({"old": PASSWORD, "new": NEW, "again": NEW + "!"}, "again"),
    ):
        answer = alice.post("/settings/password", **form)
        assert answer.status_code == 422
        assert Seen(answer.text).describes(field) == f"{field}-wrong"
        assert NEW not in answer.text
    for _ in range(MOST_FAILURES):
        answer = alice.post("/settings/password", old="not the password", new=NEW, again=NEW)
    assert answer.status_code == 429
    other = Browser(alice.hub)
    other.get("/login")
    assert other.post("/login", name="alice", password=PASSWORD).status_code == 429


def test_sessions_are_listed_and_ended(alice: Browser, another: More):
    other, third = another("alice"), another("alice")
    listed = alice.json("/settings/sessions")["sessions"]
    assert [one["isThis"] for one in listed].count(True) == 1
    assert {one["browser"] for one in listed} == {"Firefox on Linux"}
    assert {one["agent"] for one in listed} == {AGENT}
    of_other = next(
        one["id"] for one in other.json("/settings/sessions")["sessions"] if one["isThis"]
    )
    assert alice.post("/settings/sessions/end", session=of_other).status_code == 303
    assert other.get("/settings/profile").status_code == 303
    assert third.get("/settings/profile").status_code == 200
    assert alice.post("/settings/sessions/end").status_code == 303
    assert third.get("/settings/profile").status_code == 303
    own = alice.json("/settings/sessions")["sessions"]
    assert [one["isThis"] for one in own] == [True]
    assert alice.post("/settings/sessions/end", session=own[0]["id"]).headers["location"] == "/"
    assert "hubkeep" not in alice.cookies


@on_sqlite
def test_nobody_ends_the_session_of_another(alice: Browser, another: More):
    bob = another("bob")
    ids = [one["id"] for one in alice.json("/settings/sessions")["sessions"]]
    assert bob.post("/settings/sessions/end", session=ids[0]).status_code == 404
    assert alice.get("/settings/profile").status_code == 200


def test_a_token_is_shown_once_and_nowhere_else(alice: Browser, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        answer = alice.post("/settings/tokens", name="laptop", role="write", days="30")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    (secret,) = set(secret_in(answer.text))
    assert "data-copy" in answer.text
    assert works(alice.hub, secret)
    for path in ("/settings/tokens", "/settings/tokens?format=json", "/settings/sessions"):
        assert secret_in(alice.get(path).text) == []
    assert secret not in caplog.text
    # Sent once more by mistake it is refused, and shows nothing.
    again = alice.post("/settings/tokens", name="laptop", role="write", days="30")
    assert again.status_code == 422
    assert Seen(again.text).describes("name") == "name-wrong"
    assert secret_in(again.text) == []
    (row,) = [one for one in alice.json("/settings/tokens")["tokens"] if one["name"] == "laptop"]
    assert (row["role"], row["hint"]) == ("write", secret[-4:])
    assert row["expiresAt"] == alice.hub.clock() + 30 * 86_400_000
    alice.hub.clock.move(days=30)
    assert not works(alice.hub, secret)
    alice.sign_in("alice")
    assert "expired" in alice.seen("/settings/tokens").text


def test_a_revoked_token_fails_at_once(alice: Browser, another: More):
    (secret,) = set(secret_in(alice.post("/settings/tokens", name="x", days="").text))
    assert alice.hub.get("/api/whoami-v2", token=secret).json()["auth"]["accessToken"]["role"] == (
        "read"
    )
    (row,) = [one for one in alice.json("/settings/tokens")["tokens"] if one["name"] == "x"]
    assert row["expiresAt"] is None
    bob = another("bob")
    assert bob.post("/settings/tokens/revoke", token=row["id"]).status_code == 404
    assert works(alice.hub, secret)
    answer = alice.post("/settings/tokens/revoke", token=row["id"])
    assert answer.headers["location"] == "/settings/tokens?revoked"
    assert not works(alice.hub, secret)
    assert alice.post("/settings/tokens/revoke", token=row["id"]).status_code == 404


@on_sqlite
@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\x01"}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"name": "x", "role": "fineGrained"}, "role"),
        ({"name": "x", "role": "admin"}, "role"),
        ({"name": "x", "days": "-1"}, "days"),
        ({"name": "x", "days": "99999999999999999999"}, "days"),
    ],
)
def test_a_token_that_cannot_be_made_is_not(alice: Browser, form: dict[str, str], field: str):
    before = alice.hub.read(list_tokens)
    answer = alice.post("/settings/tokens", **form)
    assert answer.status_code == 422
    assert Seen(answer.text).describes(field) == f"{field}-wrong"
    assert alice.hub.read(list_tokens) == before


@on_sqlite
def test_an_unknown_field_is_refused(alice: Browser):
    answer = alice.post("/settings/profile", fullname="x", is_admin="true")
    assert answer.status_code == 400
    assert alice.json("/alice")["fullname"] == "Alice"

# SPDX-License-Identifier: Apache-2.0
"""Accounts in the administration: each deed, and what it does to those whom it is about."""

import logging
import re
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import insert

from hubkeep.db.tables import accounts
from hubkeep.identity import commands
from hubkeep.identity.commands import Refused
from hubkeep.identity.queries import account
from hubkeep.identity.queries_admin_lists import MOST_SUMMED, Holdings
from hubkeep.kit.ids import new_id
from tests.harness.hub import TestHub, on_sqlite
from tests.repos.world import World
from tests.web.browser import Browser, Seen

More = Callable[[str], Browser]
_PASSWORD = re.compile(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){3}\b")


@pytest.fixture
def root(browser: Browser) -> Browser:
    """A browser that an administrator of the hub is signed in with."""
    mine = Browser(browser.hub)
    mine.sign_in("root")
    return mine


def works(hub: TestHub, token: str) -> bool:
    return hub.get("/api/whoami-v2", token=token).status_code == 200


def do(root: Browser, user: str, deed: str, **form: str):
    """Do something about a user, from the page that offers it."""
    root.get(f"/admin/users/{user}")
    return root.post(f"/admin/users/{user}", do=deed, **form)


def add_users(hub: TestHub, names: list[str], **columns: object) -> None:
    rows = [
        {"public_id": new_id(), "kind": "user", "name": name, "name_key": name, "created_at": 0}
        for name in names
    ]
    hub.write(lambda conn: conn.execute(insert(accounts), [{**row, **columns} for row in rows]))


def test_users_are_found_by_name_by_address_and_by_what_they_are(root: Browser):
    hub = root.hub
    add_users(hub, [f"user-{number:03}" for number in range(120)])
    add_users(hub, ["gone-1", "gone-2"], disabled=True)

    def listed(query: str = "") -> list[str]:
        return [one["name"] for one in root.json(f"/admin/users{query}")["users"]]

    pages, at = [], "/admin/users"
    while at:
        page = root.json(at)
        pages.append([one["name"] for one in page["users"]])
        at = page["next"]
    assert [len(names) for names in pages] == [50, 50, 25]
    names = [name for page in pages for name in page]
    assert names == sorted(names)
    assert {"alice", "bob", "root", "gone-1"} <= set(names)
    assert "acme" not in names
    assert listed("?search=USER-00") == [f"user-00{number}" for number in range(10)]
    assert listed("?search=Alice@Example.org") == ["alice"]
    assert listed("?search=lice@example.org") == []
    assert listed("?search=@") == []
    assert listed("?which=administrators") == ["root"]
    assert listed("?which=disabled") == ["gone-1", "gone-2"]
    assert listed("?which=disabled&search=gone-2") == ["gone-2"]
    seen = root.seen("/admin/users?search=alice")
    assert "/admin/users/alice" in seen.links()
    assert "alice@example.org" in seen.text
    for query in ("?which=all", "?x=1", "?cursor=zzz"):
        assert root.get(f"/admin/users{query}").status_code == 400


@on_sqlite
def test_what_users_wrote_stays_text(root: Browser):
    hostile = "<b>x</b>\u202e\u200b"
    add_users(root.hub, ["mallory"], fullname=hostile, email=f"{hostile}@x")
    hub = root.hub
    token = commands.TokenRole.READ
    hub.write(lambda conn: commands.create_token(conn, "mallory", token, 0, name=hostile))
    hub.write(lambda conn: commands.add_member(conn, "acme", "mallory", commands.Role.READ, 0))
    for path in ("/admin/users", "/admin/users/mallory", "/admin/organisations/acme"):
        page = root.get(path).text
        assert "<b>" not in page, path
        assert "\u202e" not in page, path
        assert "U+202E" in page, path
    assert root.json("/admin/users/mallory")["user"]["fullname"] == hostile
    for name in ("..%2F..%2Fetc", "%00", "%3Cb%3E", "nobody", "acme", "%ED%A0%80"):
        assert root.get(f"/admin/users/{name}").status_code == 404, name
        assert root.post(f"/admin/users/{name}", do="disable").status_code == 404, name
        if name != "acme":
            assert root.get(f"/admin/organisations/{name}").status_code == 404, name


def test_a_user_is_shown_with_all_that_hangs_on_them(root: Browser, another: More):
    another("alice")
    world = World(root.hub)
    world.repo("alice/one", used_storage=400)
    world.repo("alice/two", used_storage=30, private=True)
    world.repo("alice/set", kind="dataset", used_storage=2)
    page = root.json("/admin/users/ALICE")
    assert page["user"]["name"] == "alice"
    assert page["user"]["email"] == "alice@example.org"
    assert page["user"]["hasPassword"]
    assert page["repositories"] == {"model": 2, "dataset": 1}
    assert (page["storage"], page["storageIsPartial"]) == (432, False)
    assert [one["name"] for one in page["tokens"]] == ["read", "write"]
    assert page["tokenCount"] == 2
    # The browser of the fixture, and the other one.
    assert page["sessionCount"] == len(page["sessions"]) == 2
    assert page["sessions"][0]["browser"] == "Firefox on Linux"
    assert page["organisations"] == [
        {"name": "acme", "fullname": "Acme", "role": "admin", "disabled": False}
    ]
    assert not page["isYou"]
    assert root.json("/admin/users/root")["isYou"]


def test_many_repositories_are_summed_up_in_part():
    assert not Holdings(MOST_SUMMED, 1).is_partial
    assert Holdings(MOST_SUMMED + 1, 1).is_partial


def test_a_disabled_user_is_shut_out_at_once_and_let_in_again(
    root: Browser, another: More, caplog: pytest.LogCaptureFixture
):
    hub, alice = root.hub, another("alice")
    with caplog.at_level(logging.INFO, "hubkeep.admin"):
        answer = do(root, "alice", "disable")
    assert answer.headers["location"] == "/admin/users/alice?done=disable"
    assert caplog.messages == ["administrator root disabled the user alice"]
    assert "shut out" in root.seen("/admin/users/alice?done=disable").text
    assert not works(hub, hub.tokens.alice)
    assert alice.get("/settings/profile").status_code == 303
    fresh = Browser(hub)
    fresh.get("/login")
    assert fresh.post("/login", name="alice", password="correct horse battery").status_code == 422
    assert root.json("/admin/users/alice")["user"]["disabled"]
    assert do(root, "alice", "password").status_code == 422
    assert do(root, "alice", "enable").status_code == 303
    assert works(hub, hub.tokens.alice)
    assert alice.get("/settings/profile").status_code == 303, "sessions are over for good"
    alice.sign_in("alice")


def test_tokens_and_sessions_end_at_once(root: Browser, another: More):
    hub, alice = root.hub, another("alice")
    assert do(root, "alice", "end-sessions").status_code == 303
    assert alice.get("/settings/profile").status_code == 303
    assert works(hub, hub.tokens.alice)
    assert do(root, "alice", "revoke-tokens").status_code == 303
    assert not works(hub, hub.tokens.alice)
    assert works(hub, hub.tokens.bob)
    page = root.json("/admin/users/alice")
    assert (page["tokenCount"], page["sessionCount"]) == (0, 0)


def test_another_password_is_shown_once_and_works(
    root: Browser, another: More, caplog: pytest.LogCaptureFixture
):
    alice = another("alice")
    with caplog.at_level(logging.DEBUG):
        answer = do(root, "alice", "password")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    (made,) = set(_PASSWORD.findall(answer.text))
    assert made not in caplog.text
    assert _PASSWORD.findall(root.get("/admin/users/alice").text) == []
    assert root.json("/admin/users/alice")["password"] == ""
    assert alice.get("/settings/profile").status_code == 303
    assert works(root.hub, root.hub.tokens.alice)
    alice.sign_in("alice", made)


def test_administration_is_given_and_taken_and_never_lost(root: Browser, another: More):
    hub = root.hub
    refused = do(root, "root", "demote")
    assert refused.status_code == 422
    assert "last administrator of this hub" in Seen(refused.text).text
    assert do(root, "alice", "promote").status_code == 303
    alice = another("alice")
    # A disabled one administers nothing, and does not count.
    hub.write(lambda conn: commands.set_disabled(conn, "alice", True, hub.clock()))
    assert do(root, "root", "demote").status_code == 422
    hub.write(lambda conn: commands.set_disabled(conn, "alice", False, hub.clock()))
    alice.sign_in("alice")
    assert do(root, "root", "demote").headers["location"] == "/"
    assert root.get("/admin").status_code == 404
    assert do(root, "root", "promote").status_code == 404
    assert do(alice, "alice", "demote").status_code == 422
    assert alice.json("/admin/users?which=administrators")["users"][0]["name"] == "alice"


@on_sqlite
def test_nobody_shuts_themselves_out(root: Browser):
    hub = root.hub
    hub.write(lambda conn: commands.set_admin(conn, "alice", True))
    for deed in ("disable", "delete"):
        refused = do(root, "root", deed, name="root")
        assert refused.status_code == 422
        assert "This is yourself" in Seen(refused.text).text
    assert root.get("/admin").status_code == 200


def test_of_two_administrators_that_go_at_once_one_stays(hub: TestHub):
    hub.write(lambda conn: commands.set_admin(conn, "alice", True))
    start = threading.Barrier(2)
    refused: list[str] = []

    def go(name: str) -> None:
        start.wait()
        try:
            hub.write(lambda conn: commands.set_admin(conn, name, False))
        except Refused:
            refused.append(name)

    threads = [threading.Thread(target=go, args=(name,)) for name in ("root", "alice")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    left = hub.read(lambda conn: account(conn, refused[0]))
    assert left is not None
    assert left.is_admin


def test_a_user_is_deleted_who_owns_nothing_and_is_named_twice(root: Browser):
    hub = root.hub
    World(hub).repo("bob/model")
    assert "Type the name bob" in Seen(do(root, "bob", "delete", name="alice").text).text
    refused = do(root, "bob", "delete", name="bob")
    assert refused.status_code == 422
    assert "still owns repositories: bob/model" in Seen(refused.text).text
    assert works(hub, hub.tokens.bob)
    hub.write(lambda conn: commands.set_disabled(conn, "alice", True, hub.clock()))
    answer = do(root, "alice", "delete", name="alice")
    assert answer.headers["location"] == "/admin/users?done=deleted"
    assert "is deleted" in root.seen("/admin/users?done=deleted").text
    assert root.get("/admin/users/alice").status_code == 404
    assert not works(hub, hub.tokens.alice)


@on_sqlite
def test_what_cannot_be_done_is_refused(root: Browser):
    assert do(root, "alice", "bury").status_code == 400
    assert do(root, "alice", "disable", extra="1").status_code == 400
    assert do(root, "alice", "").status_code == 400


def test_a_user_is_made_with_a_password_shown_once(root: Browser):
    answer = root.post(
        "/admin/users/new", name="carol", fullname="Carol", email="c@x.org", password="make"
    )
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    (made,) = set(_PASSWORD.findall(answer.text))
    carol = Browser(root.hub)
    carol.sign_in("carol", made)
    assert carol.get("/admin").status_code == 404
    assert _PASSWORD.findall(root.get("/admin/users/new").text) == []
    answer = root.post("/admin/users/new", name="dave", admin="true", password="")
    assert _PASSWORD.findall(answer.text) == []
    dave = root.json("/admin/users/dave")["user"]
    assert (dave["isAdmin"], dave["hasPassword"]) == (True, False)


@on_sqlite
def test_a_user_that_cannot_be_made_is_not(root: Browser):
    root.get("/admin/users/new")
    for form, field in (
        ({"name": ""}, "name"),
        ({"name": "admin"}, "name"),
        ({"name": "ALICE"}, "name"),
        ({"name": "acme"}, "name"),
        ({"name": "<b>"}, "name"),
        ({"name": "x", "email": "nowhere"}, "email"),
        ({"name": "x", "fullname": "a\x07"}, "fullname"),
    ):
        answer = root.post("/admin/users/new", password="make", **form)
        assert answer.status_code == 422, form
        assert Seen(answer.text).describes(field) == f"{field}-wrong", form
        assert _PASSWORD.findall(answer.text) == []
    assert len(root.json("/admin/users")["users"]) == 3


def test_organisations_are_listed_made_and_deleted(root: Browser):
    hub = root.hub
    answer = root.get("/admin/organisations/new")
    answer = root.post(
        "/admin/organisations/new", name="lab", fullname="The lab", type="company", member="bob"
    )
    assert answer.headers["location"] == "/admin/organisations/lab"
    page = root.json("/admin/organisations/lab")
    assert page["organisation"]["orgType"] == "company"
    assert [(one["name"], one["role"]) for one in page["members"]] == [("bob", "admin")]
    listed = root.json("/admin/organisations")["organisations"]
    assert [one["name"] for one in listed] == ["acme", "lab"]
    assert len(root.json("/admin/organisations?search=LA")["organisations"]) == 1
    for form in (
        {"name": "lab"},
        {"name": "x", "type": "cartel"},
        {"name": "x", "member": "nobody"},
        {"name": ""},
    ):
        assert root.post("/admin/organisations/new", **form).status_code == 422, form
    assert root.get("/admin/organisations/x").status_code == 404

    World(hub).repo("lab/model")
    for name in ("lab", "acme"):
        refused = root.post("/admin/organisations/lab", do="delete", name=name)
        assert refused.status_code == 422
    assert root.get("/admin/organisations/lab").status_code == 200
    gone = root.post("/admin/organisations/acme", do="delete", name="acme")
    assert gone.headers["location"] == "/admin/organisations?done=deleted"
    assert root.get("/acme").status_code == 404


def test_members_of_an_organisation_come_go_and_change(
    root: Browser, caplog: pytest.LogCaptureFixture
):
    hub = root.hub
    World(hub).repo("acme/secret", private=True)

    def sees() -> bool:
        return hub.get("/api/models/acme/secret", token=hub.tokens.bob).status_code == 200

    def change(**form: str) -> int:
        return root.post("/admin/organisations/acme", **form).status_code

    root.get("/admin/organisations/acme")
    assert not sees()
    with caplog.at_level(logging.INFO, "hubkeep.admin"):
        assert change(do="member", name=" BOB ", role="read") == 303
    assert caplog.messages == ["administrator root gave bob the role read in acme"]
    assert sees()
    assert change(do="member", name="bob", role="write") == 303
    members = root.json("/admin/organisations/acme")["members"]
    assert [(one["name"], one["role"]) for one in members] == [("alice", "admin"), ("bob", "write")]
    hub.write(lambda conn: commands.set_disabled(conn, "bob", True, hub.clock()))
    assert root.json("/admin/organisations/acme")["members"][1]["disabled"]
    assert change(do="remove", name="bob") == 303, "who is disabled goes too"
    hub.write(lambda conn: commands.set_disabled(conn, "bob", False, hub.clock()))
    assert not sees()
    for form in (
        {"do": "remove", "name": "bob"},
        {"do": "member", "name": "nobody", "role": "read"},
        {"do": "member", "name": "bob", "role": "king"},
        {"do": "member", "name": "acme", "role": "read"},
    ):
        assert change(**form) == 422, form
    assert change(do="bury", name="bob") == 400
    # Whoever administers the hub may take the last administrator of an organisation away.
    assert change(do="remove", name="alice") == 303
    assert root.json("/admin/organisations/acme")["members"] == []


@on_sqlite
def test_members_come_in_pages(root: Browser):
    hub = root.hub
    names = [f"user-{number:03}" for number in range(150)]
    add_users(hub, names)

    def work(conn) -> None:
        for name in names:
            commands.add_member(conn, "acme", name, commands.Role.READ, 0)

    hub.write(work)
    first = root.json("/admin/organisations/acme")
    assert len(first["members"]) == 100
    rest = root.json(first["next"])
    assert len(rest["members"]) == 51
    assert (rest["next"], rest["first"]) == (None, "/admin/organisations/acme")


def test_invitations_are_made_shown_once_and_revoked(root: Browser):
    hub = root.hub
    assert "Nobody may sign up here" in root.seen("/admin/invitations").text
    answer = root.post("/admin/invitations", note="for <b>Ada</b>", days="1")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "<b>" not in answer.text
    (link,) = set(re.findall(r"http://127\.0\.0\.1:8080/join\?invitation=[\w-]+", answer.text))
    assert link not in root.get("/admin/invitations").text
    (listed,) = root.json("/admin/invitations")["invitations"]
    assert (listed["note"], listed["madeBy"]) == ("for <b>Ada</b>", "root")
    assert listed["expiresAt"] == hub.clock() + 86_400_000
    assert link.rpartition("=")[2] not in str(listed)
    for form in ({"days": "365"}, {"days": ""}, {"note": "x" * 300, "days": "1"}):
        assert root.post("/admin/invitations", **form).status_code == 422, form
    answer = root.post("/admin/invitations/revoke", invitation=listed["id"])
    assert answer.headers["location"] == "/admin/invitations?revoked"
    assert root.json("/admin/invitations")["invitations"] == []
    assert root.post("/admin/invitations/revoke", invitation=listed["id"]).status_code == 404

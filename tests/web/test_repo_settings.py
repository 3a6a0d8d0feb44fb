# SPDX-License-Identifier: Apache-2.0
"""The settings of a repository: renamed, opened, closed, deleted, and only by who may."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, select

from hubkeep.db.tables import repos
from hubkeep.errors import HubError
from hubkeep.identity import commands
from hubkeep.identity.actor import ANONYMOUS, Actor, Role
from hubkeep.identity.queries import account
from hubkeep.identity.rules import Action
from hubkeep.repos.access import reach
from hubkeep.repos.changing import delete_repo, open_or_close, rename
from hubkeep.repos.types import Repo, RepoType
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.web.browser import Browser, Seen

More = Callable[[str], Browser]
SETTINGS = "/alice/shelf/settings"


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


def join(hub: TestHub, org: str, user: str, role: Role) -> None:
    hub.write(lambda conn: commands.add_member(conn, org, user, role, hub.clock()))


def is_there(hub: TestHub, path: str) -> bool:
    found = select(repos.c.id).where(repos.c.path == path)
    return hub.read(lambda conn: conn.execute(found).first()) is not None


def test_a_renamed_repository_is_found_under_both_names(alice: Browser, shelf: Shelf):
    answer = alice.post(f"{SETTINGS}/name", owner="alice", name=" Better-Name ")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/alice/Better-Name/settings?renamed",
    )
    page = alice.seen(answer.headers["location"])
    assert "It has a new name" in page.text
    assert page.value("name") == "Better-Name"
    assert alice.get("/alice/shelf").headers["location"] == "/alice/Better-Name"
    again = Browser(alice.hub).get("/alice/shelf/tree/main")
    assert again.headers["location"] == "/alice/Better-Name/tree/main"


@on_sqlite
def test_a_name_that_cannot_be_had_is_said_at_its_field(alice: Browser, shelf: Shelf):
    Shelf(alice.hub, "alice/other").create()
    for owner, name, field, says in (
        ("alice", "", "name", "Choose a name"),
        ("alice", "a/b", "name", "not allowed"),
        ("alice", "..", "name", "not allowed"),
        ("alice", "Other", "name", "already exists"),
        ("bob", "shelf", "owner", "rights"),
        ("nobody", "shelf", "owner", "rights"),
        ("", "shelf", "owner", "rights"),
    ):
        answer = alice.post(f"{SETTINGS}/name", owner=owner, name=name)
        page = Seen(answer.text)
        assert (answer.status_code, page.describes(field)) == (422, f"{field}-wrong"), name
        assert says in page.text
        assert page.value("name") == name
    assert is_there(alice.hub, "alice/shelf")


def test_a_repository_moves_to_an_organisation(alice: Browser, shelf: Shelf, another: More):
    answer = alice.post(f"{SETTINGS}/name", owner="acme", name="shelf")
    assert answer.headers["location"] == "/acme/shelf/settings?renamed"
    # Who may only write there gives away what is theirs, and comes to its page.
    join(alice.hub, "acme", "bob", Role.WRITE)
    made = {"name": "mine", "type": "model"}
    bob = another("bob")
    alice.hub.post("/api/repos/create", token=alice.hub.tokens.bob, json=made)
    answer = bob.post("/bob/mine/settings/name", owner="acme", name="given")
    assert answer.headers["location"] == "/acme/given"
    assert "/acme/given/settings" not in bob.seen("/acme/given").links()
    assert bob.get("/acme/given/settings").status_code == 403


def test_who_sees_it_changes_at_once(alice: Browser, shelf: Shelf):
    stranger = Browser(alice.hub)
    assert stranger.get("/alice/shelf").status_code == 200
    answer = alice.post(f"{SETTINGS}/visibility", visibility="private")
    assert answer.headers["location"] == f"{SETTINGS}?private"
    page = alice.json(SETTINGS)
    assert page["repo"]["private"] is True
    assert page["access"]["reads"] == "alice"
    assert stranger.get("/alice/shelf").status_code == 404
    assert "alice/shelf" not in stranger.seen("/models").text
    assert alice.post(f"{SETTINGS}/visibility", visibility="public").status_code == 303
    assert "alice/shelf" in stranger.seen("/models").text
    answer = alice.post(f"{SETTINGS}/visibility", visibility="protected")
    assert answer.status_code == 422
    assert Seen(answer.text).describes("visibility") == "visibility-wrong"


def test_a_repository_goes_once_its_whole_name_is_typed(alice: Browser, shelf: Shelf):
    for typed in ("", "shelf", "Alice/Shelf", "alice/shelf2"):
        answer = alice.post(f"{SETTINGS}/delete", typed=typed)
        assert answer.status_code == 422
        assert Seen(answer.text).describes("typed") == "typed-wrong"
    assert is_there(alice.hub, "alice/shelf")
    answer = alice.post(f"{SETTINGS}/delete", typed=" alice/shelf ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/alice?deleted")
    assert "The repository is deleted." in alice.seen("/alice?deleted").text
    assert alice.get("/alice/shelf").status_code == 404
    Shelf(alice.hub).create()
    alice.hub.run_jobs()
    assert alice.get("/alice/shelf").status_code == 200


@on_sqlite
def test_a_form_that_was_open_for_long_deletes_nothing_else(alice: Browser, shelf: Shelf):
    alice.post(f"{SETTINGS}/name", owner="alice", name="precious")
    answer = alice.post(f"{SETTINGS}/delete", typed="alice/shelf")
    assert answer.headers["location"] == "/alice/precious/settings/delete"
    assert answer.status_code == 307
    assert alice.post(answer.headers["location"], typed="alice/shelf").status_code == 422
    assert is_there(alice.hub, "alice/precious")


@on_sqlite
def test_only_the_hubs_own_pages_change_it(alice: Browser, shelf: Shelf):
    bob = Browser(alice.hub)
    bob.get("/login")
    for path, form in (
        ("name", {"owner": "alice", "name": "gone"}),
        ("visibility", {"visibility": "private"}),
        ("delete", {"typed": "alice/shelf"}),
        ("storage/delete", {"file": "x"}),
    ):
        for csrf in ({}, {"csrf": ""}, {"csrf": bob.csrf}):
            assert alice.send(f"{SETTINGS}/{path}", {**form, **csrf}).status_code == 403
    assert alice.json(SETTINGS)["repo"]["private"] is False


@on_sqlite
def test_a_private_one_is_as_good_as_none_to_others(alice: Browser, shelf: Shelf, another: More):
    bob, stranger = another("bob"), Browser(alice.hub)
    for page in ("settings", "settings/storage"):
        assert bob.get(f"/alice/shelf/{page}").status_code == 403
        assert stranger.get(f"/alice/shelf/{page}").status_code == 404
    alice.post(f"{SETTINGS}/visibility", visibility="private")
    for one in (bob, stranger):
        one.get("/login")
        for path, form in (
            ("settings/name", {"owner": "alice", "name": "x"}),
            ("settings/visibility", {"visibility": "x"}),
            ("settings/delete", {"typed": "alice/none0"}),
            ("settings/storage/delete", {}),
            ("likers", None),
            ("settings", None),
        ):
            seen = [
                one.get(f"/alice/{name}/{path}")
                if form is None
                else one.post(f"/alice/{name}/{path}", **form)
                for name in ("shelf", "none0")
            ]
            assert {answer.status_code for answer in seen} == {404}, path
            texts = {
                answer.text.replace("none0", "shelf").replace("none%21", "shelf") for answer in seen
            }
            assert len(texts) == 1, path


@on_sqlite
def test_a_contributor_rules_over_what_is_theirs_alone(alice: Browser, shelf: Shelf, another: More):
    join(alice.hub, "acme", "bob", Role.CONTRIBUTOR)
    Shelf(alice.hub, "acme/hers").create()
    made = {"name": "his", "organization": "acme", "type": "model"}
    assert alice.hub.post("/api/repos/create", token=alice.hub.tokens.bob, json=made).is_success
    bob = another("bob")
    assert bob.get("/acme/hers/settings").status_code == 403
    for path, form in (
        ("delete", {"typed": "acme/hers"}),
        ("visibility", {"visibility": "private"}),
        ("name", {"owner": "bob", "name": "mine"}),
        ("storage/delete", {"file": "x"}),
    ):
        assert bob.post(f"/acme/hers/settings/{path}", **form).status_code == 403
    access = bob.json("/acme/his/settings")["access"]
    assert "bob, who made it" in access["administers"]
    assert access["manage"] is None
    assert bob.post("/acme/his/settings/visibility", visibility="private").status_code == 303
    access = alice.json("/acme/his/settings")["access"]
    assert access["reads"] == "members of acme"
    assert access["manage"] == "/organizations/acme/settings"
    roles = {one["name"]: one["role"] for one in access["members"]}
    assert roles == {"alice": "admin", "bob": "contributor"}


def test_files_are_deleted_for_good(alice: Browser, shelf: Shelf):
    small, large = b"small" * 10, b"large" * 100
    lines = [
        ("lfsFile", {"path": f"{name}.bin", **shelf.upload(content)})
        for name, content in (("small", small), ("large", large))
    ]
    assert shelf.commit(lines=lines).is_success
    page = alice.json(f"{SETTINGS}/storage")
    assert [(one["name"], one["size"]) for one in page["files"]] == [
        ("large.bin", len(large)),
        ("small.bin", len(small)),
    ]
    assert page["storage"]["logical"] == {"files": 2, "bytes": len(small) + len(large)}
    answer = alice.post(f"{SETTINGS}/storage/delete")
    assert answer.status_code == 422
    assert "Choose the files" in Seen(answer.text).text
    ids = {one["name"]: one["id"] for one in page["files"]}
    head = shelf.head()
    answer = alice.post(f"{SETTINGS}/storage/delete", file=ids["small.bin"])
    assert answer.headers["location"] == f"{SETTINGS}/storage?deleted"
    assert "Deleted for good" in alice.seen(answer.headers["location"]).text
    assert (shelf.head(), shelf.file("small.bin").status_code) == (head, 404)
    assert shelf.file("large.bin").content == large
    assert alice.post(f"{SETTINGS}/storage/delete", file=ids["small.bin"]).status_code == 404
    alice.post(f"{SETTINGS}/storage/delete", file=ids["large.bin"], rewrite="true")
    assert shelf.head() != head
    assert "large.bin" not in shelf.paths()
    assert alice.json(f"{SETTINGS}/storage")["files"] == []


def looked_at(conn: Connection, hub: TestHub) -> tuple[Actor, Repo]:
    """The repository as somebody saw it before another did something."""
    user = account(conn, "alice")
    assert user is not None
    return Actor(user), reach(conn, ANONYMOUS, RepoType.MODEL, "alice/shelf", Action.READ)


def test_what_was_deleted_or_renamed_meanwhile_stays_so(hub: TestHub, shelf: Shelf):
    actor, repo = hub.read(lambda conn: looked_at(conn, hub))

    def renamed(conn: Connection) -> str:
        return rename(conn, actor, repo, "alice", "later", base="http://x", now=hub.clock())

    hub.write(
        lambda conn: rename(conn, actor, repo, "alice", "first", base="http://x", now=hub.clock())
    )
    with pytest.raises(HubError) as refused:
        hub.write(renamed)
    assert (refused.value.status, is_there(hub, "alice/first")) == (409, True)
    hub.write(lambda conn: delete_repo(conn, repo, hub.clock()))
    for late in (renamed, lambda conn: open_or_close(conn, repo, True, hub.clock())):
        with pytest.raises(HubError) as refused:
            hub.write(late)
        assert refused.value.status == 409
        assert "just now" in refused.value.message
    hub.run_jobs()
    assert not is_there(hub, "alice/later")

# SPDX-License-Identifier: Apache-2.0
"""Pages of users and organisations, who may change them, and the form for a new repository."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from hubkeep.identity import commands
from hubkeep.identity.actor import Role
from hubkeep.identity.names import RESERVED
from hubkeep.identity.own import set_member
from hubkeep.identity.queries import account
from hubkeep.routes import all_routes
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.repos.world import World
from tests.web.browser import Browser, Seen

More = Callable[[str], Browser]
SETTINGS = "/organizations/acme/settings"
MEMBERS = f"{SETTINGS}/members"
PAIR = ("alice", "bob")


@pytest.fixture
def world(hub: TestHub) -> World:
    """Repositories of acme's and alice's, some of them private."""
    made = World(hub)
    made.repo("acme/open")
    made.repo("acme/closed", private=True)
    made.repo("acme/words", kind="dataset")
    made.repo("alice/own", private=True)
    return made


def join_acme(hub: TestHub, name: str, role: Role) -> None:
    hub.write(lambda conn: commands.add_member(conn, "acme", name, role, hub.clock()))


def roles(browser: Browser) -> dict[str, str | None]:
    return {one["name"]: one["role"] for one in browser.json("/acme")["members"]}


def shelves(browser: Browser, path: str) -> dict[str, tuple[int, set[str]]]:
    return {
        shelf["kind"]: (shelf["count"], {repo["id"] for repo in shelf["repos"]})
        for shelf in browser.json(path)["shelves"]
    }


def test_an_account_shows_what_the_visitor_may_see(world: World, alice: Browser, another: More):
    stranger, bob = Browser(world.hub), another("bob")
    public = {"model": (1, {"acme/open"}), "dataset": (1, {"acme/words"})}
    for one in (stranger, bob):
        assert shelves(one, "/acme") == public
        assert shelves(one, "/ALICE") == {}
        assert roles(one) == {"alice": None}
        assert one.json("/acme")["settings"] is None
    everything = {"model": (2, {"acme/open", "acme/closed"}), "dataset": (1, {"acme/words"})}
    assert shelves(alice, "/acme") == everything
    assert shelves(alice, "/alice") == {"model": (1, {"alice/own"})}
    assert roles(alice) == {"alice": "admin"}
    page = alice.seen("/acme")
    assert SETTINGS in page.links()
    assert "acme/closed" in page.text
    assert "acme/closed" not in stranger.seen("/acme").text
    assert [one["name"] for one in stranger.json("/alice")["organizations"]] == ["acme"]


def test_what_somebody_likes_is_told_as_far_as_the_visitor_sees_it(world: World, alice: Browser):
    for name in ("open", "closed"):
        token = world.hub.tokens.alice
        assert world.hub.post(f"/api/models/acme/{name}/like", token=token).status_code == 200
    assert alice.json("/alice")["numLikes"] == 2
    stranger = Browser(world.hub).json("/alice")
    assert stranger["numLikes"] == 1
    assert [one["name"] for one in stranger["likes"]] == ["acme/open"]


CARD = b"---\ntitle: Us\n---\n# Who we are\n\n<script>alert(1)</script>\n\n[more](docs/more.md)\n"


def test_an_account_shows_the_card_that_it_wrote(alice: Browser):
    Shelf(alice.hub, "acme/README").create().commit({"README.md": b"# Of the model\n"})
    assert "Of the model" in alice.seen("/acme").text
    space = Shelf(alice.hub, "acme/README", "spaces").create(sdk="static", private=True)
    space.commit({"README.md": CARD})
    page = alice.seen("/acme")
    assert "Who we are" in page.text
    assert "Of the model" not in page.text
    assert "/spaces/acme/README/blob/main/docs/more.md" in page.links()
    assert "alert" not in page.text
    # A private one is for who may read it; others see what is left.
    card = Browser(alice.hub).json("/acme")["card"]
    assert (card["repo"], card["href"]) == ("acme/README", "/acme/README")
    assert "Who we are" not in card["html"]
    assert alice.json("/alice")["card"] is None


@on_sqlite
def test_nobody_and_the_disabled_are_not_there(alice: Browser):
    alice.hub.write(lambda conn: commands.set_disabled(conn, "bob", True, alice.hub.clock()))
    for name in ("nobody", "bob", "a%00b", "%F0%9F%98%80"):
        assert alice.get(f"/{name}").status_code == 404


def test_no_account_is_called_as_the_hub_calls_its_own_pages():
    first = {route.pattern.strip("/").partition("/")[0] for route in all_routes()}
    assert {one for one in first if one and not one.startswith("{")} <= RESERVED


def test_who_makes_an_organisation_administers_it(browser: Browser):
    browser.sign_in("bob")
    form = {"name": "lab", "fullname": "The Lab", "type": "university", "about": "Small models."}
    answer = browser.post("/organizations/new", **form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/lab")
    page = browser.json("/lab")
    assert (page["fullname"], page["orgType"], page["about"]) == (
        "The Lab",
        "university",
        "Small models.",
    )
    assert page["members"] == [{"name": "bob", "fullname": "Bob", "role": "admin"}]
    for name, says in (("Alice", "is taken"), ("new", "is reserved"), ("", "Choose a name")):
        answer = browser.post("/organizations/new", **{**form, "name": name})
        assert answer.status_code == 422
        assert says in Seen(answer.text).text
        assert Seen(answer.text).value("fullname") == "The Lab"


@on_sqlite
def test_only_administrators_change_an_organisation(alice: Browser, another: More):
    join_acme(alice.hub, "bob", Role.WRITE)
    bob = another("bob")
    assert bob.get(SETTINGS).status_code == 403
    assert bob.post(SETTINGS, fullname="Bob's").status_code == 403
    assert bob.post(MEMBERS, name="bob", role="admin").status_code == 403
    assert Browser(alice.hub).get(SETTINGS).headers["location"].startswith("/login?next=")
    assert alice.post("/organizations/nothing/settings", fullname="x").status_code == 404
    assert alice.post("/organizations/bob/settings", fullname="x").status_code == 404
    form = {"fullname": "Acme Inc.", "type": "company", "about": "x", "default_private": "true"}
    assert alice.post(SETTINGS, **form).headers["location"] == f"{SETTINGS}?saved"
    assert alice.json("/acme")["fullname"] == "Acme Inc."
    assert alice.post(SETTINGS, fullname="x", type="sect").status_code == 422
    # An administrator of the hub may, too.
    assert another("root").get(SETTINGS).status_code == 200


def test_members_come_change_and_go(alice: Browser):
    assert alice.post(MEMBERS, name=" Bob ", role="read").status_code == 303
    assert roles(alice) == {"alice": "admin", "bob": "read"}
    assert alice.post(MEMBERS, name="bob", role="write").status_code == 303
    assert roles(alice)["bob"] == "write"
    for name, role, says in (
        ("nobody", "read", "Nobody here is called"),
        ("acme", "read", "Nobody here is called"),
        ("bob", "king", "Choose one of the roles"),
        ("root", "", "is no member"),
    ):
        answer = alice.post(MEMBERS, name=name, role=role)
        assert answer.status_code == 422
        assert says in Seen(answer.text).text
    assert alice.post(MEMBERS, name="bob", role="").status_code == 303
    assert roles(alice) == {"alice": "admin"}


def test_the_last_administrator_cannot_leave(alice: Browser, another: More):
    assert alice.post(MEMBERS, name="alice", role="").status_code == 422
    assert alice.post(MEMBERS, name="alice", role="read").status_code == 422
    assert alice.post("/organizations/acme/leave").status_code == 409
    assert alice.post(MEMBERS, name="bob", role="admin").status_code == 303
    alice.hub.write(lambda conn: commands.set_disabled(conn, "bob", True, alice.hub.clock()))
    assert alice.post("/organizations/acme/leave").status_code == 409
    alice.hub.write(lambda conn: commands.set_disabled(conn, "bob", False, alice.hub.clock()))
    assert alice.post("/organizations/acme/leave").headers["location"] == "/acme"
    assert roles(another("bob")) == {"bob": "admin"}
    assert alice.get(SETTINGS).status_code == 403


def test_of_two_administrators_who_leave_at_once_one_stays(alice: Browser):
    """Each sees the other still there, unless one waits until the other is gone."""
    hub = alice.hub
    users = {name: hub.read(lambda conn, name=name: account(conn, name)) for name in PAIR}
    org = hub.read(lambda conn: account(conn, "acme"))
    for _ in range(5):
        for name in PAIR:
            join_acme(hub, name, Role.ADMIN)
        both = Barrier(2)

        def leave(name: str, both: Barrier = both) -> bool:
            both.wait(30)
            try:
                hub.write(lambda conn: set_member(conn, org, users[name], None, hub.clock()))
            except commands.Refused:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(leave, PAIR)) == [False, True]


def test_a_repository_is_made_as_the_api_makes_it(alice: Browser):
    assert alice.seen("/new?type=dataset&owner=acme").value("name") == ""
    page = alice.json("/new?type=dataset&owner=acme")
    assert {one["name"]: one["value"] for one in page["fields"]} == {
        "type": "dataset",
        "owner": "acme",
        "name": "",
        "license": "",
        "sdk": "gradio",
        "visibility": "",
    }
    form = {"type": "space", "owner": "acme", "name": "demo", "license": "mit", "sdk": "static"}
    answer = alice.post("/new", **form, visibility="private")
    assert (answer.status_code, answer.headers["location"]) == (303, "/spaces/acme/demo")
    made = alice.hub.get("/api/spaces/acme/demo", token=alice.hub.tokens.alice).json()
    assert (made["private"], made["sdk"], made["cardData"]["license"]) == (True, "static", "mit")
    assert {file["rfilename"] for file in made["siblings"]} == {".gitattributes", "README.md"}
    again = alice.post("/new", **form)
    assert again.status_code == 422
    assert "already exists" in Seen(again.text).text
    assert Seen(again.text).value("name") == "demo"


@on_sqlite
def test_an_organisation_that_is_private_by_default_makes_private_repositories(alice: Browser):
    alice.post(SETTINGS, fullname="Acme", default_private="true")
    for visibility, private in (("", True), ("public", False)):
        name = f"by-{visibility}x"
        assert alice.post("/new", owner="acme", name=name, visibility=visibility).status_code == 303
        token = alice.hub.tokens.alice
        assert alice.hub.get(f"/api/models/acme/{name}", token=token).json()["private"] is private


@on_sqlite
@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "x.git"}, "name"),
        ({"type": "bucket"}, "type"),
        ({"type": "space", "sdk": "perl"}, "sdk"),
        ({"license": "my own"}, "license"),
        ({"visibility": "protected"}, "visibility"),
        ({"owner": "bob"}, "owner"),
        ({"owner": "nobody"}, "owner"),
    ],
)
def test_a_repository_that_cannot_be_made_is_not(alice: Browser, form: dict[str, str], field: str):
    answer = alice.post("/new", **{"name": "fresh", "owner": "alice", **form})
    page = Seen(answer.text)
    assert answer.status_code == 422
    assert page.describes(field) == f"{field}-wrong"
    assert alice.json("/alice")["shelves"] == []


@on_sqlite
def test_one_makes_things_only_where_one_may(alice: Browser, another: More):
    join_acme(alice.hub, "bob", Role.READ)
    bob = another("bob")
    owner = next(one for one in bob.json("/new")["fields"] if one["name"] == "owner")
    assert [one["value"] for one in owner["choices"]] == ["bob"]
    assert bob.post("/new", owner="acme", name="x").status_code == 422
    assert not bob.json("/acme")["mayCreate"]
    join_acme(alice.hub, "bob", Role.CONTRIBUTOR)
    assert bob.post("/new", owner="acme", name="x").status_code == 303

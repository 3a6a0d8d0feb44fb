# SPDX-License-Identifier: Apache-2.0
"""What the hub says of callers, users and organisations, on both databases."""

import pytest

from hubkeep.kit.time import wire
from tests.harness.hub import BASE, TestHub
from tests.repos.world import World


@pytest.fixture
def world(hub: TestHub) -> World:
    """A hub with an organisation of ada's and ben's, a stranger, and an administrator."""
    made = World(hub)
    made.user("ada", fullname="Ada L.", email="ada@example.org")
    made.user("ben")
    made.user("eve")
    made.user("boss", is_admin=True)
    made.org("lab", ada="admin", ben="read")
    return made


def test_whoami_says_who_by_which_token_and_in_which_organisations(world: World):
    me = world.call("GET", "/api/whoami-v2", "ada").json()
    assert me["type"] == "user"
    assert (me["name"], me["fullname"], me["email"]) == ("ada", "Ada L.", "ada@example.org")
    assert me["avatarUrl"] == f"{BASE}/avatars/ada.svg"
    assert me["auth"]["type"] == "access_token"
    token = me["auth"]["accessToken"]
    assert (token["displayName"], token["role"]) == ("ada", "write")
    assert token["createdAt"] == wire(world.hub.clock())
    (org,) = me["orgs"]
    assert (org["name"], org["type"], org["roleInOrg"]) == ("lab", "org", "admin")


def test_whoami_needs_a_token_that_is_in_force(world: World):
    assert world.call("GET", "/api/whoami-v2").status_code == 401
    bad = world.call("GET", "/api/whoami-v2", "unknown")
    assert bad.status_code == 401
    assert bad.headers["x-error-message"] == "Invalid credentials in Authorization header"
    world.disable("ben")
    assert world.call("GET", "/api/whoami", "ben").status_code == 401


@pytest.mark.parametrize(("who", "models"), [(None, 1), ("eve", 1), ("ada", 2), ("boss", 2)])
def test_an_overview_counts_what_the_viewer_may_see(world: World, who: str | None, models: int):
    world.repo("ada/open")
    world.repo("ada/closed", private=True)
    world.repo("ada/data", kind="dataset")
    world.repo("ada/gone", kind="deleted", private=True)
    overview = world.call("GET", "/api/users/Ada/overview", who).json()
    assert (overview["numModels"], overview["numDatasets"], overview["numSpaces"]) == (models, 1, 0)
    assert [org["name"] for org in overview["orgs"]] == ["lab"]


@pytest.mark.parametrize(("who", "models"), [(None, 0), ("eve", 0), ("ben", 1)])
def test_an_organisation_counts_private_models_for_members(world: World, who: str, models: int):
    world.repo("lab/closed", private=True)
    overview = world.call("GET", "/api/organizations/lab/overview", who).json()
    assert overview["numModels"] == models
    assert overview["numUsers"] == 2


def test_roles_are_shown_to_members_alone(world: World):
    members = world.call("GET", "/api/organizations/lab/members", "ben").json()
    assert {one["user"]: one["role"] for one in members} == {"ada": "admin", "ben": "read"}
    strangers = world.call("GET", "/api/organizations/lab/members", "eve").json()
    assert [one["user"] for one in strangers] == ["ada", "ben"]
    assert all("role" not in one for one in strangers)


def test_members_come_in_pages(world: World):
    first = world.call("GET", "/api/organizations/lab/members?limit=1")
    second = world.call("GET", first.links["next"]["url"])
    assert [first.json()[0]["user"], second.json()[0]["user"]] == ["ada", "ben"]


def test_users_and_organisations_are_not_each_other(world: World):
    for path in ("users/lab/overview", "organizations/ada/overview", "users/nobody/followers"):
        assert world.call("GET", f"/api/{path}").status_code == 404


def test_nobody_follows_anybody_and_following_is_refused_by_name(world: World):
    assert world.call("GET", "/api/users/ada/followers").json() == []
    assert world.call("GET", "/api/organizations/lab/followers").json() == []
    refused = world.call("POST", "/api/users/ada/follow", "ben")
    assert refused.status_code == 501
    assert refused.headers["x-error-code"] == "NotImplemented"


def test_an_avatar_is_a_picture_that_depends_on_the_name_alone(world: World):
    url = world.call("GET", "/api/users/ada/avatar").json()["avatarUrl"]
    picture = world.call("GET", url)
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.content == world.call("GET", "/avatars/ADA.svg").content
    assert picture.content != world.call("GET", "/avatars/ben.svg").content
    assert b"ada" not in picture.content
    for name in ("%3Cscript%3E.svg", "ada", ".svg"):
        assert world.call("GET", f"/avatars/{name}").status_code == 404


def test_what_a_namespace_stores_is_for_its_owners(world: World):
    world.repo("ada/m", used_storage=7)
    world.repo("lab/d", kind="dataset", private=True, used_storage=9)
    (own,) = world.call("GET", "/api/settings/repositories", "ada").json()
    assert (own["id"], own["type"], own["visibility"], own["storage"]) == (
        "ada/m",
        "model",
        "public",
        7,
    )
    (theirs,) = world.call("GET", "/api/organizations/lab/settings/repositories", "ada").json()
    assert (theirs["id"], theirs["visibility"], theirs["storage"]) == ("lab/d", "private", 9)
    path = "/api/organizations/lab/settings/repositories"
    assert [world.call("GET", path, who).status_code for who in (None, "ben", "eve", "boss")] == [
        401,
        403,
        403,
        200,
    ]

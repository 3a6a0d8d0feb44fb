# SPDX-License-Identifier: Apache-2.0
"""Moving, opening, closing and deleting repositories over HTTP, on both databases."""

import pytest

from hubkeep.repos.jobs import purge_deleted
from tests.harness.hub import BASE
from tests.repos.world import World


def move(world: World, old: str, new: str, who: str | None = "ada"):
    return world.call("POST", "/api/repos/move", who, json={"fromRepo": old, "toRepo": new})


def delete(world: World, name: str, who: str | None = "ada", **body: object):
    return world.call("DELETE", "/api/repos/delete", who, json={"name": name, **body})


def shown_at(world: World, path: str, who: str | None = "ada") -> str | int:
    """The name of what an address leads to, over redirects; the status where it leads nowhere."""
    answer = world.call("GET", f"/api/models/{path}?expand=author", who)
    if answer.status_code == 307:
        answer = world.call("GET", answer.headers["location"], who)
    return answer.json()["id"] if answer.status_code == 200 else answer.status_code


def test_an_old_name_leads_to_the_new_one_from_both_namespaces(world: World):
    world.repo("ada/m")
    assert move(world, "ada/m", "ada/n").json() == {"url": f"{BASE}/ada/n", "name": "ada/n"}
    assert move(world, "ada/n", "lab/o").status_code == 200
    for name in ("ada/m", "ada/n", "ADA/N", "lab/o"):
        assert shown_at(world, name) == "lab/o"


def test_a_redirect_keeps_path_and_query_and_is_relative(world: World):
    world.repo("ada/m")
    move(world, "ada/m", "ada/n")
    answer = world.call("GET", "/api/models/ada/m/tree/main/a%2Fb?recursive=true&expand=false")
    assert answer.status_code == 307
    assert answer.headers["location"] == (
        "/api/models/ada/n/tree/main/a%2Fb?recursive=true&expand=false"
    )


def test_moving_back_ends_the_redirect(world: World):
    world.repo("ada/m")
    move(world, "ada/m", "ada/n")
    move(world, "ada/n", "ada/m")
    assert shown_at(world, "ada/m") == "ada/m"
    assert shown_at(world, "ada/n") == "ada/m"


def test_a_change_of_case_alone_is_a_move_too(world: World):
    world.repo("ada/model")
    assert move(world, "ada/model", "ada/Model").status_code == 200
    assert shown_at(world, "ada/model") == "ada/Model"


def test_an_old_name_may_be_given_to_a_new_repository(world: World):
    world.repo("ada/m")
    move(world, "ada/m", "lab/m")
    made = world.call("POST", "/api/repos/create", "ada", json={"name": "m"})
    assert made.status_code == 200
    assert shown_at(world, "ada/m") == "ada/m"
    assert shown_at(world, "lab/m") == "lab/m"


def test_a_move_needs_rights_at_both_ends_and_a_free_name(world: World):
    world.repo("ada/m")
    world.repo("ada/taken")
    world.repo("ada/closed", private=True)
    assert move(world, "ada/m", "ben/m").status_code == 403
    assert move(world, "ada/m", "ben/m", "ben").status_code == 403
    assert move(world, "ada/closed", "ben/m", "ben").status_code == 404
    assert move(world, "ada/m", "ada/x", None).status_code == 401
    assert move(world, "ada/m", "nowhere/m").status_code == 403
    assert move(world, "ada/m", "ada/--").status_code == 400
    assert move(world, "ada/m", "m").status_code == 400
    taken = move(world, "ada/m", "ada/TAKEN")
    assert taken.status_code == 409
    assert "A model repository called ada/taken already exists" in taken.json()["error"]


def test_an_old_name_is_told_only_to_who_may_see_the_new_one(world: World):
    world.repo("ada/m", private=True)
    move(world, "ada/m", "lab/n")
    asked = world.call("GET", "/api/models/ada/m", "ben")
    assert asked.status_code == 404
    assert "lab" not in asked.text


def test_an_old_name_in_a_body_does_nothing(world: World):
    world.repo("ada/m")
    move(world, "ada/m", "ada/n")
    answer = delete(world, "m")
    assert answer.status_code == 404
    assert answer.headers["x-error-code"] == "RepoNotFound"
    assert shown_at(world, "ada/n") == "ada/n"


@pytest.mark.anyio
async def test_a_deleted_name_is_free_at_once(world: World):
    create = {"name": "m", "files": [{"path": "a.txt", "content": "YQ=="}]}
    world.call("POST", "/api/repos/create", "ada", json=create)
    world.call("POST", "/api/models/ada/m/like", "ben")
    assert delete(world, "m").status_code == 200
    assert delete(world, "m").headers["x-error-code"] == "RepoNotFound"
    assert shown_at(world, "ada/m") == 404
    assert world.call("GET", "/ada/m/resolve/main/a.txt", "ada").status_code == 404
    assert world.call("GET", "/api/users/ben/likes", "ben").json() == []
    assert world.call("GET", "/api/settings/repositories", "ada").json() == []
    assert world.call("POST", "/api/repos/create", "ada", json={"name": "m"}).status_code == 200
    assert await purge_deleted(world.hub.app) == 1
    assert world.call("GET", "/ada/m/resolve/main/a.txt", "ada").status_code == 404
    assert world.call("GET", "/ada/m/resolve/main/.gitattributes", "ada").status_code == 200


def test_deleting_a_moved_repository_frees_all_its_names(world: World):
    world.repo("ada/m")
    move(world, "ada/m", "ada/n")
    assert delete(world, "n").status_code == 200
    assert shown_at(world, "ada/m") == 404


def test_deleting_what_is_in_an_organisation(world: World):
    world.repo("lab/d", kind="dataset")
    assert delete(world, "d", "ben", organization="lab", type="dataset").status_code == 403
    assert delete(world, "d", organization="lab").status_code == 404
    assert delete(world, "d", organization="lab", type="dataset").status_code == 200


def test_closing_and_opening(world: World):
    world.repo("ada/m")
    settings = "/api/models/ada/m/settings"
    for body, status in (
        ({"visibility": "private"}, 404),
        ({"private": False}, "ada/m"),
        ({"private": True}, 404),
        ({"visibility": "public", "gated": False}, "ada/m"),
        ({}, "ada/m"),
    ):
        answer = world.call("PUT", settings, "ada", json=body)
        assert answer.status_code == 200
        assert answer.json()["private"] is (status == 404)
        assert shown_at(world, "ada/m", "ben") == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"gated": "auto"}, 501),
        ({"gated": "manual", "private": True}, 501),
        ({"gated": True}, 400),
        ({"visibility": "protected"}, 501),
        ({"discussionsDisabled": True}, 400),
        ({"visibility": "public", "private": True}, 400),
    ],
)
def test_settings_that_are_refused_change_nothing(world: World, body: dict, status: int):
    repo = world.repo("ada/m")
    assert world.call("PUT", "/api/models/ada/m/settings", "ada", json=body).status_code == status
    assert world.row(repo)["private"] is False

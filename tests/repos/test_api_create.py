# SPDX-License-Identifier: Apache-2.0
"""Making repositories over HTTP, on both databases."""

import base64

import pytest

from tests.harness.hub import BASE
from tests.repos.world import World


def create(world: World, who: str | None = "ada", **body: object):
    return world.call("POST", "/api/repos/create", who, json=body)


def info(world: World, path: str, who: str | None = "ada") -> dict:
    answer = world.call("GET", f"/api/{path}", who)
    assert answer.status_code == 200, answer.text
    return answer.json()


def files(world: World, path: str) -> list[str]:
    return [one["rfilename"] for one in info(world, path)["siblings"]]


@pytest.mark.parametrize(
    ("kind", "api", "web"),
    [
        (None, "models", ""),
        ("model", "models", ""),
        ("dataset", "datasets", "datasets/"),
        ("kernel", "kernels", "kernels/"),
    ],
)
def test_a_new_repository_has_an_address_and_a_first_commit(
    world: World, kind: str | None, api: str, web: str
):
    made = create(world, name="new", organization=None, **({"type": kind} if kind else {}))
    assert made.status_code == 200
    answer = made.json()
    assert answer["url"] == f"{BASE}/{web}ada/new"
    assert answer["name"] == "ada/new"
    shown = info(world, f"{api}/ada/new")
    assert shown["_id"] == answer["id"]
    assert len(shown["sha"]) == 40
    assert files(world, f"{api}/ada/new") == [".gitattributes"]


def test_a_space_says_its_sdk_in_its_card(world: World):
    for sdk in ("gradio", "static"):
        assert create(world, name=sdk, type="space", sdk=sdk).status_code == 200
        assert info(world, f"spaces/ada/{sdk}")["sdk"] == sdk
        assert "README.md" in files(world, f"spaces/ada/{sdk}")


@pytest.mark.parametrize("sdk", [None, "fortran"])
def test_a_space_needs_an_sdk_that_exists(world: World, sdk: str | None):
    answer = create(world, name="s", type="space", sdk=sdk)
    assert answer.status_code == 400
    assert "must be one of [gradio, docker, static, streamlit]" in answer.json()["error"]


def test_the_javascript_client_sends_a_licence_and_files(world: World):
    content = base64.b64encode(b"hello").decode()
    file = {"encoding": "base64", "path": "docs/hello.txt", "content": content}
    made = create(world, name="js", license="mit", files=[file], private=False)
    assert made.status_code == 200
    assert files(world, "models/ada/js") == [".gitattributes", "README.md", "docs/hello.txt"]
    assert "license:mit" in info(world, "models/ada/js")["tags"]
    assert world.call("GET", "/ada/js/raw/main/docs/hello.txt").content == b"hello"


@pytest.mark.parametrize("path", ["../up", "/etc/passwd", ".git/config", "a\0b", "a//b"])
def test_first_files_stay_inside_the_repository(world: World, path: str):
    answer = create(world, name="js", files=[{"path": path, "content": ""}])
    assert answer.status_code in (400, 422), answer.text
    assert world.call("GET", "/api/models/ada/js", "ada").status_code == 404


def test_a_taken_name_is_a_conflict_that_says_where(world: World):
    create(world, name="Taken")
    for name in ("Taken", "tAKEN"):
        answer = create(world, name=name)
        assert answer.status_code == 409
        assert answer.json()["url"] == f"{BASE}/ada/Taken"
        assert "A model repository called ada/Taken already exists" in answer.json()["error"]
    assert create(world, name="Taken", type="dataset").status_code == 200


@pytest.mark.parametrize(
    "name", ["", "a/b", "-x", "x.", "a--b", "a..b", "x.git", "é", "a b", "x" * 97, ".", ".."]
)
def test_bad_names_are_refused_in_words(world: World, name: str):
    answer = create(world, name=name)
    assert answer.status_code == 400
    assert "not allowed" in answer.json()["error"]


def test_private_by_wish_or_by_the_organisation(world: World):
    world.org("closed", default_private=True, ada="write")
    wishes = [
        ({}, False),
        ({"private": True}, True),
        ({"visibility": "private"}, True),
        ({"organization": "closed"}, True),
        ({"organization": "closed", "visibility": "public"}, False),
    ]
    for number, (wish, private) in enumerate(wishes):
        body = {"name": f"n{number}", **wish}
        path = create(world, **body).json()["name"]
        assert info(world, f"models/{path}")["private"] is private
    assert create(world, name="x", private=True, visibility="public").status_code == 400


@pytest.mark.parametrize(
    "field", ["hardware", "secrets", "template", "region", "resourceGroupId", "sleepTimeSeconds"]
)
def test_what_is_not_built_is_refused_by_name(world: World, field: str):
    answer = create(world, name="s", type="space", sdk="static", **{field: "x"})
    assert answer.status_code == 501
    assert answer.headers["x-error-code"] == "NotImplemented"
    assert field in answer.json()["error"]
    assert create(world, name="s", type="space", sdk="static", **{field: None}).status_code == 200


def test_other_refusals(world: World):
    assert create(world, name="x", visibility="protected").status_code == 501
    assert create(world, name="x", type="bucket").status_code == 501
    assert create(world, name="x", type="thing").status_code == 400
    assert create(world, name="x", color="red").status_code == 400
    assert create(world, name="x", organization="nobody").status_code == 403
    assert create(world, "ben", name="x", organization="ada").status_code == 403
    assert create(world, None, name="x").status_code == 401


def test_contributors_rule_what_they_made_and_nothing_else(world: World):
    world.org("team", ada="admin", ben="contributor")
    create(world, "ben", name="own", organization="team")
    create(world, "ada", name="other", organization="team")
    statuses = [
        world.call("PUT", f"/api/models/team/{name}/settings", "ben", json={"private": True})
        for name in ("own", "other")
    ]
    assert [one.status_code for one in statuses] == [200, 403]


def test_a_copy_has_all_commits_and_its_own_life(world: World):
    create(world, name="first", license="mit", private=True)
    made = world.call(
        "POST", "/api/models/ada/first/duplicate", "ada", json={"repository": "lab/second"}
    )
    assert made.status_code == 200
    assert made.json()["url"] == f"{BASE}/lab/second"
    assert made.json()["filesCopyPending"] is False
    first, second = info(world, "models/ada/first"), info(world, "models/lab/second")
    for field in ("sha", "tags", "siblings", "usedStorage", "private"):
        assert first[field] == second[field]
    assert first["_id"] != second["_id"]
    world.call("DELETE", "/api/repos/delete", "ada", json={"name": "first"})
    assert files(world, "models/lab/second") == [".gitattributes", "README.md"]
    found = world.call("GET", "/lab/second/raw/main/README.md", "ada")
    assert b"license" in found.content


def test_a_copy_needs_a_source_that_is_seen_and_a_free_name(world: World):
    create(world, name="closed", private=True)
    create(world, name="open")
    duplicate = "/api/models/ada/{}/duplicate"
    calls = [
        (duplicate.format("closed"), "ben", "ben/x", 404),
        (duplicate.format("open"), "ben", "ada/x", 403),
        (duplicate.format("open"), "ben", "ben/x", 200),
        (duplicate.format("open"), "ben", "ben/X", 409),
        (duplicate.format("open"), None, "ben/x", 401),
        (duplicate.format("open"), "ben", "x", 400),
    ]
    for path, who, target, status in calls:
        answer = world.call("POST", path, who, json={"repository": target})
        assert answer.status_code == status, answer.text
        if status == 409:
            assert answer.json()["url"] == f"{BASE}/ben/x"

# SPDX-License-Identifier: Apache-2.0
"""Likes over HTTP, on both databases."""

from tests.repos.world import World


def liked(world: World, user: str, who: str | None = None) -> list[str]:
    return [
        one["repo"]["name"] for one in world.call("GET", f"/api/users/{user}/likes", who).json()
    ]


def test_liking_twice_counts_once(world: World):
    repo = world.repo("ada/m")
    for _ in range(2):
        assert world.call("POST", "/api/models/ada/m/like", "ben").status_code == 200
    assert world.row(repo)["likes"] == 1
    for _ in range(2):
        assert world.call("DELETE", "/api/models/ada/m/like", "ben").status_code == 200
    assert world.row(repo)["likes"] == 0


def test_likers_are_listed_page_by_page(world: World):
    world.repo("ada/m")
    for user in ("ada", "ben"):
        world.call("POST", "/api/models/ada/m/like", user)
    first = world.call("GET", "/api/models/ada/m/likers?limit=1")
    second = world.call("GET", first.links["next"]["url"])
    names = [first.json()[0]["user"], second.json()[0]["user"]]
    assert sorted(names) == ["ada", "ben"]
    assert "next" not in second.links
    assert first.json()[0].keys() >= {"user", "fullname", "avatarUrl", "type", "isPro"}


def test_a_private_repository_is_not_in_the_list_of_likes_of_who_liked_it(world: World):
    world.repo("ada/open")
    world.repo("ada/closed", private=True)
    world.repo("lab/closed", kind="dataset", private=True)
    for path in ("models/ada/open", "models/ada/closed", "datasets/lab/closed"):
        assert world.call("POST", f"/api/{path}/like", "ada").status_code == 200
    assert sorted(liked(world, "ada", "ada")) == ["ada/closed", "ada/open", "lab/closed"]
    assert liked(world, "ada", "ben") == ["ada/open"]
    assert liked(world, "ada") == ["ada/open"]


def test_a_like_needs_a_token_that_writes(world: World):
    world.repo("ada/m")
    world.token("ben", "reader", "read")
    assert world.call("POST", "/api/models/ada/m/like").status_code == 401
    assert world.call("POST", "/api/models/ada/m/like", "reader").status_code == 403


def test_likes_of_a_missing_user_are_404_and_a_bad_page_400(world: World):
    assert world.call("GET", "/api/users/nobody/likes").status_code == 404
    assert world.call("GET", "/api/users/lab/likes").status_code == 404
    assert world.call("GET", "/api/users/ada/likes?limit=0").status_code == 400
    assert world.call("GET", "/api/users/ada/likes?cursor=zzz").status_code == 400
    assert world.call("GET", "/api/users/ada/likes?page=2").status_code == 400

# SPDX-License-Identifier: Apache-2.0
"""Paths are matched before they are decoded."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.kit.routing import MAX_SEGMENTS, Match, Router, WrongMethod


@pytest.fixture
def router() -> Router[str]:
    made: Router[str] = Router()
    made.add("GET", "/", "root")
    made.add("GET", "/api/{T}/{ns}/{name}", "info")
    made.add("GET", "/api/{T}/{ns}/{name}/tree/{rev}", "tree")
    made.add("GET", "/api/{T}/{ns}/{name}/tree/{rev}/{path*}", "tree-path")
    made.add("POST", "/api/{T}/{ns}/{name}/commit/{rev}", "commit")
    made.add("GET", "/{ns}/{name}", "page")
    made.add("DELETE", "/{ns}/{name}", "delete", {"kind": "model"})
    made.add("GET", "/api/models/mine/{name}", "mine")
    return made


@pytest.mark.parametrize(
    ("path", "target", "params"),
    [
        ("/", "root", {}),
        ("/api/models/a/b", "info", {"T": "models", "ns": "a", "name": "b"}),
        ("/api/models/mine/b", "mine", {"name": "b"}),
        ("/a/b", "page", {"ns": "a", "name": "b"}),
        ("/api/x", "page", {"ns": "api", "name": "x"}),
    ],
)
def test_matches(router: Router[str], path: str, target: str, params: dict[str, str]):
    assert router.match("GET", path) == Match(target, params)
    assert router.match("HEAD", path) == Match(target, params)


def test_an_encoded_slash_stays_in_its_segment(router: Router[str]):
    one = router.match("GET", "/api/models/a/b/tree/refs%2Fpr%2F1")
    assert isinstance(one, Match)
    assert (one.target, one.params["rev"]) == ("tree", "refs/pr/1")
    deep = router.match("GET", "/api/models/a/b/tree/x%2Fy/dir/file%20one")
    assert isinstance(deep, Match)
    assert (deep.params["rev"], deep.params["path"]) == ("x/y", "dir/file one")


def test_literals_win_but_do_not_hide_other_routes(router: Router[str]):
    found = router.match("GET", "/api/models/mine/b/tree/main")
    assert isinstance(found, Match)
    assert found.params["ns"] == "mine"


def test_wrong_method_and_fixed_parameters(router: Router[str]):
    assert router.match("PUT", "/a/b") == WrongMethod(("DELETE", "GET", "HEAD"))
    assert router.match("GET", "/api/models/a/b/commit/main") == WrongMethod(("POST",))
    assert router.match("DELETE", "/a/b") == Match(
        "delete", {"kind": "model", "ns": "a", "name": "b"}
    )


@pytest.mark.parametrize("path", ["/a", "/a//b", "/a/b/c", "/" + "a/" * (MAX_SEGMENTS + 1)])
def test_nothing_there(router: Router[str], path: str):
    assert router.match("GET", path) is None


def test_two_routes_for_one_address_are_refused(router: Router[str]):
    with pytest.raises(ValueError, match="twice"):
        router.add("GET", "/{x}/{y}", "again")
    with pytest.raises(ValueError, match="nothing may follow"):
        router.add("GET", "/{x*}/y", "bad")


@given(st.lists(st.text(min_size=1, max_size=8), min_size=3, max_size=3))
def test_parameters_come_back_as_they_were_quoted(parts: list[str]):
    router: Router[str] = Router()
    router.add("GET", "/r/{a}/{b}/{c*}", "found")
    a, b, c = parts
    path = "/r/" + "/".join(quote(part, safe="") for part in parts)
    assert router.match("GET", path) == Match("found", {"a": a, "b": b, "c": c})

# SPDX-License-Identifier: Apache-2.0
"""Which refs a push may make, move and delete, without a database and without git."""

import tracemalloc

import pytest

from hubkeep.transfer.smart.push_rules import Command, all_or_none, judge, judge_targets

ONE, TWO, THREE = (bytes([number]) * 20 for number in (1, 2, 3))
MAIN = "refs/heads/main"


def reasons(*commands: Command, **present: bytes) -> dict[str, str]:
    """Why each ref is refused where these branches are."""
    refs = {f"refs/heads/{name}": oid for name, oid in present.items()}
    return {name: verdict.reason for name, verdict in judge(commands, refs, "main").items()}


@pytest.mark.parametrize("name", ["refs/heads/main", "refs/heads/a/b", "refs/tags/v1.0"])
def test_branches_and_tags_are_made(name: str):
    assert reasons(Command(name, None, ONE)) == {}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("refs/notes/commits", "only branches and tags are taken"),
        ("refs/convert/parquet", "only branches and tags are taken"),
        ("refs/pr/1", "pull requests are not made or deleted by pushing"),
        ("HEAD", "funny refname"),
        ("main", "funny refname"),
        ("refs/heads/", "funny refname"),
        ("refs/heads/a..b", "funny refname"),
        ("refs/heads/a.lock", "funny refname"),
        ("refs/heads/-a", "funny refname"),
        ("refs/heads/HEAD", "funny refname"),
        ("refs/heads/" + "a" * 40, "funny refname"),
        ("refs/tags/a b", "funny refname"),
        ("refs/heads/\udc80", "funny refname"),
        ("refs/heads/" + "a" * 600, "funny refname"),
    ],
)
def test_other_names_are_refused(name: str, reason: str):
    assert reasons(Command(name, None, ONE)) == {name: reason}


def test_refs_move_only_from_where_they_are():
    stale = {MAIN: "failed to update ref"}
    assert reasons(Command(MAIN, ONE, TWO), main=ONE) == {}
    assert reasons(Command(MAIN, THREE, TWO), main=ONE) == stale
    assert reasons(Command(MAIN, None, TWO), main=ONE) == stale
    assert reasons(Command(MAIN, ONE, TWO)) == stale
    assert reasons(Command(MAIN, None, None)) == {MAIN: "deletion of the current branch prohibited"}
    assert reasons(Command("refs/heads/a", None, None)) == {"refs/heads/a": "failed to update ref"}
    assert reasons(Command("refs/heads/a", TWO, None), a=ONE) == {
        "refs/heads/a": "failed to update ref"
    }


def test_the_default_branch_is_not_deleted_and_others_are():
    commands = [Command(MAIN, ONE, None), Command("refs/heads/a", TWO, None)]
    assert reasons(*commands, main=ONE, a=TWO) == {
        MAIN: "deletion of the current branch prohibited"
    }


def test_pull_requests_that_are_there_can_be_pushed_to():
    present = {"refs/pr/1": ONE}
    assert judge([Command("refs/pr/1", ONE, TWO)], present, "main") == {}
    assert "refs/pr/1" in judge([Command("refs/pr/1", ONE, None)], present, "main")


@pytest.mark.parametrize(
    ("there", "new"), [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a"), ("a", "a/b/c")]
)
def test_a_branch_does_not_stand_in_the_folder_of_another(there: str, new: str):
    one, other = f"refs/heads/{there}", f"refs/heads/{new}"
    in_the_way = {other: "failed to update ref"}
    created = Command(other, None, TWO)
    assert reasons(created, **{there: ONE}) == in_the_way
    assert reasons(Command(one, None, ONE), created) == in_the_way
    assert reasons(Command(one, ONE, None), created, **{there: ONE}) == {}
    assert reasons(created, Command(one, ONE, None), **{there: ONE}) == {}
    assert reasons(Command(one, TWO, None), created, **{there: ONE}) == {
        one: "failed to update ref",
        **in_the_way,
    }


def test_many_deep_names_take_little_memory():
    """All folders of these are a quarter of a million names, of 250 characters on average."""
    present = {f"refs/heads/{n:05}/{'a/' * 230}b": ONE for n in range(1000)}
    tracemalloc.start()
    try:
        assert judge([Command("refs/heads/new", None, TWO)], present, "main") == {}
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    below = "refs/heads/00500/a/a"
    assert list(judge([Command(below, None, TWO)], present, "main")) == [below]


def test_branches_lead_to_commits_and_tags_to_tags_too():
    commands = [Command(MAIN, None, ONE), Command("refs/tags/v1", None, ONE)]
    assert list(judge_targets(commands, {ONE: TWO})) == [MAIN]
    assert judge_targets(commands, {ONE: ONE}) == {}
    assert judge_targets([Command(MAIN, ONE, None)], {}) == {}


def test_of_an_atomic_push_all_is_refused_or_nothing():
    commands = [Command(MAIN, None, ONE), Command("refs/notes/a", None, ONE)]
    verdicts = all_or_none(commands, judge(commands, {}, "main"))
    assert {name: each.reason for name, each in verdicts.items()} == {
        MAIN: "atomic push failure",
        "refs/notes/a": "only branches and tags are taken",
    }
    assert all_or_none(commands, {}) == {}

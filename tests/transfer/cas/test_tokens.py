# SPDX-License-Identifier: Apache-2.0
"""Tokens for the chunk store: who gets one, for what, and how clients read it."""

import pytest

from hubkeep.transfer.cas.queries_epoch import renew_epoch
from tests.transfer.cas.world import ask_token, store_of
from tests.transfer.town import BASE, Town, as_user

pytestmark = pytest.mark.anyio


async def created(town: Town) -> str:
    """Make `ann/m` as clients do, so that it has a commit on `main`; its id."""
    me = as_user("ann")
    made = await town.client.post("/api/repos/create", json={"name": "m"}, headers=me)
    assert made.status_code == 200, made.text
    return (await town.client.get("/api/models/ann/m", headers=me)).json()["sha"]


@pytest.mark.parametrize("way", ["read", "write"])
async def test_a_token_is_told_in_headers_and_in_the_body(town: Town, way: str):
    town.repo("ann/m")

    answer = await ask_token(town, "ann", "ann/m", way)

    body, headers = answer.json(), answer.headers
    assert answer.status_code == 200
    assert body.keys() == {"accessToken", "exp", "casUrl"}
    assert headers["x-xet-access-token"] == body["accessToken"]
    assert headers["x-xet-cas-url"] == body["casUrl"] == f"{BASE}/cas/0"
    assert headers["x-xet-token-expiration"] == str(body["exp"])
    assert headers["cache-control"] == "no-store"
    assert body["exp"] == town.time() // 1000 + 3600


async def test_the_address_changes_with_the_epoch(town: Town):
    town.repo("ann/m")
    epoch = town.app.db.write_now(renew_epoch)
    store = await store_of(town, "ann", "ann/m")
    assert store.url == f"{BASE}/cas/{epoch}"


@pytest.mark.parametrize(
    ("way", "rev"),
    [
        ("read", "main"),
        ("read", "HEAD"),
        ("read", "<commit>"),
        ("write", "main"),
        ("write", "refs%2Fheads%2Fmain"),
        ("write", "<commit>"),
        ("write", None),
        ("write", "None?create_pr=1"),
        ("write", "main?create_pr=true"),
    ],
)
async def test_forms_of_the_address(town: Town, way: str, rev: str | None):
    commit = await created(town)
    answer = await ask_token(town, "ann", "ann/m", way, rev and rev.replace("<commit>", commit))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("way", "rev"),
    [
        ("read", "None"),
        ("read", "other"),
        ("write", "None"),
        ("write", "other"),
        ("write", "other?create_pr=1"),
        ("write", "refs%2Fpr%2F1"),
    ],
)
async def test_a_revision_that_does_not_exist(town: Town, way: str, rev: str):
    await created(town)
    answer = await ask_token(town, "ann", "ann/m", way, rev)
    assert (answer.status_code, answer.headers["x-error-code"]) == (404, "RevisionNotFound")


@pytest.mark.parametrize(
    ("user", "way", "rev", "status"),
    [
        (None, "read", "main", 200),
        ("eve", "read", "main", 200),
        ("ann_read", "read", "main", 200),
        (None, "write", "main", 401),
        ("eve", "write", "main", 403),
        ("ann_read", "write", "main", 403),
        (None, "write", "None?create_pr=1", 401),
        # As preupload and commit say it: pull requests are not there yet.
        ("eve", "write", "None?create_pr=1", 501),
        ("ann_read", "write", "None?create_pr=1", 501),
        ("ann", "write", "main?hot_reload=1", 400),
        ("ann", "read", "main?create_pr=1", 400),
    ],
)
async def test_who_gets_which_token_of_a_public_repository(
    town: Town, user: str | None, way: str, rev: str, status: int
):
    town.repo("ann/m")
    assert (await ask_token(town, user, "ann/m", way, rev)).status_code == status


@pytest.mark.parametrize("repo", ["ann/m", "ann/none"])
@pytest.mark.parametrize("rev", ["main", "other", "None?create_pr=1"])
async def test_a_private_repository_is_not_there_for_others(town: Town, repo: str, rev: str):
    town.repo("ann/m", private=True)
    for user, status in ((None, 401), ("eve", 404)):
        answer = await ask_token(town, user, repo, "write", rev)
        assert (answer.status_code, answer.headers["x-error-code"]) == (status, "RepoNotFound")


async def test_other_kinds_of_repositories(town: Town):
    town.repo("ann/d", kind="dataset")
    for way in ("read", "write"):
        path = f"/api/datasets/ann/d/xet-{way}-token/main"
        answer = await town.client.get(path, headers=as_user("ann"))
        assert answer.status_code == 200


async def test_a_token_does_not_say_anything_else(town: Town):
    """What a token is for is signed: one of them opens nothing that another one opens."""
    town.repo("ann/m")
    given = (await ask_token(town, "ann", "ann/m")).json()["accessToken"]
    for path in (f"/lfs/objects/{given}", f"/cas/0/data/{given}"):
        assert (await town.client.get(path)).status_code == 403
    as_hub_token = await town.client.get(
        "/api/whoami-v2", headers={"Authorization": f"Bearer {given}"}
    )
    assert as_hub_token.status_code == 401

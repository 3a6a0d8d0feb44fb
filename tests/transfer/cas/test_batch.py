# SPDX-License-Identifier: Apache-2.0
"""Batch answers to clients that know Xet: @huggingface/hub, git-xet, huggingface_hub 1.0."""

from urllib.parse import urlsplit

import pytest

from hubkeep.job_kinds import worker_of
from tests.transfer.cas.parcels import Sent, parcel, post, whole
from tests.transfer.cas.world import Store, Xorb, make_xorb
from tests.transfer.town import Town, as_user, named, sha

pytestmark = pytest.mark.anyio

TRANSFERS = ["basic", "multipart", "xet"]


@pytest.fixture
def sent(town: Town) -> tuple[Xorb, Sent]:
    """A file as ann is going to send it to ann/m."""
    town.repo("ann/m")
    town.repo("bob/m")
    xorb = make_xorb()
    return xorb, whole(xorb)


def store_in(town: Town, action: dict) -> Store:
    """The chunk store as an action tells of it."""
    header = action["header"]
    return Store(town, header["X-Xet-Cas-Url"], header["X-Xet-Access-Token"])


async def test_who_knows_xet_sends_by_xet(town: Town, sent: tuple[Xorb, Sent]):
    xorb, file = sent
    answer = (await town.batch("ann", "ann/m", file.content, transfers=TRANSFERS)).json()
    assert answer["transfer"] == "xet"
    actions = answer["objects"][0]["actions"]
    upload, verify = actions["upload"], actions["verify"]
    assert int(upload["header"]["X-Xet-Token-Expiration"]) == town.time() // 1000 + 3600
    said = {"json": named(file.content), "headers": as_user("ann")}
    assert (await town.client.post(verify["href"], **said)).status_code == 404

    store = store_in(town, upload)
    await store.upload(xorb)
    assert (await post(store, parcel(file, xorbs=[xorb]))).status_code == 200
    assert (await town.client.post(verify["href"], **said)).status_code == 200
    assert await town.actions("ann", "ann/m", file.content, transfers=TRANSFERS)  # only claimed
    await worker_of(town.app).run_due()
    assert await town.actions("ann", "ann/m", file.content, transfers=TRANSFERS) is None

    down = await town.actions("ann", "ann/m", file.content, operation="download")
    part = await town.client.get(down["download"]["href"], headers={"Range": "bytes=5-20000"})
    assert (part.status_code, part.content) == (206, file.content[5:20001])


async def test_the_address_gives_the_next_token(town: Town, sent: tuple[Xorb, Sent]):
    xorb, file = sent
    actions = await town.actions("ann", "ann/m", file.content, transfers=TRANSFERS)
    path = urlsplit(actions["upload"]["href"]).path
    assert path == "/api/models/ann/m/xet-write-token"
    given = (await town.client.get(path, headers=as_user("ann"))).json()
    await Store(town, given["casUrl"], given["accessToken"]).upload(xorb)
    assert (await town.client.get(path, headers=as_user("bob"))).status_code == 403


async def test_a_token_is_for_one_repository(town: Town, sent: tuple[Xorb, Sent]):
    _, file = sent
    for user, repo in (("bob", "ann/m"), (None, "ann/m"), ("ann_read", "ann/m")):
        answer = await town.batch(user, repo, file.content, transfers=TRANSFERS)
        assert answer.status_code in (401, 403)
    assert (await town.batch("bob", "bob/m", file.content, transfers=TRANSFERS)).json()[
        "transfer"
    ] == "xet"


@pytest.mark.parametrize("transfers", [[], ["basic"], ["basic", "multipart"], ["ssh"]])
async def test_who_does_not_know_xet_sends_whole_files(
    town: Town, sent: tuple[Xorb, Sent], transfers: list[str]
):
    answer = (await town.batch("ann", "ann/m", sent[1].content, transfers=transfers)).json()
    assert answer["transfer"] == "basic"
    assert "/lfs/objects/" in answer["objects"][0]["actions"]["upload"]["href"]


async def test_files_come_whole_to_who_asks_for_xet(town: Town, sent: tuple[Xorb, Sent]):
    content = b"by git-lfs"
    await town.upload("ann", "ann/m", content)
    answer = (
        await town.batch("ann", "ann/m", content, operation="download", transfers=TRANSFERS)
    ).json()
    assert answer["transfer"] == "basic"
    down = answer["objects"][0]["actions"]["download"]
    assert (await town.client.get(down["href"])).content == content


async def test_several_files_are_answered_each(town: Town, sent: tuple[Xorb, Sent]):
    _, file = sent
    await town.upload("ann", "ann/m", b"there already")
    bad = {"oid": "no sha256", "size": 1}
    other = {"oid": sha(b"there already"), "size": 3}
    answer = await town.batch("ann", "ann/m", file.content, bad, other, transfers=TRANSFERS)
    first, second, third = answer.json()["objects"]
    assert "actions" in first
    assert second["error"]["code"] == third["error"]["code"] == 422

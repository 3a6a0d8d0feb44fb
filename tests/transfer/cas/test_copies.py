# SPDX-License-Identifier: Apache-2.0
"""Files that a repository gets from another one, without their bytes being sent."""

import httpx2
import pytest

from hubkeep.transfer import api_copies
from tests.transfer.cas.parcels import Sent, claims, keep, parcel, post, whole
from tests.transfer.cas.world import make_xorb, store_of
from tests.transfer.town import Town, as_user, sha

pytestmark = pytest.mark.anyio


async def pushed(town: Town, repo: str) -> Sent:
    """A file in chunks in a new private repository of ann's, whose sha256 nobody has checked."""
    town.repo(repo, private=True)
    xorb = make_xorb()
    await keep(town, "ann", xorb)
    sent = whole(xorb)
    answer = await post(await store_of(town, "ann", repo), parcel(sent))
    assert answer.status_code == 200, answer.text
    return sent


async def copy(town: Town, user: str, source: str, target: str, *oids: str) -> httpx2.Response:
    files = [{"sha256": oid, "xetHash": "0" * 64, "filename": "x.bin"} for oid in oids]
    asked = {"target": {"type": "model", "name": target}, "files": files}
    path = f"/api/models/{source}/lfs-files/duplicate"
    return await town.client.post(path, json=asked, headers=as_user(user))


async def test_a_file_sent_just_now_is_checked_and_given_on(town: Town):
    sent = await pushed(town, "ann/from")
    town.repo("ann/to")
    oid = sha(sent.content)
    answer = await copy(town, "ann", "ann/from", "ann/to", oid)
    assert (answer.status_code, answer.json()) == (200, {"failed": []})
    assert bytes.fromhex(oid) in claims(town, "ann/to").values()


async def test_a_large_file_is_not_given_on_before_it_is_checked(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(api_copies, "CHECKED_HERE", 1)
    sent = await pushed(town, "ann/from")
    town.repo("ann/to")
    oid = sha(sent.content)
    (failed,) = (await copy(town, "ann", "ann/from", "ann/to", oid)).json()["failed"]
    assert failed["sha256"] == oid
    assert "still being checked" in failed["error"]
    assert claims(town, "ann/to") == {}


async def test_what_is_not_there_is_said(town: Town):
    await pushed(town, "ann/from")
    town.repo("ann/to")
    asked = ["1" * 64, "no hash"]
    failed = (await copy(town, "ann", "ann/from", "ann/to", *asked)).json()["failed"]
    assert [one["sha256"] for one in failed] == asked


async def test_it_takes_a_right_to_both(town: Town):
    sent = await pushed(town, "ann/from")
    town.repo("bob/to")
    oid = sha(sent.content)
    assert (await copy(town, "bob", "ann/from", "bob/to", oid)).status_code == 404
    assert (await copy(town, "ann", "ann/from", "bob/to", oid)).status_code == 403
    assert claims(town, "bob/to") == {}

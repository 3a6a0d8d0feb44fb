# SPDX-License-Identifier: Apache-2.0
"""Files that are sent in one piece."""

import os

import pytest

from hubkeep.blobs import NoSpace, whole_key
from tests.transfer.town import BASE, LFS, Town, as_user, named, sha

pytestmark = pytest.mark.anyio

CONTENT = os.urandom(100_000)


async def test_a_file_is_sent_verified_and_fetched(town: Town):
    town.repo("ann/m")
    actions = await town.actions("ann", "ann/m", CONTENT)

    # Neither credentials nor headers: the address alone carries the right.
    sent = await town.client.put(actions["upload"]["href"], content=CONTENT)
    checked = await town.client.post(actions["verify"]["href"], json=named(CONTENT))
    again = await town.actions("ann", "ann/m", CONTENT)
    offered = await town.actions(None, "ann/m", CONTENT, operation="download")
    fetched = await town.client.get(offered["download"]["href"])

    assert (sent.status_code, checked.status_code, again) == (200, 200, None)
    assert fetched.content == CONTENT
    assert fetched.headers["etag"] == f'"{sha(CONTENT)}"'


async def test_the_batch_answer_is_what_git_lfs_reads(town: Town):
    town.repo("ann/m")
    ref = {"name": "refs/heads/main"}

    answer = await town.batch("ann", "ann/m", CONTENT, ref=ref, hash_algo="sha_256")

    assert answer.headers["content-type"] == LFS
    body = answer.json()
    assert (body["transfer"], body["hash_algo"]) == ("basic", "sha256")
    (one,) = body["objects"]
    assert (one["oid"], one["size"], one["authenticated"]) == (sha(CONTENT), len(CONTENT), True)
    assert one["actions"]["upload"]["href"].startswith(f"{BASE}/lfs/objects/")
    assert one["actions"]["upload"]["expires_in"] == 24 * 3600


async def test_an_empty_file_can_be_sent(town: Town):
    town.repo("ann/m")
    await town.upload("ann", "ann/m", b"")
    assert town.links("ann/m") == {sha(b"")}


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        (CONTENT[:-1], 400, "size"),
        (CONTENT + b"x", 400, "size"),
        (b"", 400, "size"),
        (CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]), 422, "not those of this oid"),
    ],
)
@pytest.mark.parametrize("length_declared", [True, False])
async def test_other_bytes_are_refused_and_leave_nothing(
    quick_town: Town, sent: bytes, status: int, says: str, length_declared: bool
):
    town = quick_town
    town.repo("ann/m")
    href = (await town.actions("ann", "ann/m", CONTENT))["upload"]["href"]

    async def pieces():
        yield sent

    answer = await town.client.put(href, content=sent if length_declared else pieces())

    assert answer.status_code == status
    assert says in answer.json()["error"]
    assert answer.json()["message"] == answer.json()["error"]
    assert town.links("ann/m") == set()
    assert not town.knows(CONTENT)
    assert await town.app.blobs.size(whole_key(sha(CONTENT))) is None


async def test_a_connection_that_breaks_leaves_nothing_and_can_be_repeated(town: Town):
    town.repo("ann/m")
    href = (await town.actions("ann", "ann/m", CONTENT))["upload"]["href"]

    assert await town.broken_put(href, CONTENT[:50_000]) == []
    before = (town.links("ann/m"), await town.app.blobs.size(whole_key(sha(CONTENT))))
    again = await town.client.put(href, content=CONTENT)

    assert before == (set(), None)
    assert again.status_code == 200
    assert town.links("ann/m") == {sha(CONTENT)}


async def test_sending_twice_is_harmless(town: Town):
    town.repo("ann/m")
    href = (await town.actions("ann", "ann/m", CONTENT))["upload"]["href"]
    assert (await town.client.put(href, content=CONTENT)).status_code == 200
    assert (await town.client.put(href, content=CONTENT)).status_code == 200


async def test_a_full_disk_is_507_and_the_upload_can_be_repeated(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    town.repo("ann/m")
    href = (await town.actions("ann", "ann/m", CONTENT))["upload"]["href"]

    async def full(*_args: object, **_more: object) -> None:
        raise NoSpace("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(type(town.app.blobs), "put", full)
        refused = await town.client.put(href, content=CONTENT)
    again = await town.client.put(href, content=CONTENT)

    assert refused.status_code == 507
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"oid": "xyz", "size": 3}, 422),
        ({"oid": "../../../../etc/passwd", "size": 3}, 422),
        ({"oid": "A" * 64, "size": 3}, 422),
        ({"oid": sha(b"x") + "\n", "size": 3}, 422),
        ({"oid": sha(b"x"), "size": -1}, 422),
        ({"oid": sha(b"x"), "size": 1 << 60}, 413),
    ],
)
@pytest.mark.parametrize("operation", ["upload", "download"])
async def test_a_bad_object_is_refused_alone(
    quick_town: Town, asked: dict[str, object], code: int, operation: str
):
    town = quick_town
    town.repo("ann/m")
    await town.upload("ann", "ann/m", CONTENT)

    answer = await town.batch("ann", "ann/m", asked, CONTENT, operation=operation)

    assert answer.status_code == 200
    bad, good = answer.json()["objects"]
    assert (bad["error"]["code"], "actions" in bad) == (code, False)
    assert "error" not in good


async def test_two_sizes_of_one_oid_do_not_both_hold(quick_town: Town):
    town = quick_town
    town.repo("ann/m")
    lie = {**named(CONTENT), "size": 7}

    first = (await town.batch("ann", "ann/m", lie, CONTENT)).json()["objects"]
    await town.upload("ann", "ann/m", CONTENT)
    later = (await town.batch("ann", "ann/m", CONTENT, lie)).json()["objects"]

    assert [one.get("error", {}).get("code") for one in first] == [422, None]
    assert [one.get("error", {}).get("code") for one in later] == [None, 422]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"operation": "upload", "objects": [], "hash_algo": "md5"}, 409),
        ({"operation": "steal", "objects": []}, 400),
        ({"operation": "upload", "objects": [{"oid": "x", "size": 1}] * 1001}, 400),
        ({"operation": "upload"}, 400),
        ({"operation": "upload", "objects": [{"oid": "x", "size": "1"}]}, 400),
        ({"operation": "upload", "objects": [{"oid": "x", "size": 1e300}]}, 400),
        ([], 400),
    ],
)
async def test_a_malformed_batch_is_refused_whole(quick_town: Town, body: object, status: int):
    town = quick_town
    town.repo("ann/m")
    url = "/ann/m/info/lfs/objects/batch"
    answer = await town.client.post(url, json=body, headers=as_user("ann"))
    assert answer.status_code == status
    assert answer.json()["message"]

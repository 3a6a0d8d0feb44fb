# SPDX-License-Identifier: Apache-2.0
"""The list of a repository's large files, deletion for good, and model file headers."""

import json

import msgspec
import pytest
from sqlalchemy import select

from hubkeep.cards.headers import FileHeader
from hubkeep.db.tables import files
from hubkeep.transfer.headers import sniffed
from tests.transfer.town import BASE, Town, as_user, sha

pytestmark = pytest.mark.anyio

URL = "/api/models/ann/m/lfs-files"


async def listed(town: Town, **query: object) -> list[dict]:
    answer = await town.client.get(URL, params=query, headers=as_user("ann"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_list_is_paged_and_tells_of_each_file(town: Town):
    town.repo("ann/m")
    contents = [b"%d" % n for n in range(5)]
    for content in contents:
        await town.upload("ann", "ann/m", content)

    seen, url = [], f"{BASE}{URL}?limit=2"
    while url:
        answer = await town.client.get(url, headers=as_user("ann"))
        seen += answer.json()
        url = answer.links.get("next", {}).get("url")

    assert [one["oid"] for one in seen] == [sha(content) for content in contents]
    assert {len(one["fileOid"]) for one in seen} == {24}
    assert (seen[0]["size"], seen[0]["filename"]) == (1, "")
    assert seen[0]["pushedAt"] == "2027-01-15T08:00:00.000Z"


async def test_who_may_only_read_does_not_get_the_list(town: Town):
    town.repo("ann/m")
    for user, status in ((None, 401), ("bob", 403), ("ann_read", 403)):
        answer = await town.client.get(URL, headers=as_user(user))
        assert answer.status_code == status


async def delete(town: Town, user: str, ids: list[str], *, rewrite: bool = False) -> int:
    body = {"deletions": {"sha": ids, "rewriteHistory": rewrite}}
    answer = await town.client.post(f"{URL}/batch", json=body, headers=as_user(user))
    return answer.status_code


async def test_a_deleted_file_is_gone_from_this_repository_alone(town: Town):
    town.repo("ann/m")
    town.repo("bob/m")
    await town.upload("ann", "ann/m", b"shared")
    await town.upload("ann", "ann/m", b"kept")
    await town.upload("bob", "bob/m", b"shared")
    (one,) = [file for file in await listed(town) if file["oid"] == sha(b"shared")]
    offered = await town.actions("ann", "ann/m", b"shared", operation="download")

    assert await delete(town, "ann", [one["fileOid"]]) == 200

    got = await town.client.get(offered["download"]["href"])
    assert (town.links("ann/m"), got.status_code) == ({sha(b"kept")}, 404)
    assert town.links("bob/m") == {sha(b"shared")}


async def test_deletion_is_for_administrators_and_whole_or_not_at_all(town: Town):
    town.user("lab")
    town.join("lab", "ann", "admin")
    town.join("lab", "bob", "write")
    town.repo("ann/m")
    town.repo("bob/m")
    await town.upload("ann", "ann/m", b"a")
    await town.upload("bob", "bob/m", b"b")
    (mine,) = await listed(town)
    foreign = (await town.client.get(URL.replace("ann", "bob"), headers=as_user("bob"))).json()

    assert await delete(town, "bob", [mine["fileOid"]]) == 403
    assert await delete(town, "ann", [mine["fileOid"], foreign[0]["fileOid"]]) == 404
    assert await delete(town, "ann", [mine["fileOid"], "f" * 24]) == 404
    assert await delete(town, "ann", ["x"] * 1001) == 400
    assert (town.links("ann/m"), town.links("bob/m")) == ({sha(b"a")}, {sha(b"b")})


def safetensors(header: object) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


async def stored_header(town: Town, content: bytes) -> FileHeader | None:
    town.repo("ann/m")
    await town.upload("ann", "ann/m", content)
    text = town.app.db.read_now(lambda conn: conn.execute(select(files.c.header)).scalar())
    return None if text is None else msgspec.json.decode(text, type=FileHeader)


async def test_the_header_of_a_model_file_is_read_as_it_comes(quick_town: Town):
    tensor = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    header = await stored_header(quick_town, safetensors({"w": tensor}) + bytes(24))
    assert header is not None
    assert (header.format, header.parameters, header.total) == ("safetensors", {"F32": 6}, 6)


@pytest.mark.parametrize(
    "content",
    [safetensors({"w": "nonsense"}), b"GGUF", b"GGUF" + b"\xff" * 100, safetensors([])[:9]],
)
async def test_a_broken_header_never_stops_an_upload(quick_town: Town, content: bytes):
    header = await stored_header(quick_town, content)
    assert header is None or header.error


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"GGUF\3\0\0\0\0", "gguf"),
        (b"\x40\0\0\0\0\0\0\0{", "safetensors"),
        (b"\x40\0\0\0\0\0\0\x01{", None),
        (b"\x40\0\0\0\0\0\0\0[", None),
        (b"", None),
        (b"PK\3\4", None),
    ],
)
def test_formats_are_told_by_their_first_bytes(start: bytes, kind: str | None):
    assert sniffed(start) == kind

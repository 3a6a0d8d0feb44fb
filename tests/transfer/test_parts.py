# SPDX-License-Identifier: Apache-2.0
"""Files that are sent in parts, broken off, resumed, completed, and completed again."""

import asyncio
import os

import pytest

from hubkeep.blobs import whole_key
from hubkeep.blobs.local_uploads import LocalUploads
from hubkeep.transfer import offers, rules
from hubkeep.transfer.jobs import STALE, sweep_uploads
from tests.transfer.town import Town, named, sha

pytestmark = pytest.mark.anyio

PART = 1 << 20
CONTENT = os.urandom(3 * PART + 5)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch):
    """Parts of 1 MiB, so that a test need not send gigabytes."""
    monkeypatch.setattr(rules, "PART_SIZE", PART)
    monkeypatch.setattr(offers, "PART_SIZE", PART)


def parts_of(header: dict[str, str]) -> list[tuple[str, bytes]]:
    """The address and the bytes of each part, in order."""
    size = int(header["chunk_size"])
    numbers = sorted(key for key in header if key.isdigit())
    return [(header[key], CONTENT[i * size : (i + 1) * size]) for i, key in enumerate(numbers)]


async def send(town: Town, parts: list[tuple[str, bytes]]) -> list[str]:
    """Send parts and return their etags."""
    etags = []
    for url, content in parts:
        answer = await town.client.put(url, content=content)
        assert answer.status_code == 200, answer.text
        etags.append(answer.headers["etag"])
    return etags


def completion(etags: list[str]) -> dict[str, object]:
    parts = [{"partNumber": n, "etag": etag} for n, etag in enumerate(etags, start=1)]
    return {"oid": sha(CONTENT), "parts": parts}


async def test_a_file_is_sent_in_parts_and_completed_twice(town: Town):
    town.repo("ann/m")
    answer = (await town.batch("ann", "ann/m", CONTENT)).json()
    actions = answer["objects"][0]["actions"]
    upload = actions["upload"]
    assert (answer["transfer"], len(parts_of(upload["header"]))) == ("multipart", 4)

    etags = await send(town, parts_of(upload["header"]))
    done = await town.client.post(upload["href"], json=completion(etags))
    again = await town.client.post(upload["href"], json=completion(etags))
    checked = await town.client.post(actions["verify"]["href"], json=named(CONTENT))

    assert [one.status_code for one in (done, again, checked)] == [200, 200, 200]
    assert town.links("ann/m") == {sha(CONTENT)}
    assert await town.app.blobs.read(whole_key(sha(CONTENT)), 0, len(CONTENT)) == CONTENT


async def test_small_files_and_plain_clients_get_one_piece(town: Town):
    town.repo("ann/m")
    small = CONTENT[:PART]
    both = (await town.batch("ann", "ann/m", small, CONTENT)).json()
    plain = (await town.batch("ann", "ann/m", CONTENT, transfers=["basic", "ssh"])).json()
    none = (await town.batch("ann", "ann/m", CONTENT, transfers=[])).json()

    headers = [one["actions"]["upload"].get("header", {}) for one in both["objects"]]
    assert ["chunk_size" in header for header in headers] == [False, True]
    assert (both["transfer"], plain["transfer"], none["transfer"]) == (
        "multipart",
        "basic",
        "basic",
    )
    assert "header" not in plain["objects"][0]["actions"]["upload"]


async def test_git_lfs_gets_one_way_for_all_files(town: Town):
    """It hands all of an answer to one program; huggingface_hub's knows nothing but parts."""
    town.repo("ann/m")
    git_lfs = ["lfs-standalone-file", "multipart", "basic", "ssh"]
    small, empty, held = CONTENT[:100], b"", CONTENT[:PART]
    await town.upload("ann", "ann/m", held)

    async def ways(*contents: bytes) -> tuple[str, list[bool]]:
        answer = (await town.batch("ann", "ann/m", *contents, transfers=git_lfs)).json()
        uploads = [one["actions"]["upload"] for one in answer["objects"] if "actions" in one]
        return answer["transfer"], ["chunk_size" in one.get("header", {}) for one in uploads]

    assert await ways(small, held) == ("basic", [False])
    assert await ways(small, CONTENT, held) == ("multipart", [True, True])
    # Nothing comes in no parts at all, and nothing damaged is replaced by parts.
    assert await ways(small, CONTENT, empty) == ("basic", [False, False, False])
    answer = (await town.batch("ann", "ann/m", small, CONTENT, transfers=git_lfs)).json()
    header = answer["objects"][0]["actions"]["upload"]["header"]
    etags = await send(town, [(header["00001"], small)])
    body = {"oid": sha(small), "parts": [{"partNumber": 1, "etag": etags[0]}]}
    href = answer["objects"][0]["actions"]["upload"]["href"]
    assert (await town.client.post(href, json=body)).status_code == 200
    assert sha(small) in town.links("ann/m")


async def test_an_upload_goes_on_where_it_was(town: Town):
    town.repo("ann/m")
    first = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    before = await send(town, parts_of(first["header"])[:2])
    await town.broken_put(first["header"]["00003"], CONTENT[2 * PART : 2 * PART + 1000])

    second = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    after = await send(town, parts_of(second["header"])[2:])
    done = await town.client.post(second["href"], json=completion(before + after))

    assert done.status_code == 200
    assert town.links("ann/m") == {sha(CONTENT)}


async def test_the_hub_says_which_parts_it_has(town: Town):
    town.repo("ann/m")
    upload = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    parts = parts_of(upload["header"])
    etags = await send(town, [parts[2], parts[0]])
    await town.broken_put(parts[1][0], parts[1][1][:1000])

    half = await town.client.get(upload["href"])
    etags += await send(town, [parts[1], parts[3]])
    whole = (await town.client.get(upload["href"])).json()["parts"]
    body = {"oid": sha(CONTENT), "parts": whole}
    done = await town.client.post(upload["href"], json=body)
    over = await town.client.get(upload["href"])

    assert half.json() == {
        "partSize": PART,
        "parts": [
            {"partNumber": 1, "etag": etags[1].strip('"')},
            {"partNumber": 3, "etag": etags[0].strip('"')},
        ],
    }
    assert [done.status_code, over.status_code] == [200, 404]
    assert (await town.client.get("/lfs/parts/not-signed")).status_code == 403


async def test_what_is_missing_or_false_is_refused_and_can_be_mended(town: Town):
    town.repo("ann/m")
    upload = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    parts = parts_of(upload["header"])
    etags = await send(town, parts[:3])

    tries = [
        completion(etags),
        completion([*etags, '"none"']),
        completion(etags[:1] * 4),
        {**completion(etags), "oid": sha(b"other")},
        {"oid": sha(CONTENT), "parts": [{"partNumber": 1, "etag": etags[0]}] * 4},
        {"oid": sha(CONTENT), "parts": [{"partNumber": 0, "etag": etags[0]}]},
    ]
    refused = [(await town.client.post(upload["href"], json=one)).status_code for one in tries]
    links = town.links("ann/m")
    etags += await send(town, parts[3:])
    done = await town.client.post(upload["href"], json=completion(etags))

    assert refused == [400, 400, 400, 422, 422, 400]
    assert (links, done.status_code) == (set(), 200)


async def test_wrong_bytes_end_the_upload_and_a_new_one_begins(town: Town):
    town.repo("ann/m")
    upload = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    wrong = [(url, bytes(len(part))) for url, part in parts_of(upload["header"])]
    etags = await send(town, wrong)
    refused = await town.client.post(upload["href"], json=completion(etags))
    over = await town.client.post(upload["href"], json=completion(etags))
    late = await town.client.put(upload["header"]["00001"], content=CONTENT[:PART])

    fresh = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    etags = await send(town, parts_of(fresh["header"]))
    done = await town.client.post(fresh["href"], json=completion(etags))

    statuses = [one.status_code for one in (refused, over, late, done)]
    assert statuses == [422, 404, 404, 200]


async def test_after_a_completion_was_broken_off_the_parts_may_be_sent_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    """As a kill leaves it that comes while the whole is being hashed."""

    class Killed(Exception):
        pass

    def killed(*_: object) -> None:
        raise Killed

    town.repo("ann/m")
    upload = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    etags = await send(town, parts_of(upload["header"]))
    [begun] = [one async for one in town.app.blobs.uploads()]
    numbered = dict(enumerate(etags, start=1))
    with monkeypatch.context() as patch:
        patch.setattr(LocalUploads, "_hash", killed)
        with pytest.raises(Killed):
            await town.app.blobs.finish_upload(begun.upload, numbered, sha256=sha(CONTENT))

    again = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    etags = await send(town, parts_of(again["header"]))
    done = await town.client.post(again["href"], json=completion(etags))

    assert done.status_code == 200
    assert town.links("ann/m") == {sha(CONTENT)}


async def test_a_part_has_its_size_and_its_number(town: Town):
    town.repo("ann/m")
    upload = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    url = upload["header"]["00001"].removesuffix("/1")

    tries = [(1, CONTENT[:100]), (4, CONTENT[:PART]), (5, b""), (0, b""), ("x", b""), ("٣", b"")]
    statuses = [
        (await town.client.put(f"{url}/{number}", content=content)).status_code
        for number, content in tries
    ]

    assert statuses == [400, 400, 400, 404, 404, 404]


async def test_the_same_completion_at_once_is_one(town: Town):
    town.repo("ann/m")
    upload = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    etags = await send(town, parts_of(upload["header"]))
    answers = await asyncio.gather(
        *(town.client.post(upload["href"], json=completion(etags)) for _ in range(5))
    )
    assert [answer.status_code for answer in answers] == [200] * 5


async def test_writers_of_a_repository_share_the_upload_of_a_file(town: Town):
    town.user("lab")
    for name in ("ann", "bob"):
        town.join("lab", name, "write")
    town.repo("lab/m")
    anns, bobs = await asyncio.gather(
        town.actions("ann", "lab/m", CONTENT), town.actions("bob", "lab/m", CONTENT)
    )
    by_ann = await send(town, parts_of(anns["upload"]["header"])[:2])
    by_bob = await send(town, parts_of(bobs["upload"]["header"])[2:])
    done = await town.client.post(anns["upload"]["href"], json=completion(by_ann + by_bob))
    assert done.status_code == 200
    assert [one async for one in town.app.blobs.uploads()] == []


async def test_another_size_begins_another_upload(town: Town):
    town.repo("ann/m")
    lie = {"oid": sha(CONTENT), "size": 9 * PART}
    await town.batch("ann", "ann/m", lie)
    upload = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    etags = await send(town, parts_of(upload["header"]))
    done = await town.client.post(upload["href"], json=completion(etags))
    assert done.status_code == 200


async def test_uploads_that_nobody_goes_on_with_are_swept(town: Town):
    town.repo("ann/m")
    town.repo("bob/m")
    left = (await town.actions("ann", "ann/m", CONTENT))["upload"]
    town.time.now += STALE - 1
    kept = (await town.actions("bob", "bob/m", CONTENT))["upload"]
    early = await sweep_uploads(town.app)
    town.time.now += 2
    swept = await sweep_uploads(town.app)

    assert (early, swept) == (0, 1)
    late = await town.client.put(left["header"]["00001"], content=CONTENT[:PART])
    assert late.status_code == 403
    etags = await send(town, parts_of(kept["header"]))
    done = await town.client.post(kept["href"], json=completion(etags))
    assert done.status_code == 200


async def test_a_batch_has_a_bounded_number_of_parts(town: Town):
    town.repo("ann/m")
    files = [{"oid": f"{n:064x}", "size": 5 << 40} for n in range(1000)]
    answer = await town.batch("ann", "ann/m", *files)
    assert answer.status_code == 413
    assert [one async for one in town.app.blobs.uploads()] == []


async def test_what_the_store_began_and_no_row_knows_is_swept(town: Town):
    store = town.app.blobs
    await store.begin_upload(whole_key(sha(CONTENT)), size=len(CONTENT), part_size=PART)
    town.time.pass_days(10_000)
    assert await sweep_uploads(town.app) == 1
    assert [one async for one in store.uploads()] == []


@pytest.mark.parametrize("size", [0, 1, 64 << 20, 640 << 30, (640 << 30) + 1, 5 << 40])
def test_parts_are_never_too_many(monkeypatch: pytest.MonkeyPatch, size: int):
    monkeypatch.undo()
    part = rules.part_size_for(size)
    assert part >= 64 << 20
    assert -(-size // part) <= 10_000

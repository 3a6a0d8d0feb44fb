# SPDX-License-Identifier: Apache-2.0
"""What the hub says of how files are put together, and what a client gets that goes by it."""

import re
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from hubkeep.db.tables import accounts, file_terms, repo_files, repos, xorb_chunks
from hubkeep.transfer.cas import api_reconstruction, plans
from hubkeep.transfer.cas.queries_epoch import renew_epoch
from hubkeep.xet.chunks import Scheme
from hubkeep.xet.hashes import to_text
from hubkeep.xet.xorb import encode_xorb, read_xorb
from tests.harness.hub import TestHub, on_sqlite
from tests.transfer.cas.following import ask, fetcher, follow, runs, told
from tests.transfer.cas.shelf import File, Shelf, Xorb, put_blob, token_for

MISSING = "0f" * 32


def numbered(shelf: Shelf) -> tuple[Xorb, Xorb]:
    """Two xorbs that are not compressed: stored, each chunk has eight bytes more."""
    return (
        shelf.xorb([b"a" * 10, b"b" * 20, b"c" * 30, b"d" * 40], Scheme.NONE),
        shelf.xorb([b"e" * 5, b"f" * 6], Scheme.NONE),
    )


def unsigned(said: dict[str, Any]) -> dict[str, Any]:
    """An answer without what is signed, and the names of xorbs cut short."""

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return {change(name): change(one) for name, one in value.items()}
        if isinstance(value, list):
            return [change(one) for one in value]
        if isinstance(value, str):
            return re.sub(r"/data/[\w.-]+$", "/data/...", value)[:40]
        return value

    return change(said)


def span(start: int, end: int) -> dict[str, int]:
    return {"start": start, "end": end}


URL = "http://127.0.0.1:8080/cas/0/data/..."


def test_a_whole_file_by_v2(hub: TestHub, shelf: Shelf):
    one, two = numbered(shelf)
    a, b = to_text(one.name)[:40], to_text(two.name)[:40]
    file = shelf.file("alice/m", [one.term(0, 1), two.term(0, 2), one.term(2, 4), one.term(3, 4)])
    assert unsigned(told(hub, 2, file)) == {
        "offset_into_first_range": 0,
        "terms": [
            {"hash": a, "unpacked_length": 10, "range": span(0, 1)},
            {"hash": b, "unpacked_length": 11, "range": span(0, 2)},
            {"hash": a, "unpacked_length": 70, "range": span(2, 4)},
            {"hash": a, "unpacked_length": 40, "range": span(3, 4)},
        ],
        "xorbs": {
            a: [
                {
                    "url": URL,
                    "ranges": [
                        {"chunks": span(0, 1), "bytes": span(0, 17)},
                        {"chunks": span(2, 4), "bytes": span(46, 131)},
                    ],
                }
            ],
            b: [{"url": URL, "ranges": [{"chunks": span(0, 2), "bytes": span(0, 26)}]}],
        },
    }


def test_a_whole_file_by_v1(hub: TestHub, shelf: Shelf):
    one, two = numbered(shelf)
    a, b = to_text(one.name)[:40], to_text(two.name)[:40]
    file = shelf.file("alice/m", [one.term(0, 1), two.term(1, 2), one.term(2, 3)])
    assert unsigned(told(hub, 1, file)) == {
        "offset_into_first_range": 0,
        "terms": [
            {"hash": a, "unpacked_length": 10, "range": span(0, 1)},
            {"hash": b, "unpacked_length": 6, "range": span(1, 2)},
            {"hash": a, "unpacked_length": 30, "range": span(2, 3)},
        ],
        "fetch_info": {
            a: [
                {"range": span(0, 1), "url": URL, "url_range": span(0, 17)},
                {"range": span(2, 3), "url": URL, "url_range": span(46, 83)},
            ],
            b: [{"range": span(1, 2), "url": URL, "url_range": span(13, 26)}],
        },
    }


def test_a_range_is_told_with_no_chunk_too_many(hub: TestHub, shelf: Shelf):
    one, two = numbered(shelf)
    a, b = to_text(one.name)[:40], to_text(two.name)[:40]
    file = shelf.file("alice/m", [one.term(0, 4), two.term(0, 2)])
    assert unsigned(told(hub, 2, file, "bytes=32-101")) == {
        "offset_into_first_range": 2,
        "terms": [
            {"hash": a, "unpacked_length": 70, "range": span(2, 4)},
            {"hash": b, "unpacked_length": 5, "range": span(0, 1)},
        ],
        "xorbs": {
            a: [{"url": URL, "ranges": [{"chunks": span(2, 4), "bytes": span(46, 131)}]}],
            b: [{"url": URL, "ranges": [{"chunks": span(0, 1), "bytes": span(0, 12)}]}],
        },
    }


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-110", 0, 111),
        ("bytes=0-99999999", 0, 111),
        ("bytes=100-", 100, 111),
        ("bytes=-3", 108, 111),
        ("bytes=110-110", 110, 111),
        ("bytes=9-10", 9, 11),
    ],
)
def test_ranges(hub: TestHub, shelf: Shelf, asked: str, start: int, end: int):
    one, two = numbered(shelf)
    file = shelf.file("alice/m", [one.term(0, 4), two.term(0, 2)])
    for version in (1, 2):
        said = told(hub, version, file, asked)
        assert follow(fetcher(hub), said, end - start) == file.content[start:end]


@on_sqlite
@pytest.mark.parametrize("asked", ["bytes=111-", "bytes=111-200", "bytes=999999999-", "bytes=-0"])
def test_a_range_past_the_end_is_416(hub: TestHub, shelf: Shelf, asked: str):
    one, two = numbered(shelf)
    file = shelf.file("alice/m", [one.term(0, 4), two.term(0, 2)])
    for version in (1, 2):
        answer = ask(hub, f"/v{version}/reconstructions/{file.hash}", asked)
        assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */111")


@on_sqlite
@pytest.mark.parametrize(
    "asked",
    ["bytes=", "bytes=-", "bytes=5-3", "bytes=0-1,4-5", "bytes=a-b", "lines=1-2", "0-5", "x"],
)
def test_a_malformed_range_is_400(hub: TestHub, shelf: Shelf, asked: str):
    file = shelf.file("alice/m", [numbered(shelf)[0].term(0, 4)])
    for version in (1, 2):
        assert ask(hub, f"/v{version}/reconstructions/{file.hash}", asked).status_code == 400


def test_a_file_is_told_of_in_its_repository_alone(hub: TestHub, shelf: Shelf):
    one, two = numbered(shelf)
    private = shelf.file("alice/p", [one.term(0, 4)])
    unlinked = shelf.file("alice/m", [two.term(0, 2)])
    hub.write(lambda c: c.execute(delete(repo_files).where(repo_files.c.file_id == unlinked.id)))
    assert ask(hub, f"/v2/reconstructions/{private.hash}", repo="alice/p").status_code == 200
    for path in ("/v1/reconstructions/", "/v2/reconstructions/"):
        answers = [
            ask(hub, path + name, repo=repo)
            for name, repo in (
                (MISSING, "bob/m"),
                (private.hash, "bob/m"),
                (private.hash, "alice/m"),
                (unlinked.hash, "alice/m"),
            )
        ]
        assert {one.status_code for one in answers} == {404}
        assert len({re.sub("[0-9a-f]{64}", "", one.text) for one in answers}) == 1


@on_sqlite
def test_tokens_are_needed_that_hold(hub: TestHub, shelf: Shelf):
    file = shelf.file("alice/p", [numbered(shelf)[0].term(0, 4)])
    path = f"/cas/0/v2/reconstructions/{file.hash}"
    reading = token_for(hub, "alice", "alice/p")
    writing = token_for(hub, "alice", "alice/p", may_write=True)
    assert hub.get(path).status_code == 401
    assert hub.get(path, token=hub.tokens.alice).status_code == 401
    assert hub.get(path, token=writing).status_code == 200
    assert hub.get(path.replace("/0/", "/1/"), token=reading).status_code == 404
    hub.write(lambda c: c.execute(update(accounts).values(disabled=True)))
    assert hub.get(path, token=reading).status_code == 403
    hub.write(lambda c: c.execute(update(accounts).values(disabled=False)))
    assert hub.get(path, token=reading).status_code == 200
    hub.write(renew_epoch)
    assert hub.get(path, token=reading).status_code == 404
    hub.clock.move(hours=1)
    assert hub.get(path, token=reading).status_code == 401


@on_sqlite
def test_who_loses_the_right_loses_the_answers(hub: TestHub, shelf: Shelf):
    file = shelf.file("alice/m", [numbered(shelf)[0].term(0, 4)])
    token, path = token_for(hub, "bob", "alice/m"), f"/cas/0/v2/reconstructions/{file.hash}"
    said = hub.get(path, token=token)
    (_, url, _, _) = next(runs(said.json()))
    fetch = fetcher(hub)
    assert (said.status_code, fetch(url, "bytes=0-5").status_code) == (200, 206)
    hub.write(lambda c: c.execute(update(repos).values(private=True)))
    assert (hub.get(path, token=token).status_code, fetch(url, "bytes=0-5").status_code) == (
        403,
        403,
    )


@on_sqlite
@pytest.mark.parametrize("name", ["abc", "0F" * 32, "0g" * 32, "%20" + "0" * 63])
def test_what_is_no_hash_is_400(hub: TestHub, shelf: Shelf, name: str):
    for path in (f"/v1/reconstructions/{name}", f"/v1/reconstructions?file_id={name}"):
        assert ask(hub, path).status_code == 400
    assert ask(hub, f"/v1/files/{name}", method="HEAD").status_code == 400


def test_several_files_at_once(hub: TestHub, shelf: Shelf):
    one, two = numbered(shelf)
    first = shelf.file("alice/m", [one.term(0, 2)])
    second = shelf.file("alice/m", [two.term(0, 2), one.term(1, 3)])
    foreign = shelf.file("bob/m", [two.term(1, 2)])
    names = [first.hash, MISSING, second.hash, foreign.hash, first.hash]
    a, b = to_text(one.name), to_text(two.name)
    expected = {
        "files": {
            first.hash: [{"hash": a, "unpacked_length": 30, "range": span(0, 2)}],
            second.hash: [
                {"hash": b, "unpacked_length": 11, "range": span(0, 2)},
                {"hash": a, "unpacked_length": 50, "range": span(1, 3)},
            ],
        },
        "fetch_info": {
            a: [{"range": span(0, 3), "url_range": span(0, 83)}],
            b: [{"range": span(0, 2), "url_range": span(0, 26)}],
        },
    }
    query = "&".join(f"file_id={name}" for name in names)
    body = [{"prefix": "default", "hash": name} for name in names]
    for answer in (
        ask(hub, f"/v1/reconstructions?{query}"),
        ask(hub, "/v1/reconstructions", method="POST", json=body),
    ):
        said = answer.json()
        for terms, file in ((said["files"][f.hash], f) for f in (first, second)):
            whole = {"offset_into_first_range": 0, "terms": terms, "fetch_info": said["fetch_info"]}
            assert follow(fetcher(hub), whole, len(file.content)) == file.content
        for infos in said["fetch_info"].values():
            for info in infos:
                del info["url"]
        assert said == expected


@on_sqlite
def test_bad_batches(hub: TestHub, shelf: Shelf):
    def post(body: object) -> int:
        return ask(hub, "/v1/reconstructions", method="POST", json=body).status_code

    assert post([]) == 200
    assert post([{"prefix": "default", "hash": MISSING}] * 1001) == 413
    assert post([{"prefix": "default"}]) == post({"hash": MISSING}) == post([MISSING]) == 400
    assert ask(hub, "/v1/reconstructions").json() == {"files": {}, "fetch_info": {}}
    assert ask(hub, "/v1/reconstructions?file=x").status_code == 400
    assert hub.post("/cas/0/v1/reconstructions", json=[]).status_code == 401


def test_the_size_of_a_file(hub: TestHub, shelf: Shelf):
    file = shelf.file("alice/m", [numbered(shelf)[0].term(0, 4)])
    answer = ask(hub, f"/v1/files/{file.hash}", method="HEAD")
    assert (answer.status_code, answer.headers["content-length"]) == (200, "100")
    for name, repo in ((MISSING, "alice/m"), (file.hash, "bob/m")):
        assert ask(hub, f"/v1/files/{name}", method="HEAD", repo=repo).status_code == 404


def test_the_empty_file(hub: TestHub, shelf: Shelf):
    file = shelf.file("alice/m", [])
    assert file.hash == "0" * 64
    assert told(hub, 2, file) == {"offset_into_first_range": 0, "terms": [], "xorbs": {}}
    assert told(hub, 1, file) == {"offset_into_first_range": 0, "terms": [], "fetch_info": {}}
    answer = ask(hub, f"/v2/reconstructions/{file.hash}", "bytes=0-0")
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */0")
    assert ask(hub, f"/v1/files/{file.hash}", method="HEAD").headers["content-length"] == "0"


def test_too_much_for_one_answer_is_to_be_asked_for_in_ranges(
    hub: TestHub, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(api_reconstruction, "MOST_TERMS", 5)
    one, two = numbered(shelf)
    file = shelf.file("alice/m", [one.term(0, 1), two.term(0, 1)] * 3, row_terms=2)
    answer = ask(hub, f"/v2/reconstructions/{file.hash}")
    assert answer.status_code == 413
    assert "ask for a Range" in answer.json()["error"]
    half = told(hub, 2, file, "bytes=20-")
    assert follow(fetcher(hub), half, 25) == file.content[20:]
    batch = f"/v1/reconstructions?file_id={file.hash}"
    assert ask(hub, batch).status_code == 413


def test_many_runs_of_a_xorb_are_at_several_addresses(hub: TestHub, shelf: Shelf):
    xorb = shelf.xorb([bytes([k % 256, k // 256]) * 3 for k in range(1300)], Scheme.NONE)
    file = shelf.file("alice/m", [xorb.term(k, k + 1) for k in range(0, 1300, 2)])
    said = told(hub, 2, file)
    entries = said["xorbs"][to_text(xorb.name)]
    assert [len(entry["ranges"]) for entry in entries] == [100] * 6 + [50]
    # Proxies take addresses of 8 KB.
    assert max(len(entry["url"]) for entry in entries) < 4000
    assert follow(fetcher(hub), said, len(file.content)) == file.content


@pytest.mark.parametrize("trouble", ["damaged", "unready", "no chunks", "no terms", "less"])
def test_damage_is_told_and_logged(
    hub: TestHub, shelf: Shelf, caplog: pytest.LogCaptureFixture, trouble: str
):
    one, two = numbered(shelf)
    file = shelf.file("alice/m", [one.term(0, 4), two.term(0, 2)], row_terms=1)
    untouched = shelf.file("alice/m", [one.term(1, 2)])
    if trouble == "damaged":
        shelf.change_xorb(two, damaged_at=1)
    elif trouble == "unready":
        shelf.change_xorb(two, ready=False)
    elif trouble == "no chunks":
        gone = delete(xorb_chunks).where(xorb_chunks.c.xorb_id == two.id)
        hub.write(lambda c: c.execute(gone))
    elif trouble == "no terms":
        gone = delete(file_terms).where(file_terms.c.raw_start == 100)
        hub.write(lambda c: c.execute(gone))
    else:
        less = update(xorb_chunks).where(xorb_chunks.c.xorb_id == two.id)
        hub.write(lambda c: c.execute(less.values(ends=two.index.ends[:8])))
    for version in (1, 2):
        answer = ask(hub, f"/v{version}/reconstructions/{file.hash}")
        assert answer.status_code == 500
        assert "damaged" in answer.json()["error"]
        told(hub, version, file, "bytes=0-99")
        told(hub, version, untouched)
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_where_chunks_lie_is_remembered_until_they_lie_elsewhere(hub: TestHub, shelf: Shelf):
    chunks = [b"a" * 1000, b"b" * 500]
    xorb = shelf.xorb(chunks, Scheme.NONE)
    file = shelf.file("alice/m", [xorb.term(0, 2)])
    (_, old, _, before) = next(runs(told(hub, 2, file)))
    body = encode_xorb(chunks, Scheme.LZ4)
    _, index = read_xorb(body)
    ends = update(xorb_chunks).values(ends=index.ends)
    hub.write(lambda c: c.execute(ends))
    assert next(runs(told(hub, 2, file)))[3] == before
    # Healed by the same chunks, stored in another way.
    assert hub.client.portal is not None
    hub.client.portal.call(put_blob, hub.app.blobs, shelf.key(xorb), body, True)
    shelf.change_xorb(xorb, size=len(body), checked_at=5)
    said = told(hub, 2, file)
    assert next(runs(said))[3] == span(0, len(body) - 1)
    assert follow(fetcher(hub), said, 1500) == file.content
    assert fetcher(hub)(old, "bytes=0-5").status_code == 403


SLOW = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def any_file(shelf: Shelf, seed: int, count: int) -> File:
    """A file of terms at random, of xorbs at random."""
    random = Random(seed)
    found = shelf.random(seed, xorbs=4)
    terms = []
    for _ in range(count):
        xorb = random.choice(found)
        start = random.randrange(len(xorb.chunks))
        terms.append(xorb.term(start, random.randint(start + 1, len(xorb.chunks))))
    return shelf.file("alice/m", terms, row_terms=3)


@SLOW
@given(seed=st.integers(), count=st.integers(1, 12), data=st.data())
def test_going_by_any_answer_gives_just_the_bytes_of_the_range(
    hub: TestHub, shelf: Shelf, seed: int, count: int, data: st.DataObject
):
    file = any_file(shelf, seed, count)
    size = len(file.content)
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "MOST_XORBS", data.draw(st.integers(1, 4)))
        first, second = (told(hub, v, file, f"bytes={start}-{end - 1}") for v in (1, 2))
    assert first["terms"] == second["terms"]
    assert first["offset_into_first_range"] == second["offset_into_first_range"]
    one, two = (
        sorted((x, c["start"], c["end"], b["start"]) for x, _, c, b in runs(s))
        for s in (first, second)
    )
    assert one == two
    for said in (first, second):
        assert follow(fetcher(hub), said, end - start) == file.content[start:end]


def test_a_download_is_counted_as_where_bytes_are_sent(hub: TestHub, shelf: Shelf):
    (one, _), repo = numbered(shelf), "alice/m"
    file, other = shelf.file(repo, [one.term(0, 4)]), shelf.file(repo, [one.term(1, 2)])

    def name(conn, file: File, path: str) -> None:
        link = repo_files.c.file_id == file.id
        conn.execute(update(repo_files).where(link).values(filename=path))

    hub.app.db.write_now(lambda conn: name(conn, file, "model.gguf"))
    hub.app.db.write_now(lambda conn: name(conn, other, "shard-00002.bin"))

    def counted() -> int:
        hub.client.portal.call(hub.app.downloads.flush)
        return hub.get(f"/api/models/{repo}").json()["downloads"]

    told(hub, 2, file, "bytes=10-20")
    told(hub, 2, other)
    assert counted() == 0, "no first byte, and no file that counts"
    for version in (1, 2):
        told(hub, version, file, "bytes=0-50")
    assert counted() == 1

# SPDX-License-Identifier: Apache-2.0
"""Pushes as bytes, on both databases: who may, what is malformed, what the answer looks like."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubkeep.db.tables import git_refs
from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite
from tests.transfer.smart.handmade import (
    CAPABILITIES,
    NOTHING,
    SENT,
    Bench,
    answer_of,
    line,
    request_body,
)

MAIN = "refs/heads/main"
SIDE = "refs/heads/side"


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


@pytest.fixture
def bench(shelf: Shelf, tmp_path: Path) -> Bench:
    return Bench(shelf.hub, tmp_path / "bench").begin()


@pytest.fixture
def tip(shelf: Shelf, hub: TestHub) -> str:
    """Where the default branch is."""
    return hub.get(shelf.api).json()["sha"]


def adverts(hub: TestHub, path: str = "/alice/shelf", **how):
    return hub.get(f"{path}/info/refs?service=git-receive-pack", **how)


@on_sqlite
def test_who_may_push_is_told_the_refs(hub: TestHub, shelf: Shelf, tip: str):
    told = adverts(hub, "/alice/shelf.git", token=hub.tokens.alice)
    assert told.headers["content-type"] == "application/x-git-receive-pack-advertisement"
    assert "no-cache" in told.headers["cache-control"]
    first, _, capabilities = told.content.removeprefix(
        line("# service=git-receive-pack\n") + b"0000"
    ).partition(b"\0")
    assert first[4:] == f"{tip} {MAIN}".encode()
    words = capabilities.decode().removesuffix("\n0000").split()
    known = "report-status delete-refs side-band-64k quiet atomic ofs-delta no-thin"
    assert words[:-1] == [*known.split(), "object-format=sha1"]
    assert words[-1].startswith("agent=hubkeep/")


def test_annotated_tags_are_told_as_they_are(hub: TestHub, shelf: Shelf, tip: str):
    made = hub.post(
        f"{shelf.api}/tag/main", token=shelf.token, json={"tag": "v1", "message": "one"}
    )
    assert made.status_code == 200
    told = adverts(hub, token=hub.tokens.alice).content.decode()
    name = told.index(" refs/tags/v1\n")
    assert told[name - 40 : name] != tip
    assert "^{}" not in told


@on_sqlite
def test_an_empty_repository_tells_its_capabilities(bench: Bench, hub: TestHub):
    hub.write(lambda conn: conn.execute(git_refs.delete()))
    told = adverts(hub, token=hub.tokens.alice).content
    assert f"{NOTHING} capabilities^{{}}\0report-status ".encode() in told


@on_sqlite
@pytest.mark.parametrize("private", [False, True])
def test_who_may_not_push_is_told_before_anything_is_sent(hub: TestHub, private: bool):
    shelf = Shelf(hub).create(private=private)
    bench = Bench(hub, Path())
    for ask in (
        lambda **how: adverts(hub, **how),
        lambda **how: bench.send(_never_read(), **{"token": None, **how}),
    ):
        stranger = ask()
        assert stranger.status_code == 401
        assert stranger.headers["www-authenticate"].startswith("Basic ")
        assert ask(token=hub.tokens.bob).status_code == (404 if private else 403)
        read = ask(token=hub.tokens.alice_read)
        assert read.status_code == 403
        assert read.text.startswith("This token has the role 'read'")
        assert read.headers["content-type"].startswith("text/plain")
        assert ask(token="hf_nobody").status_code == 401
    assert shelf.hub is hub


def _never_read() -> Iterator[bytes]:
    yield from ()


def test_a_push_makes_a_branch_in_a_repository(bench: Bench, tip: str, hub: TestHub):
    commit = bench.commit({"README.md": b"---\nlicense: mit\n---\n"})
    answer = bench.push((NOTHING, commit, SIDE), pack=bench.pack(commit))
    assert (answer.unpack, answer.refs) == ("ok", {SIDE: "ok"})
    assert bench.refs() == {MAIN: tip, SIDE: commit}
    assert bench.leftovers() == []
    info = bench.api("/revision/side").json()
    assert (info["sha"], info["cardData"]) == (commit, {"license": "mit"})
    assert bench.api().json()["sha"] == tip


@on_sqlite
def test_what_is_said_goes_with_the_channels_that_were_chosen(bench: Bench, tip: str):
    commit = bench.commit({"a": b"1"})
    pack = bench.pack(commit)

    def send(ref: str, capabilities: str) -> bytes:
        body = request_body([(NOTHING, commit, ref)], pack, capabilities=capabilities)
        return bench.send(body).content

    loud = answer_of(send("refs/heads/a", "report-status side-band-64k"))
    assert "Checking" in loud.said
    assert answer_of(send("refs/heads/b", "report-status side-band-64k quiet")).said == ""
    plain = answer_of(send("refs/heads/c", "report-status"), in_bands=False)
    assert plain.refs == {"refs/heads/c": "ok"}
    assert send("refs/heads/d", "side-band-64k quiet") == b"0000"
    assert send("refs/heads/e", "") == b""
    assert len(bench.refs()) == 6


@on_sqlite
def test_no_command_at_all_is_git_asking_whether_it_may_send_more(bench: Bench):
    probe = bench.send(b"0000")
    assert (probe.status_code, probe.content) == (200, b"")
    assert probe.headers["content-type"] == "application/x-git-receive-pack-result"


@on_sqlite
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_a_body_may_come_packed(bench: Bench, encoding: str):
    commit = bench.commit({"a": b"1" * 5_000_000})
    body = gzip.compress(request_body([(NOTHING, commit, SIDE)], bench.pack(commit)))
    sent = bench.send(body, headers={"Content-Encoding": encoding})
    assert answer_of(sent.content).refs == {SIDE: "ok"}


BAD = [
    (b"", "ends within a packet line"),
    (b"this is no push", "is not the length of a packet line"),
    (b"0003", "cannot have 3 bytes"),
    (b"fffe", "cannot have 65534 bytes"),
    (line("hello") + b"0000", "is no command of a push"),
    (line(f"{NOTHING} {'g' * 40} {SIDE}") + b"0000", "is no command of a push"),
    (line(f"{NOTHING} {'a' * 40} {SIDE}"), "ends within a packet line"),
    (request_body([(NOTHING, "a" * 40, SIDE)] * 2), "twice"),
    (line(f"{NOTHING} {'a' * 64} {SIDE}") + b"0000", "is no command of a push"),
    (line(b"push-cert\0 report-status") + b"0000", "without --signed"),
    (
        request_body([(NOTHING, "a" * 40, f"refs/heads/{n}") for n in range(20_001)]),
        "at most 20000 refs",
    ),
    (
        request_body([(NOTHING, "a" * 40, SIDE)], capabilities="report-status push-options"),
        "'push-options'",
    ),
    (
        request_body([(NOTHING, "a" * 40, SIDE)], capabilities="object-format=sha256"),
        "'object-format=sha256'",
    ),
    (request_body([(NOTHING, "a" * 40, SIDE + "a" * 1000)]), "is no command of a push"),
    (request_body([(NOTHING, "a" * 40, SIDE)], before=["shallow 1"]), "is no command of a push"),
]


@on_sqlite
def test_what_is_no_push_is_refused_in_a_sentence(bench: Bench):
    for body, said in BAD:
        refused = bench.send(body)
        assert (refused.status_code, said in refused.text) == (400, True), refused.text
        assert refused.headers["content-type"].startswith("text/plain")
        assert refused.text.count("\n") == 1
    assert bench.leftovers() == []


@on_sqlite
def test_other_bodies_than_pushes_are_refused(bench: Bench):
    assert bench.send(b"0000", headers={"Content-Type": "text/plain"}).status_code == 415
    assert bench.send(b"0000", headers={"Content-Encoding": "br"}).status_code == 415
    no_gzip = bench.send(b"0000", headers={"Content-Encoding": "gzip"})
    assert (no_gzip.status_code, "not in gzip" in no_gzip.text) == (400, True)
    assert bench.hub.get("/alice/shelf/git-receive-pack").status_code == 405


def test_a_target_that_does_not_exist_is_refused(bench: Bench, tip: str):
    for pack in (b"", bench.pack(bench.commit({"a": b"1"}))):
        answer = bench.push((NOTHING, "deadbeef" * 5, SIDE), pack=pack)
        assert answer.refs == {SIDE: "missing necessary objects"}
        assert "deadbeef" in answer.said
    assert bench.refs() == {MAIN: tip}


def test_a_push_that_lacks_objects_is_refused(bench: Bench, tip: str):
    first = bench.commit({"a": b"1"})
    second = bench.commit({"a": b"1", "b": b"2"}, first)
    for lacking in (
        bench.pack(second, without=[first]),
        bench.pack_of(second, first),
        bench.pack_of(second, bench.git("rev-parse", f"{second}^{{tree}}"), first),
    ):
        answer = bench.push((NOTHING, second, SIDE), pack=lacking)
        assert answer.refs == {SIDE: "missing necessary objects"}
    assert bench.refs() == {MAIN: tip}
    assert bench.leftovers() == []


@on_sqlite
def test_objects_of_another_repository_are_missing_here(bench: Bench, hub: TestHub, tip: str):
    secret = bench.commit({"a": b"1"})
    Shelf(hub, "alice/other").create(private=True)
    other = Bench(hub, bench.folder, "alice/other")
    assert other.push((NOTHING, secret, SIDE), pack=bench.pack(secret)).refs == {SIDE: "ok"}
    assert bench.push((NOTHING, secret, SIDE)).refs == {SIDE: "missing necessary objects"}


def test_a_stale_old_value_moves_nothing(bench: Bench, shelf: Shelf, tip: str):
    commit = bench.commit({"a": b"1"})
    assert shelf.commit({"b": b"2"}).status_code == 200
    now = bench.api().json()["sha"]
    answer = bench.push((tip, commit, MAIN), pack=bench.pack(commit))
    assert answer.refs == {MAIN: "failed to update ref"}
    assert "Fetch first" in answer.said
    assert bench.push((NOTHING, commit, MAIN), pack=bench.pack(commit)).refs != {MAIN: "ok"}
    assert bench.push((commit, commit, SIDE), pack=bench.pack(commit)).refs != {SIDE: "ok"}
    assert bench.refs() == {MAIN: now}


def test_each_ref_is_judged_by_itself_unless_all_or_none_are_wanted(bench: Bench, tip: str):
    commit = bench.commit({"a": b"1"})
    commands = [
        (NOTHING, commit, "refs/heads/good"),
        (NOTHING, commit, "refs/notes/bad"),
        (NOTHING, commit, "refs/tags/good"),
    ]
    atomic = f"{CAPABILITIES} atomic"
    answer = bench.push(*commands, pack=bench.pack(commit), capabilities=atomic)
    assert set(answer.refs.values()) == {"atomic push failure", "only branches and tags are taken"}
    assert bench.refs() == {MAIN: tip}
    answer = bench.push(*commands, pack=bench.pack(commit))
    assert answer.refs == {
        "refs/heads/good": "ok",
        "refs/notes/bad": "only branches and tags are taken",
        "refs/tags/good": "ok",
    }
    assert bench.refs() == {MAIN: tip, "refs/heads/good": commit, "refs/tags/good": commit}


@on_sqlite
def test_a_branch_leads_to_a_commit_and_a_tag_to_one_in_the_end(bench: Bench, tip: str):
    commit = bench.commit({"a": b"1"})
    tag = _tag_of(bench, commit, "commit")
    outer = _tag_of(bench, tag, "tag")
    blob_tag = _tag_of(bench, bench.blob(b"1"), "blob")
    pack = bench.pack(commit, tag, outer, blob_tag)
    tree = bench.git("rev-parse", f"{commit}^{{tree}}")
    for target in (tag, outer, tree, bench.blob(b"1"), blob_tag):
        assert bench.push((NOTHING, target, SIDE), pack=pack).refs != {SIDE: "ok"}
    assert bench.push((NOTHING, tree, "refs/tags/t"), pack=pack).refs != {"refs/tags/t": "ok"}
    assert bench.push((NOTHING, outer, "refs/tags/t"), pack=pack).refs == {"refs/tags/t": "ok"}
    assert bench.refs() == {MAIN: tip, "refs/tags/t": commit}
    assert bench.api("/revision/t").json()["sha"] == commit
    assert bench.push((outer, tag, "refs/tags/t"), pack=pack).refs == {"refs/tags/t": "ok"}
    assert tag in adverts(bench.hub, token=bench.hub.tokens.alice).text


def _tag_of(bench: Bench, oid: str, kind: str) -> str:
    text = (
        f"object {oid}\ntype {kind}\ntag t\ntagger Alice <alice@example.org> 1700000000 +0000\n\n"
    )
    return bench.git("hash-object", "-t", "tag", "-w", "--stdin", given=f"{text}t\n".encode())


@on_sqlite
def test_shallow_lines_are_passed_over(bench: Bench, tip: str):
    first = bench.commit({"a": b"1"})
    second = bench.commit({"a": b"2"}, first)
    third = bench.commit({"a": b"3"}, second)
    assert bench.push((NOTHING, second, SIDE), pack=bench.pack(second)).refs == {SIDE: "ok"}
    shallow = [f"shallow {second}"]
    pack = bench.pack(third, without=[second])
    assert bench.push((second, third, SIDE), pack=pack, before=shallow).refs == {SIDE: "ok"}
    orphan = bench.commit({"b": b"1"}, bench.commit({"b": b"0"}))
    pack = bench.pack(orphan, without=[f"{orphan}^"])
    cut = bench.push((NOTHING, orphan, "refs/heads/cut"), pack=pack, before=[f"shallow {orphan}"])
    assert cut.refs == {"refs/heads/cut": "missing necessary objects"}


@on_sqlite
def test_many_pushes_over_one_connection(bench: Bench, tip: str):
    """A refused body leaves nothing behind that the next request would stumble over."""
    last = NOTHING
    for number in range(3):
        commit = bench.commit({"a": b"%d" % number})
        assert bench.send(b"nonsense" * 1000).status_code == 400
        answer = bench.push((last, commit, SIDE), pack=bench.pack(commit))
        assert answer.refs == {SIDE: "ok"}
        last = commit
    assert SENT.endswith("-request")

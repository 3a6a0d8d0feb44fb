# SPDX-License-Identifier: Apache-2.0
"""Pushes over real connections: cut off, slow, kept open; nothing of a broken one stays."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.harness.hub import LiveHub, running_hub, seed_folder
from tests.transfer.smart.handmade import NOTHING, SENT, answer_of, line, packets, request_body
from tests.transfer.smart.native import GitClient, Remote, WorkCopy, make_client, make_remote

SIDE = "refs/heads/side"


@pytest.fixture
def copy(git: GitClient, remote: Remote) -> WorkCopy:
    return git.begin(remote)


def pack_of(copy: WorkCopy, commit: str) -> bytes:
    """A pack of a commit and all that it leads to."""
    name = copy.run("pack-objects", "-q", "--revs", "pack", stdin=f"{commit}\n".encode()).out
    return (copy.folder / f"pack-{name.strip()}.pack").read_bytes()


def head_of(remote: Remote, *more: str) -> bytes:
    """The head of a request that pushes."""
    lines = [
        f"POST {remote.web}.git/git-receive-pack HTTP/1.1",
        f"Host: {urlsplit(remote.url).netloc}",
        f"Authorization: Bearer {remote.hub.token}",
        f"Content-Type: {SENT}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def connect(hub: LiveHub) -> socket.socket:
    address = urlsplit(hub.url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=60)


def is_clean(hub: LiveHub) -> bool:
    """Wait until nothing is left of pushes on the hub's disk."""
    folder = hub.data / "incoming"
    until = time.monotonic() + 30
    while folder.exists() and any(folder.iterdir()):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("chunked", [False, True])
def test_a_connection_that_breaks_leaves_nothing(copy: WorkCopy, remote: Remote, chunked: bool):
    commit = copy.commit({"a": b"1" * 300_000})
    body = request_body([(NOTHING, commit, SIDE)], pack_of(copy, commit))
    before = remote.refs()
    for share in (60, len(body) // 2, len(body) - 1):
        with connect(remote.hub) as broken:
            if chunked:
                head = head_of(remote, "Transfer-Encoding: chunked")
                broken.sendall(head + b"%x\r\n" % share + body[:share] + b"\r\n")
            else:
                head = head_of(remote, f"Content-Length: {len(body)}")
                broken.sendall(head + body[:share])
    assert is_clean(remote.hub)
    assert remote.refs() == before
    assert remote.call("GET", f"{remote.api}/revision/{commit}").status_code == 404
    copy.push(f"{commit}:{SIDE}")
    assert remote.refs() == {**before, SIDE: commit}


def test_a_pack_that_is_cut_or_damaged_is_refused(copy: WorkCopy, remote: Remote):
    commit = copy.commit({"a": b"1" * 3000})
    pack = pack_of(copy, commit)
    damaged = pack[:60] + bytes([pack[60] ^ 255]) + pack[61:]
    before = remote.refs()
    for sent in (pack[:-1], pack[: len(pack) // 2], damaged, b"PACK", b"nonsense" * 100):
        body = request_body([(NOTHING, commit, SIDE)], sent)
        answer = answer_of(_post(remote, body))
        assert answer.unpack != "ok"
        assert answer.refs == {SIDE: "unpacker error"}
    assert remote.refs() == before
    assert is_clean(remote.hub)


def _post(remote: Remote, body: bytes) -> bytes:
    address = f"{remote.web}/git-receive-pack"
    sent = remote.call("POST", address, content=body, headers={"Content-Type": SENT})
    return sent.raise_for_status().content


def test_a_client_that_asks_first_is_told_to_go_on(copy: WorkCopy, remote: Remote):
    commit = copy.commit({"a": b"1"})
    body = request_body([(NOTHING, commit, SIDE)], pack_of(copy, commit))
    with connect(remote.hub) as asking:
        length = f"Content-Length: {len(body)}"
        asking.sendall(head_of(remote, length, "Expect: 100-continue", "Connection: close"))
        assert asking.recv(1000).startswith(b"HTTP/1.1 100 ")
        asking.sendall(body)
        answer = b"".join(iter(lambda: asking.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert f"ok {SIDE}".encode() in answer


def test_one_connection_takes_several_pushes(copy: WorkCopy, remote: Remote):
    """After a refusal too, of which the rest of the body is read."""
    address = urlsplit(remote.url)
    headers = {"Authorization": f"Bearer {remote.hub.token}", "Content-Type": SENT}
    last = NOTHING
    with closing(
        http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    ) as kept:
        kept.connect()
        first = kept.sock
        for number in range(3):
            commit = copy.commit({"a": b"%d" % number})
            for wrong in (True, False):
                target = "deadbeef" * 5 if wrong else commit
                pack = b"nonsense" * 100_000 if wrong else pack_of(copy, commit)
                body = request_body([(last, target, SIDE)], pack)
                kept.request("POST", f"{remote.web}/git-receive-pack", body, headers)
                answer = answer_of(kept.getresponse().read())
                assert (answer.refs[SIDE] == "ok") is not wrong
            last = commit
            assert kept.sock is first
    assert remote.refs()[SIDE] == last


def test_signs_of_life_come_before_the_answer(copy: WorkCopy, remote: Remote):
    """The head of the answer and what is done are told before all is done."""
    commit = copy.commit({"a": b"1"})
    pack = pack_of(copy, commit)
    body = request_body([(NOTHING, commit, SIDE)], pack)
    lines = [each for each in packets(_post(remote, body)) if each]
    assert [each[0] for each in lines] == [2, 2, 1]
    assert lines[0] == b"\x02Checking 3 objects\n"
    assert lines[-1][1:] == line("unpack ok\n") + line(f"ok {SIDE}\n") + b"0000"


def test_a_pack_past_the_limits_is_refused_and_said_why(small_hub: LiveHub, tmp_path: Path):
    remote = make_remote(small_hub)
    copy = make_client(small_hub, tmp_path / "home", small_hub.token).begin(remote)
    copy.commit({f"f{number}": b"%d" % number for number in range(100)})
    refused = copy.refused("--force", "main")
    assert "The push has 102 objects; 50 are the most" in refused.remote
    copy.run("checkout", "-q", "--orphan", "other")
    copy.run("rm", "-rfq", ".")
    with Path("/dev/urandom").open("rb") as random:
        content = random.read(1 << 20) * 32
    copy.run("config", "core.compression", "0")
    copy.commit({"a": content})
    # The client sends all of it before it looks at the answer.
    refused = copy.refused("--force", "other")
    assert "A push may bring at most 1 MiB" in refused.remote
    assert "[remote rejected] other -> other (unpacker error)" in refused.err
    assert is_clean(small_hub)


@pytest.fixture
def small_hub(tmp_path: Path) -> Iterator[LiveHub]:
    """A hub that takes no more than 50 objects and a mebibyte."""
    data = tmp_path / "small" / "hub"
    seed_folder(data)
    env = {"HUBKEEP_PUSH_MB": "1", "HUBKEEP_PUSH_OBJECTS": "50"}
    with running_hub(data, "--no-job-worker", env=env) as hub:
        yield hub

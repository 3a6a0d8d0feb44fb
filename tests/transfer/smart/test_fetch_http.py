# SPDX-License-Identifier: Apache-2.0
"""Fetches as HTTP requests: odd ones, those that are broken off, and caches that vanish."""

import asyncio
import gzip
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from starlette.types import Message

from hubkeep.git import program
from hubkeep.git.pktline import FLUSH, packet
from hubkeep.transfer.smart import api_fetch, serving
from tests.content.shelf import Shelf
from tests.harness.hub import LiveHub, TestHub, on_sqlite, running_hub, seed_folder
from tests.transfer.smart.native import GitClient, Remote, make_client, make_remote

ASKED = "application/x-git-upload-pack-request"
V2 = {"Git-Protocol": "version=2"}
LS_REFS = packet(b"command=ls-refs\n") + b"0001" + packet(b"peel\n") + FLUSH


def ask(remote: Remote, body: bytes, **headers: str) -> httpx.Response:
    """Send a request of protocol 2, as nobody."""
    sent = {"Content-Type": ASKED, **V2, **headers}
    return remote.call("POST", f"{remote.web}/git-upload-pack", "", content=body, headers=sent)


@pytest.fixture(scope="module")
def own_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A hub whose cache may be deleted."""
    data = tmp_path_factory.mktemp("own") / "hub"
    seed_folder(data)
    with running_hub(data, "--no-job-worker") as hub:
        yield hub


@pytest.fixture
def own(own_hub: LiveHub) -> Remote:
    return make_remote(own_hub)


@pytest.fixture
def own_git(own_hub: LiveHub, tmp_path: Path) -> GitClient:
    return make_client(own_hub, tmp_path / "home", own_hub.token)


def places(hub: LiveHub) -> list[Path]:
    """The bare repositories in the cache."""
    return [path.parent for path in (hub.data / "git-cache").glob("*/*/packed-refs")]


def test_the_headers_are_those_that_git_and_proxies_want(remote: Remote) -> None:
    path = f"{remote.web}/info/refs?service=git-upload-pack"
    told = remote.call("GET", path, "", headers=V2)
    assert told.headers["content-type"] == "application/x-git-upload-pack-advertisement"
    assert told.headers["cache-control"] == "no-cache, max-age=0, must-revalidate"
    assert told.content.startswith(b"000eversion 2\n")
    old = remote.call("GET", path, "").content
    assert old.startswith(b"001e# service=git-upload-pack\n0000")
    assert b"HEAD\0" in old
    head = remote.call("HEAD", path, "")
    assert (head.status_code, head.content) == (200, b"")
    odd = remote.call("GET", path, "", headers={"Git-Protocol": "version=2;`id`:version=9"})
    assert odd.content in (told.content, old)


def test_a_request_may_come_packed(remote: Remote) -> None:
    plain = ask(remote, LS_REFS)
    assert plain.headers["content-type"] == "application/x-git-upload-pack-result"
    assert b"refs/heads/main" in plain.content
    packed = ask(remote, gzip.compress(LS_REFS), **{"Content-Encoding": "gzip"})
    assert packed.content == plain.content


def test_what_is_no_request_of_git_is_refused(remote: Remote) -> None:
    assert ask(remote, LS_REFS, **{"Content-Type": "text/plain"}).status_code == 415
    assert ask(remote, LS_REFS, **{"Content-Encoding": "br"}).status_code == 415
    assert ask(remote, LS_REFS, **{"Content-Encoding": "gzip"}).status_code == 400
    for body in (b"hello", b"0000", packet(b"command=rm\n") + FLUSH, b"0005x" * 10_000):
        answer = ask(remote, body)
        assert answer.status_code in (200, 400)
        assert answer.headers["content-type"].startswith(("text/plain", "application/x-git"))
        assert "Traceback" not in answer.text


def test_what_git_says_to_the_hub_is_not_for_clients(remote: Remote) -> None:
    """It may name folders of the hub's machine."""
    answer = ask(remote, b"hello")
    assert (answer.status_code, answer.text) == (400, f"{serving.REFUSED}\n")


def test_a_request_that_unfolds_to_much_is_refused_early(remote: Remote) -> None:
    bomb = gzip.compress(b"0" * (api_fetch.REQUEST_LIMIT + 1), 9)
    assert ask(remote, bomb, **{"Content-Encoding": "gzip"}).status_code == 413


@pytest.mark.parametrize("version", [0, 2])
def test_a_cache_that_is_deleted_is_made_again(
    own_hub: LiveHub, own: Remote, own_git: GitClient, version: int
) -> None:
    speaking = ("-c", f"protocol.version={version}")
    copy = own_git.clone(own, *speaking)
    shutil.rmtree(own_hub.data / "git-cache")
    made = own.commit({"a": b"a"}).json()["commitOid"]
    copy.run("pull", "-q")
    assert copy.tip() == made


def without_packs(path: Path) -> None:
    shutil.rmtree(path / "objects/pack", ignore_errors=True)


def without_objects(path: Path) -> None:
    shutil.rmtree(path / "objects", ignore_errors=True)


def with_broken_packs(path: Path) -> None:
    for pack in path.glob("objects/pack/*.pack"):
        pack.write_bytes(pack.read_bytes()[:40] + b"\0" * 40)


def with_empty_packs(path: Path) -> None:
    for pack in path.glob("objects/pack/*"):
        pack.write_bytes(b"")


def with_empty_head(path: Path) -> None:
    (path / "HEAD").write_bytes(b"")


DAMAGES = [without_packs, without_objects, with_broken_packs, with_empty_packs, with_empty_head]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("version", [0, 2])
def test_a_damaged_cache_harms_nobody(
    own_hub: LiveHub,
    own: Remote,
    own_git: GitClient,
    damage: Callable[[Path], None],
    version: int,
) -> None:
    speaking = ("-c", f"protocol.version={version}")
    copy = own_git.clone(own, *speaking)
    for place in places(own_hub):
        damage(place)
    again = own_git.clone(own, *speaking)
    assert again.tip() == copy.tip()
    assert again.run("fsck", "--full", "--strict").err == ""


def children(pid: int) -> list[str]:
    """The command lines of all processes below one."""
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    found: list[str] = []
    above = {str(pid)}
    while above:
        below = [row for row in rows if row[1] in above]
        found += [row[2] for row in below]
        above = {row[0] for row in below}
    return found


def eventually(is_so: Callable[[], bool]) -> bool:
    """Whether something comes to be so within a few seconds."""
    end = time.monotonic() + 20
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def wants(tip: str) -> bytes:
    """A request of protocol 2 for all that a commit leads to."""
    want = packet(b"want " + tip.encode())
    return packet(b"command=fetch\n") + b"0001" + want + packet(b"done") + FLUSH


def asking(remote: Remote, body: bytes) -> socket.socket:
    """Send a request of protocol 2 on a connection of its own, and take nothing yet."""
    place = urlsplit(remote.hub.url)
    head = (
        f"POST {remote.web}/git-upload-pack HTTP/1.1\r\nHost: {place.netloc}\r\n"
        f"Content-Type: {ASKED}\r\nGit-Protocol: version=2\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    client = socket.create_connection((place.hostname, place.port), timeout=30)
    client.sendall(head.encode() + body)
    return client


def commit_much(remote: Remote) -> str:
    """Commit more than all buffers of a connection hold."""
    made = remote.commit({f"f{number}": os.urandom(4_000_000) for number in range(5)})
    return made.raise_for_status().json()["commitOid"]


def test_git_ends_as_soon_as_its_client_leaves(own_hub: LiveHub, own: Remote) -> None:
    """The client takes a little of much, and goes."""
    with asking(own, wants(commit_much(own))) as client:
        assert client.recv(12) == b"HTTP/1.1 200"
        running = [line for line in children(own_hub.process.pid) if "upload-pack" in line]
        assert running, "git waits for the client to take more"
    assert eventually(lambda: not any("pack" in line for line in children(own_hub.process.pid)))


@on_sqlite
def test_without_git_the_answer_says_so(hub: TestHub, monkeypatch: pytest.MonkeyPatch) -> None:
    made = hub.post("/api/repos/create", token=hub.tokens.alice, json={"name": "r"})
    assert made.status_code == 200
    monkeypatch.setattr(program.shutil, "which", lambda _: None)
    told = hub.get("/alice/r/info/refs?service=git-upload-pack")
    asked = hub.post("/alice/r/git-upload-pack", headers={"Content-Type": ASKED})
    for answer in (told, asked):
        assert (answer.status_code, answer.headers["content-type"]) == (
            501,
            "text/plain; charset=utf-8",
        )
        assert "git is not installed" in answer.text
    assert hub.get("/alice/r/archive/main.zip").status_code == 501


@on_sqlite
def test_who_waits_for_long_is_told_to_come_again(
    hub: TestHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.post("/api/repos/create", token=hub.tokens.alice, json={"name": "r"})
    monkeypatch.setattr(serving, "TURN_SECONDS", 0.01)
    turns = hub.app.git_turns
    path = "/alice/r/info/refs?service=git-upload-pack"
    for _ in range(hub.app.config.git_processes):
        assert hub.client.portal is not None
        hub.client.portal.call(turns.acquire)
    busy = hub.get(path)
    assert (busy.status_code, "retry-after" in busy.headers) == (503, True)
    assert "busy with other fetches" in busy.text
    turns.release()
    assert [hub.get(path).status_code for _ in range(3)] == [200, 200, 200], "turns are given back"


@on_sqlite
def test_who_is_slow_to_take_the_end_keeps_nobody_waiting(hub: TestHub) -> None:
    """git has ended by then; only while it runs is a turn its client's."""
    Shelf(hub).create()
    turns = hub.app.git_turns

    async def stalled() -> bool:
        scope = {
            "type": "http",
            "method": "GET",
            "path": (path := "/alice/shelf.git/info/refs"),
            "raw_path": path.encode(),
            "query_string": b"service=git-upload-pack",
            "headers": [(b"host", b"127.0.0.1:8080")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
            "scheme": "http",
            "asgi": {"spec_version": "2.4"},
        }
        is_sending, never = asyncio.Event(), asyncio.Event()

        async def receive() -> Message:
            await never.wait()
            raise AssertionError

        async def send(message: Message) -> None:
            if message.get("body"):
                is_sending.set()
                await never.wait()

        for _ in range(hub.app.config.git_processes - 1):
            await turns.acquire()
        client = asyncio.create_task(hub.application(scope, receive, send))
        async with asyncio.timeout(30):
            await is_sending.wait()
        was_free = not turns.locked()
        client.cancel()
        await asyncio.wait({client})
        return was_free

    assert hub.client.portal is not None
    assert hub.client.portal.call(stalled)

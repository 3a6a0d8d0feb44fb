# SPDX-License-Identifier: Apache-2.0
"""Fetches of slow clients, and of many at once: they keep nobody else from theirs."""

import asyncio
import os
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.types import Message

from hubkeep.git.fetch.places import alone_in, numbers
from hubkeep.git.program import GitFailed
from hubkeep.transfer.smart import serving
from tests.content.shelf import Shelf
from tests.harness.hub import LiveHub, TestHub, on_sqlite, running_hub, seed_folder
from tests.transfer.smart.native import Remote, make_remote
from tests.transfer.smart.test_fetch_http import (
    ASKED,
    LS_REFS,
    V2,
    asking,
    commit_much,
    eventually,
    wants,
)

TURNS = 2
FETCH = "/alice/shelf/git-upload-pack"


@pytest.fixture(scope="module")
def narrow_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A hub where few may run git at once."""
    data = tmp_path_factory.mktemp("narrow") / "hub"
    seed_folder(data)
    settings = {"HUBKEEP_GIT_PROCESSES": str(TURNS)}
    with running_hub(data, "--no-job-worker", env=settings) as hub:
        yield hub


def listed(remote: Remote) -> int:
    """Ask for a repository's refs, and do not wait for a turn until the hub gives up."""
    sent = {"Content-Type": ASKED, **V2}
    url = f"{remote.url}/git-upload-pack"
    answer = httpx.post(url, content=LS_REFS, headers=sent, timeout=15, trust_env=False)
    return answer.status_code


def test_who_stops_reading_keeps_nobody_from_a_turn(narrow_hub: LiveHub) -> None:
    large, other = make_remote(narrow_hub), make_remote(narrow_hub)
    body = wants(commit_much(large))
    with ExitStack() as stack:
        clients = [stack.enter_context(asking(large, body)) for _ in range(TURNS)]
        for client in clients:
            assert client.recv(12) == b"HTTP/1.1 200"
        assert listed(other) == 200
        assert taken(clients[0]) > 20_000_000, "who goes on gets it all"


def taken(client: socket.socket) -> int:
    """How much comes until an answer in chunks has ended."""
    size, last = 0, b""
    while not last.endswith(b"\r\n0\r\n\r\n"):
        piece = client.recv(1 << 20)
        assert piece, "the answer broke off"
        size += len(piece)
        last = (last + piece)[-16:]
    return size


def waiting_for_locks(pid: int) -> int:
    """How many threads of a process wait for the lock of a file."""
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return sum(words[1] == "->" and words[5] == str(pid) for words in lines)


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux tells who waits")
def test_many_clients_of_what_is_not_cached_take_one_turn(narrow_hub: LiveHub) -> None:
    """Its cache takes as long to be made as somebody else holds its folder."""
    slow, other = make_remote(narrow_hub), make_remote(narrow_hub)
    cache = narrow_hub.data / "git-cache"
    assert listed(other) == 200
    before = set(cache.iterdir())
    assert listed(slow) == 200
    (home,) = set(cache.iterdir()) - before
    slow.commit({"a": b"a"}).raise_for_status()
    with ExitStack() as stack:
        with alone_in(home):
            clients = [stack.enter_context(asking(slow, LS_REFS)) for _ in range(TURNS + 1)]
            assert eventually(lambda: waiting_for_locks(narrow_hub.process.pid) > 0)
            assert listed(other) == 200
            assert select.select(clients, [], [], 0)[0] == []
        for client in clients:
            assert client.recv(12) == b"HTTP/1.1 200"


def slow_fetch(hub: TestHub, goes_on: Callable[[], bool]) -> bytes:
    """Fetch alice's shelf, taking the first piece when `goes_on`; return the answer."""
    tip = hub.get("/api/models/alice/shelf").json()["sha"]
    given = [{"type": "http.request", "body": wants(tip), "more_body": False}]
    came = []

    async def receive() -> Message:
        if given:
            return given.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message.get("body"):
            assert await asyncio.to_thread(eventually, goes_on)
            came.append(message["body"])

    headers = {b"host": b"127.0.0.1:8080", b"content-type": ASKED.encode()}
    scope = {
        "type": "http",
        "method": "POST",
        "path": FETCH,
        "raw_path": FETCH.encode(),
        "query_string": b"",
        "headers": [*headers.items(), (b"git-protocol", b"version=2")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
        "scheme": "http",
        "asgi": {"spec_version": "2.4"},
    }
    portal = hub.client.portal
    assert portal is not None
    portal.call(hub.application, scope, receive, send)
    return b"".join(came)


def permits(hub: TestHub) -> tuple[int, int]:
    """How many turns are free, and how many may still be slow."""
    return hub.app.git_turns._value, hub.app.git_slow._value


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    """A repository of much more than git says ahead."""
    shelf = Shelf(hub).create()
    assert shelf.commit({"a": os.urandom(3_000_000)}).status_code == 200
    return shelf


@on_sqlite
@pytest.mark.usefixtures("shelf")
def test_a_slow_client_gives_its_turn_back(hub: TestHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "SLOW_SECONDS", 0.05)
    turns, slow = permits(hub)
    answer = slow_fetch(hub, lambda: permits(hub) in ((turns, slow - 1), (turns, slow)))
    assert answer.endswith(b"0000")
    assert len(answer) > 3_000_000
    assert permits(hub) == (turns, slow)


@on_sqlite
@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("why", ["too slow", "too many"])
def test_an_answer_to_who_is_too_slow_breaks_off(
    hub: TestHub, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """The repository in the cache is not to blame, and stays."""
    turns, slow = permits(hub)
    if why == "too slow":
        monkeypatch.setattr(serving, "SLOW_SECONDS", 100)
        monkeypatch.setattr(serving, "PATIENT_SECONDS", 0.05)
        monkeypatch.setattr(serving, "LEAST_RATE", 1 << 40)
    else:
        monkeypatch.setattr(serving, "SLOW_SECONDS", 0.05)
        for _ in range(slow):
            hub.app.git_slow.acquire()
    with pytest.raises(GitFailed, match=why):
        slow_fetch(hub, lambda: permits(hub)[0] == turns)
    path = f"{FETCH.rpartition('/')[0]}/info/refs?service=git-upload-pack"
    assert hub.get(path).status_code == 200
    (home,) = [home for home in hub.app.config.git_cache_folder.iterdir() if numbers(home)]
    assert numbers(home) == [1], "nothing was made anew"

# SPDX-License-Identifier: Apache-2.0
"""The program itself: starts, serves, stops, and leaves nothing behind."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.harness.hub import LiveHub, program_env, running_hub, seed_folder


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def await_children(pid: int, count: int, *, besides: int = 0) -> list[int]:
    """Wait until a process has `count` children, not counting the one that was there before."""
    deadline = time.monotonic() + 30
    while len(found := [child for child in children_of(pid) if child != besides]) < count:
        assert time.monotonic() < deadline, "the child did not come"
        select.select([], [], [], 0.02)
    return found


def await_exit(pids: list[int], seconds: float = 30) -> None:
    """Wait for processes that are not ours."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ready, _, _ = select.select([descriptor], [], [], seconds)
        os.close(descriptor)
        assert ready, f"process {pid} is still there"


def slow_create(hub: LiveHub) -> tuple[socket.socket, bytes]:
    """Send the first half of a request; return the connection and the other half."""
    body = b'{"name":"slow","type":"model"}'
    host, port = hub.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    head = (
        f"POST /api/repos/create HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {hub.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body[:10])
    # Once another request on another connection is answered, this one has been read.
    assert httpx.get(f"{hub.url}/readyz").status_code == 200
    return connection, body[10:]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_is_under_way(tmp_path: Path, sent: signal.Signals):
    data = tmp_path / "hub"
    seed_folder(data)
    with running_hub(data) as hub:
        [worker] = await_children(hub.process.pid, 1)
        connection, rest = slow_create(hub)
        hub.process.send_signal(sent)
        host, port = hub.url.removeprefix("http://").split(":")
        with connection:
            while True:  # no new connections from now on: refused, or reset as the port closes
                try:
                    socket.create_connection((host, int(port)), timeout=5).close()
                except ConnectionError:
                    break
            connection.sendall(rest)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        assert hub.process.wait(30) == 0
        await_exit([worker])
    with running_hub(data, "--no-job-worker") as again:
        assert httpx.get(f"{again.url}/api/models/alice/slow").status_code == 200


def test_a_second_signal_does_not_wait(tmp_path: Path):
    seed_folder(tmp_path / "hub")
    with running_hub(tmp_path / "hub", "--no-job-worker") as hub:
        connection, _ = slow_create(hub)
        with connection:
            hub.process.send_signal(signal.SIGINT)
            ended = threading.Event()

            def press_again() -> None:
                while not ended.wait(0.2):
                    hub.process.send_signal(signal.SIGINT)

            presses = threading.Thread(target=press_again)
            presses.start()
            assert hub.process.wait(20) == 0
            ended.set()
            presses.join()


def test_a_killed_hub_leaves_no_process(tmp_path: Path):
    with running_hub(tmp_path / "hub", "--workers", "2") as hub:
        children = await_children(hub.process.pid, 2)
        hub.process.kill()
        hub.process.wait()
        await_exit(children)


def test_children_that_die_are_started_again(tmp_path: Path):
    with running_hub(tmp_path / "hub") as hub:
        [worker] = await_children(hub.process.pid, 1)
        os.kill(worker, signal.SIGKILL)
        await_exit([worker])
        [other] = await_children(hub.process.pid, 1, besides=worker)
        assert hub.stop() == 0
        await_exit([other])


def test_two_workers_share_one_port(tmp_path: Path):
    seed_folder(tmp_path / "hub")
    with running_hub(tmp_path / "hub", "--workers", "2", "--no-job-worker") as hub:
        await_children(hub.process.pid, 1)
        headers = {"Authorization": f"Bearer {hub.token}"}
        for _ in range(20):
            answer = httpx.get(f"{hub.url}/api/whoami-v2", headers=headers)
            assert answer.json()["name"] == "alice"
        assert hub.stop() == 0


def test_a_port_that_is_taken_is_said(live_hub: LiveHub, tmp_path: Path):
    port = live_hub.url.rpartition(":")[2]
    command = [sys.executable, "-m", "hubkeep", "serve", "--data", tmp_path, "--port", port]
    second = subprocess.run(command, env=program_env(), capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"port {port}" in second.stderr
    assert second.stderr.count("\n") == 1
    assert httpx.get(f"{live_hub.url}/readyz").status_code == 200


def test_head_too_large(live_hub: LiveHub):
    answer = httpx.get(f"{live_hub.url}/healthz", headers={"X-Large": "x" * 66_000})
    assert answer.status_code == 431
    assert (
        httpx.get(f"{live_hub.url}/healthz", headers={"X-Large": "x" * 1_000_000}).status_code
        == 431
    )
    assert httpx.get(f"{live_hub.url}/healthz", headers={"X-Fits": "x" * 60_000}).is_success


def test_encoded_slashes_reach_the_routes(live_hub: LiveHub):
    answer = httpx.get(f"{live_hub.url}/api/models/alice/none/revision/refs%2Fpr%2F1")
    assert answer.headers["x-error-code"] == "RepoNotFound", "one segment, so a known address"


def test_a_clean_stop_keeps_every_count(tmp_path: Path):
    seed_folder(tmp_path / "hub")
    lines = (
        b'{"key":"header","value":{"summary":"Add"}}\n'
        b'{"key":"file","value":{"path":"a.csv","content":"eCx5","encoding":"base64"}}\n'
    )
    with running_hub(tmp_path / "hub", "--no-job-worker") as hub:
        with httpx.Client(
            base_url=hub.url, headers={"Authorization": f"Bearer {hub.token}"}
        ) as client:
            made = client.post("/api/repos/create", json={"name": "d", "type": "dataset"})
            assert made.status_code == 200
            committed = client.post("/api/datasets/alice/d/commit/main", content=lines)
            assert committed.status_code == 200, committed.text
            file = client.get("/datasets/alice/d/resolve/main/a.csv")
            assert file.content == b"x,y"
        assert hub.stop() == 0
    with running_hub(tmp_path / "hub", "--no-job-worker") as hub:
        assert httpx.get(f"{hub.url}/api/datasets/alice/d").json()["downloads"] == 1

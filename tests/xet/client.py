# SPDX-License-Identifier: Apache-2.0
"""The stock client's engine, hf_xet, in a process of its own, and a server that notes its calls."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_SCRIPT = """
import json, sys
import hf_xet
endpoint, paths = sys.argv[1], sys.argv[2:]
session = hf_xet.XetSession()
with session.new_upload_commit(
    endpoint=endpoint, token="token", token_expiry_unix_secs=9_999_999_999
) as commit:
    for path in paths:
        commit.start_upload_file(path)
print(json.dumps([file.hash for file in hf_xet.hash_files(paths)]))
"""


def upload(endpoint: str, paths: list[Path], cache: Path) -> list[str]:
    """Upload files, each from an empty cache, and return their hashes as the client knows them."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, endpoint, *map(str, paths)],
        env={"PATH": os.environ["PATH"], "HF_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@dataclass
class Sent:
    """What a client sent, and what it asked for."""

    xorbs: dict[str, bytes] = field(default_factory=dict)
    shards: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def recorder(
    known: Callable[[str], bytes | None] = lambda _hash: None,
) -> Iterator[tuple[str, Sent]]:
    """A server that takes xorbs and shards, and answers with `known` whether a chunk is known."""
    sent = Sent()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args: object) -> None:
            """Nobody reads it."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, reply = 404, b""
            name = self.path.rpartition("/")[2]
            if self.command == "POST" and self.path.startswith("/v1/xorbs/"):
                sent.xorbs[name] = body
                status, reply = 200, b'{"was_inserted":true}'
            elif self.command == "POST" and self.path == "/v1/shards":
                sent.shards.append(body)
                status, reply = 200, b'{"result":1}'
            elif self.path.startswith("/v1/chunks/"):
                sent.asked.append(name)
                found = known(name)
                status, reply = (200, found) if found else (404, b"")
            self.send_response(status)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        do_GET = do_POST = do_HEAD = answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

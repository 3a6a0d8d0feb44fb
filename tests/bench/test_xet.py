# SPDX-License-Identifier: Apache-2.0
"""What the benchmark of Xet uses: checkpoints that differ as said, and a relay that counts."""

import itertools
import json
import socket
import struct
import threading
from pathlib import Path

from bench.checkpoints import TENSORS, checkpoints
from bench.relay import relay

MIB = 1 << 20


def tensors(path: Path) -> list[bytes]:
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    start = 8 + length
    places = [each["data_offsets"] for each in json.loads(content[8:start]).values()]
    assert places[-1][1] == len(content) - start
    return [content[start + first : start + last] for first, last in places]


def test_each_checkpoint_changes_its_share(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    seen = []
    for size in checkpoints(path, MIB, 3, 0.05):
        assert path.stat().st_size == size > MIB * 0.99
        seen.append(tensors(path))
    for before, after in itertools.pairwise(seen):
        assert sum(a != b for a, b in zip(before, after, strict=True)) == TENSORS * 0.05


def test_the_relay_counts_what_is_sent_and_passes_everything_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                total = 0
                while piece := connection.recv(MIB):
                    total += len(piece)
                connection.sendall(b"%d bytes came" % total)

        thread = threading.Thread(target=answer)
        thread.start()
        with (
            relay(f"http://127.0.0.1:{server.getsockname()[1]}") as counting,
            socket.create_connection(("127.0.0.1", int(counting.url.rpartition(":")[2]))) as client,
        ):
            client.sendall(bytes(3 * MIB))
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b"%d bytes came" % (3 * MIB)
            assert counting.sent == 3 * MIB
        thread.join()

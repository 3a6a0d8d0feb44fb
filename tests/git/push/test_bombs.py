# SPDX-License-Identifier: Apache-2.0
"""Packs that grow when they are opened: refused within memory and time, measured from outside."""

import json
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from hubkeep.git.objects import Kind
from tests.git.push.pushing import HandMade, closed, entry_head, whole

MOST = 300  # MiB over idle, of this process and its children
ROOT = Path(__file__).parents[3]


def pushed(sqlite_url: str, tmp_path: Path, data: bytes, tip: bytes) -> dict:
    pack = tmp_path / "bomb.pack"
    pack.write_bytes(data)
    words = ["tests.git.push.measuring", sqlite_url, str(tmp_path / "in"), str(pack), tip.hex()]
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def number(value: int) -> bytes:
    """A size as deltas have it."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def copies(size: int, times: int) -> bytes:
    """A delta that repeats all of its base."""
    out = b""
    for start in range(0, size, 0xFFFFFF):
        length = min(size - start, 0xFFFFFF)
        flags, given = 0x80, b""
        for place, byte in enumerate(start.to_bytes(4, "little") + length.to_bytes(3, "little")):
            if byte:
                flags |= 1 << place
                given += bytes([byte])
        out += bytes([flags]) + given
    return number(size) + number(size * times) + out * times


def delta_bomb(size: int) -> bytes:
    """A small pack whose last object has at least so many bytes."""
    entries = [whole(Kind.BLOB, b"x" * (1 << 16))]
    held = 1 << 16
    while held < size:
        delta = copies(held, 10)
        back, value = [], len(entries[-1])
        back.append(value & 127)
        while value := value >> 7:
            value -= 1
            back.append(value & 127 | 128)
        head = entry_head(6, len(delta)) + bytes(reversed(back))
        entries.append(head + zlib.compress(delta))
        held *= 10
    return closed(entries)


def test_deltas_that_grow(sqlite_url: str, tmp_path: Path) -> None:
    bomb = delta_bomb(600 << 20)
    assert len(bomb) < 1000
    found = pushed(sqlite_url, tmp_path, bomb, b"\x11" * 20)
    assert any("Out of memory" in line for line in found["refused"])
    assert found["memory"] < MOST


def large_blob(made: HandMade) -> bytes:
    return made.commit(made.tree((b"100644", b"a.bin", made.blob(bytes(300 << 20)))))


def large_tree(made: HandMade) -> bytes:
    entries = (b"100644 %07d\0%b" % (n, b"\x11" * 20) for n in range(600_000))
    return made.commit(made.add(Kind.TREE, b"".join(entries)))


def large_commit(made: HandMade) -> bytes:
    return made.commit(made.tree((b"100644", b"a", made.blob(b""))), text=b"x" * (100 << 20))


@pytest.mark.parametrize(
    ("make", "words"),
    [(large_blob, "git-lfs"), (large_tree, "a tree may have"), (large_commit, "a commit may")],
)
def test_objects_that_grow(
    sqlite_url: str, tmp_path: Path, make: Callable[[HandMade], bytes], words: str
) -> None:
    made = HandMade()
    tip = make(made)
    found = pushed(sqlite_url, tmp_path, made.pack, tip)
    assert any(words in line for line in found["refused"]), found
    assert found["memory"] < MOST


def test_many_objects_are_no_bomb(sqlite_url: str, tmp_path: Path) -> None:
    """Thirty thousand pointers in three hundred folders; more take no more for each of them."""
    made = HandMade()
    folders = []
    for folder in range(300):
        blobs = [made.blob(pointer(folder * 100 + n)) for n in range(100)]
        inside = [(b"100644", b"%03d" % n, blob) for n, blob in enumerate(blobs)]
        folders.append((b"40000", b"%03d" % folder, made.tree(*inside)))
    tip = made.commit(made.tree(*folders))
    found = pushed(sqlite_url, tmp_path, made.pack, tip)
    assert "write" in found["seconds"], found
    assert found["memory"] < MOST / 4


def pointer(n: int) -> bytes:
    return b"version https://git-lfs.github.com/spec/v1\noid sha256:%064x\nsize 12\n" % n

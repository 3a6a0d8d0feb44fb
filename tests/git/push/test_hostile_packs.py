# SPDX-License-Identifier: Apache-2.0
"""Packs that git itself refuses, in its own words and before anything is kept of them."""

import asyncio
import hashlib
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hubkeep.git.objects import Kind
from hubkeep.git.push.incoming import Bounds, Refused, receive
from tests.git.push.pushing import BOUNDS, HandMade, closed, entry_head, taken, whole

FILE = b"100644"


def refused(tmp_path: Path, data: bytes, bounds: Bounds = BOUNDS) -> Refused:
    with pytest.raises(Refused) as caught:
        taken(tmp_path, data, bounds)
    assert not list(tmp_path.glob("in*"))
    assert str(tmp_path) not in str(caught.value)
    return caught.value


def size_bytes(size: int) -> bytes:
    """A size as deltas have it."""
    out = bytearray()
    while size >= 0x80:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*out, size])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (b".git", "hasDotgit"),
        (b".GIT", "hasDotgit"),
        (b"git~1", "hasDotgit"),
        (".g\u200cit".encode(), "hasDotgit"),
        (b"..", "hasDotdot"),
        (b".", "hasDot"),
        (b"a/b", "fullPathname"),
        (b"", "empty"),
    ],
)
def test_names_that_git_forbids(tmp_path: Path, name: bytes, words: str) -> None:
    made = HandMade()
    made.commit(made.tree((FILE, name, made.blob(b"x"))))
    found = refused(tmp_path, made.pack)
    assert found.by_git
    assert words in str(found)


def test_trees_that_git_forbids(tmp_path: Path) -> None:
    for entries, words in [
        ([(b"0100644", b"a"), (FILE, b"b")], "zeroPaddedFilemode"),
        ([(FILE, b"b"), (FILE, b"a")], "treeNotSorted"),
        ([(FILE, b"a"), (FILE, b"a")], "duplicateEntries"),
    ]:
        made = HandMade()
        blob = made.blob(b"x")
        made.commit(made.tree(*((mode, name, blob) for mode, name in entries)))
        found = refused(tmp_path, made.pack)
        assert found.by_git
        assert words in str(found)


def test_commits_that_git_forbids(tmp_path: Path) -> None:
    for given, words in [
        ({"text": b"a\0b\n"}, "nulInCommit"),
        ({"at": "-5"}, "badDate"),
        ({"at": "99999999999999999999999"}, "badDateOverflow"),
        ({"at": "0005"}, "zeroPaddedDate"),
    ]:
        made = HandMade()
        made.commit(made.tree((FILE, b"a", made.blob(b"x"))), **given)
        found = refused(tmp_path, made.pack)
        assert words in str(found)


def damaged() -> dict[str, bytes]:
    """Packs by what is wrong with them."""
    made = HandMade()
    blob = made.blob(b"content " * 100)
    made.commit(made.tree((FILE, b"a", blob)))
    fine, entry = made.pack, made.entries[blob]
    body = zlib.compress(b"x" * 100)
    thin = entry_head(7, 6) + b"\x11" * 20 + zlib.compress(b"\x05\x05\x90\x05")
    return {
        "truncated": fine[:-30],
        "cut in its head": fine[:9],
        "only a head": fine[:12],
        "not a pack": b"GARBAGE" * 100,
        "garbage behind": fine + b"x" * 100,
        "wrong checksum": fine[:-20] + hashlib.sha1(b"").digest(),
        "more promised": closed(made.entries.values(), 5),
        "less promised": closed(made.entries.values(), 1),
        "larger than said": closed([entry_head(3, 50) + body]),
        "smaller than said": closed([entry_head(3, 5000) + body]),
        "unknown kind": closed([entry_head(5, 100) + body]),
        "no kind": closed([entry_head(0, 100) + body]),
        "not deflated": closed([entry_head(3, 100) + b"x" * 100]),
        "thin": closed([entry, thin]),
        "base before the pack": closed([entry, entry_head(6, 6) + b"\xff\x7f" + body]),
        "version 9": b"PACK" + (9).to_bytes(4, "big") + fine[8:],
        "a tag that is none": closed([whole(Kind.TAG, b"nothing\n")]),
        "a tree that is none": closed([whole(Kind.TREE, b"100644 a\0short")]),
        "a commit that is none": closed([whole(Kind.COMMIT, b"tree 00\n\n")]),
    }


@pytest.mark.parametrize("what", list(damaged()))
def test_damaged_packs(tmp_path: Path, what: str) -> None:
    found = refused(tmp_path, damaged()[what])
    assert found.by_git
    assert any(line.startswith(("fatal: ", "error: ")) for line in found.lines), found.lines


def test_too_many_objects_are_refused_before_they_come(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"PACK\0\0\0\2"
        yield (250_001).to_bytes(4, "big")
        raise AssertionError("more was asked for")

    with pytest.raises(Refused, match="push older commits first: git push origin"):
        asyncio.run(receive(tmp_path / "in", endless(), BOUNDS))


def test_a_pack_ends_at_its_limit(tmp_path: Path) -> None:
    made = HandMade()
    noise = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(10_000))
    made.commit(made.tree((FILE, b"a", made.blob(noise))))
    found = refused(tmp_path, made.pack, Bounds(100_000, 10, 10 << 20))
    assert "exceeds maximum allowed size" in str(found)
    assert "git lfs migrate import" in str(found)


def test_a_connection_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    made = HandMade()
    made.commit(made.tree((FILE, b"a", made.blob(b"x"))))

    async def broken() -> AsyncIterator[bytes]:
        yield made.pack[:40]
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        asyncio.run(receive(tmp_path / "in", broken(), BOUNDS))
    assert not (tmp_path / "in").exists()


def test_a_push_that_is_cancelled_ends_its_git(tmp_path: Path) -> None:
    made = HandMade()
    made.commit(made.tree((FILE, b"a", made.blob(b"x"))))

    async def cancelled() -> None:
        under_way = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield made.pack[:40]
            under_way.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(receive(tmp_path / "in", slow(), BOUNDS))
        await under_way.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert not (tmp_path / "in").exists()
    here = str(tmp_path / "in").encode()
    assert not [p for p in Path("/proc").glob("[0-9]*/cwd") if linked_to(p).startswith(here)]


def linked_to(path: Path) -> bytes:
    try:
        return bytes(path.readlink())
    except OSError:
        return b""


def test_no_pack_and_an_empty_one_are_fine(tmp_path: Path) -> None:
    for data in (b"", closed([])):
        incoming = taken(tmp_path, data)
        incoming.close()
    assert not list(tmp_path.glob("in*"))

# SPDX-License-Identifier: Apache-2.0
"""A pack on its way in, looked at by git in a repository that holds nothing else.

There, git has nothing that objects could refer to outside the pack; whether that is in the
repository is looked up afterwards, in the database.
"""

import asyncio
import re
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hubkeep.git.objects import OID_BYTES
from hubkeep.git.program import Limits, end, start
from hubkeep.git.push.advice import above
from hubkeep.git.push.pack import Pack, oids_of
from hubkeep.git.push.types import TOO_MUCH, Bounds, Refused

MEMORY = 256 << 20
"""Bytes of address space that git gets, whatever comes."""

_CPU_SECONDS = 600
_SECONDS = 3600
_MORE_BYTES = 32 << 20  # files that git writes besides packs, as their indexes
_CONFIG = """[core]
	repositoryformatversion = 0
	bare = true
	bigFileThreshold = {large}
	deltaBaseCacheLimit = 16m
	packedGitWindowSize = 1m
	packedGitLimit = 32m
[pack]
	threads = 1
"""
_HEAD = 12
_OIDS_AT_ONCE = 1000 * OID_BYTES
_LINES = 20
_LINE_BYTES = 1000
_SAID = (b"fatal: ", b"error: ")
# Files of these names are read by git for its check, from the pack alone. What of them is in the
# repository was checked when it came in, and is checked again where it gets such a name.
_ELSEWHERE = re.compile(rb"error: object [0-9a-f]{40}: git(?:attributes|modules)Missing: ")
_ONLY_ELSEWHERE = "fatal: fsck error in pack objects"


async def take_in(folder: Path, pieces: AsyncIterator[bytes], bounds: Bounds) -> Pack:
    """Have git check a pack, and make all its objects whole; an empty one where no bytes come.

    Whoever calls deletes the folder, whatever becomes of it. Refused, GitMissing.
    """
    head = b""
    async for piece in pieces:
        head += piece
        if len(head) >= _HEAD:
            break
    if not head:
        return Pack(None)
    count = int.from_bytes(head[8:_HEAD], "big")
    if head.startswith(b"PACK") and count > bounds.objects:
        raise Refused(
            f"The push has {count} objects; {bounds.objects} are the most that are taken at once",
            TOO_MUCH,
        )
    await asyncio.to_thread(_prepare, folder, bounds)
    limits = Limits(_CPU_SECONDS, MEMORY, bounds.pack_bytes + _MORE_BYTES, _SECONDS)
    arguments = ("index-pack", "--stdin", "--fsck-objects")
    most = f"--max-input-size={bounds.pack_bytes}"
    ended = await _run(folder, (*arguments, most), limits, _chain(head, pieces))
    pack = _found(folder / "objects" / "pack")
    if pack is None or not (ended.code == 0 or ended.complaints == (_ONLY_ELSEWHERE,)):
        raise _refusal(ended, bounds)
    opened = await asyncio.to_thread(Pack, pack)
    if ended.given != opened.file_bytes:
        opened.close()
        raise Refused("fatal: garbage at end of pack", by_git=True)
    if not opened.has_deltas:
        return opened
    opened.close()
    return await _made_plain(folder, pack, limits, bounds)


async def _made_plain(folder: Path, pack: Path, limits: Limits, bounds: Bounds) -> Pack:
    """Have git write the pack again without deltas; what is whole already is copied."""
    arguments = ("pack-objects", "-q", "--no-reuse-delta", "--window=0", "plain")
    oids = _lines_of(await asyncio.to_thread(pack.with_suffix(".idx").read_bytes))
    ended = await _run(folder, arguments, limits, oids)
    plain = _found(folder)
    await asyncio.to_thread(pack.unlink)
    if ended.code == -signal.SIGXFSZ:
        raise Refused("The push has too much that is alike to be taken at once", TOO_MUCH)
    if ended.code or plain is None:
        raise _refusal(ended, bounds)
    return await asyncio.to_thread(Pack, plain)


def _prepare(folder: Path, bounds: Bounds) -> None:
    """Make a repository that is as empty as git takes one."""
    for part in ("objects/pack", "objects/info", "refs"):
        (folder / part).mkdir(parents=True)
    # Blobs that are larger are looked at a piece at a time.
    (folder / "config").write_text(_CONFIG.format(large=bounds.blob_bytes))
    (folder / "HEAD").write_text("ref: refs/heads/main\n")


def _found(folder: Path) -> Path | None:
    """The pack in a folder that was empty before, None where git did not finish it."""
    indexes = list(folder.glob("*.idx"))
    return indexes[0].with_suffix(".pack") if indexes else None


async def _chain(head: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for piece in pieces:
        yield piece


async def _lines_of(index: bytes) -> AsyncIterator[bytes]:
    """The ids of an index as `pack-objects` reads them."""
    oids = oids_of(index)
    for start_at in range(0, len(oids), _OIDS_AT_ONCE):
        some = oids[start_at : start_at + _OIDS_AT_ONCE]
        yield some.hex("\n", OID_BYTES).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a run of git ended, and the lines in which it said what is wrong."""

    code: int
    complaints: tuple[str, ...]
    given: int
    """Bytes that it was sent; it may not have read all of them."""


async def _run(
    folder: Path, arguments: Sequence[str], limits: Limits, given: AsyncIterable[bytes]
) -> _Ended:
    """Run git to its end; it is killed with all it started when the caller is cancelled."""
    process = await start(["--git-dir=.", *arguments], folder, limits)
    complaints = asyncio.create_task(_complaints(process))
    printed = asyncio.create_task(_pass_over(process))
    try:
        async with asyncio.timeout(limits.seconds):
            size = await _feed(process, given)
            said = await complaints
            await printed
            code = await process.wait()
    except TimeoutError as late:
        raise Refused(f"The push took longer than {limits.seconds} seconds", TOO_MUCH) from late
    finally:
        if process.returncode is None:
            end(process.pid)
        await asyncio.gather(complaints, printed, process.wait(), return_exceptions=True)
    return _Ended(code, said, size)


async def _feed(process: Process, given: AsyncIterable[bytes]) -> int:
    """Send everything, unless git ends before, and return how many bytes that were."""
    assert process.stdin is not None
    size = 0
    try:
        async for piece in given:
            size += len(piece)
            process.stdin.write(piece)
            try:
                await process.stdin.drain()
            except (BrokenPipeError, ConnectionResetError):
                break  # git has seen enough, and says why on its error stream
    finally:
        process.stdin.close()
    return size


async def _pass_over(process: Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(1 << 16):
        pass


async def _complaints(process: Process) -> tuple[str, ...]:
    """The first lines in which git says what is wrong, without what is looked at elsewhere."""
    assert process.stderr is not None
    lines: list[str] = []
    rest = b""
    while piece := await process.stderr.read(1 << 16):
        *whole, rest = (rest + piece).split(b"\n")
        rest = rest[:_LINE_BYTES]
        for line in whole:
            if line.startswith(_SAID) and not _ELSEWHERE.match(line) and len(lines) < _LINES:
                lines.append(line[:_LINE_BYTES].decode("utf-8", "replace"))
    return tuple(lines)


def _refusal(ended: _Ended, bounds: Bounds) -> Refused:
    lines = list(ended.complaints)
    if ended.code in (-signal.SIGKILL, -signal.SIGXCPU):
        lines.append(f"fatal: unpacking takes more than {_CPU_SECONDS} seconds")
    elif ended.code == -signal.SIGXFSZ or any("exceeds maximum allowed size" in x for x in lines):
        most = f"{bounds.pack_bytes >> 20} MiB"
        lines += [f"A push may bring at most {most} of what is not in git-lfs", *above(bounds)]
    elif any("Out of memory" in line for line in lines):
        lines += ["An object is too large to be unpacked", *above(bounds)]
    return Refused(*(lines or ["fatal: index-pack abnormal exit"]), by_git=True)

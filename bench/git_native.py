# SPDX-License-Identifier: Apache-2.0
"""Real git as a subprocess that knows nothing of this machine, and repositories made by it."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
BRANCH = "refs/heads/main"
_LINES = 40
_START = 1_790_000_000
_WORDS = ("layer", "weight", "bias", "token", "train", "score", "model", "batch", "epoch", "loss")


@dataclass(frozen=True)
class Git:
    """One person's git; with a token it sends that to whom it speaks."""

    home: Path
    token: str = ""

    def run(self, *words: str, cwd: Path | None = None, given: bytes = b"") -> str:
        """Run git and return what it printed; RuntimeError with its complaint."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
        }
        # What git does by itself in the background would be measured with others' work.
        options = ["-c", "gc.auto=0", "-c", "maintenance.auto=false"]
        if self.token:
            options += ["-c", f"http.extraHeader=Authorization: Bearer {self.token}"]
        done = subprocess.run(
            ["git", *options, *words], cwd=cwd or self.home, env=env, input=given,
            capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"git {words}: {done.stderr.decode('utf-8', 'replace')[-2000:]}")
        return done.stdout.decode()

    def clone(self, url: str, folder: Path, *options: str) -> None:
        """Clone into a folder that is new."""
        self.run("clone", "-q", *options, url, str(folder))

    def push(self, folder: Path, url: str, what: str = f"{BRANCH}:{BRANCH}") -> None:
        """Push from a folder; a `+` before `what` forces it."""
        self.run("push", "-q", url, what, cwd=folder)

    def make(self, folder: Path, commits: Iterable[bytes]) -> None:
        """Make a bare repository of commits as `git fast-import` reads them."""
        if not folder.exists():
            self.run("init", "-q", "--bare", "--initial-branch=main", str(folder))
        self.run("fast-import", "--quiet", cwd=folder, given=b"".join(commits))


def removed(folder: Path) -> Path:
    """The folder, which is not there now."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def commit(number: int, files: Iterable[tuple[str, bytes]], *, resumes: bool = False) -> bytes:
    """A commit on the branch for fast-import; `resumes` where the stream begins with it and the
    branch is there already.
    """
    message = b"Number %d" % number
    who = b"bench <bench@example.org> %d +0000" % (_START + number)
    parts = [b"commit %s\ncommitter %s\n" % (BRANCH.encode(), who), _data(message)]
    if resumes:
        parts.append(b"from %s^0\n" % BRANCH.encode())
    for path, content in files:
        parts += [b"M 100644 inline %s\n" % path.encode(), _data(content)]
    return b"".join(parts)


def history(files: int, commits: int, lines: int = _LINES) -> Iterator[bytes]:
    """Text files, and commits of which each changes a line of one; the first is never touched."""
    draw = random.Random("history")
    texts = {_path(number): [_line(draw) for _ in range(lines)] for number in range(files)}
    yield commit(0, [(path, _text(text)) for path, text in texts.items()])
    for number in range(1, commits):
        path = _path(1 + number % (files - 1))
        texts[path][draw.randrange(lines)] = _line(draw)
        yield commit(number, [(path, _text(texts[path]))])


def many(files: int, mark: str, number: int = 0) -> bytes:
    """One commit of many small files in folders of a hundred, none like another."""
    listed = (
        (f"data/{n // 100:04}/file-{n:06}.txt", f"{mark} {n}\n".encode() * 3) for n in range(files)
    )
    return commit(number, listed)


def noise(files: int, size: int) -> Iterator[tuple[str, bytes]]:
    """Files that nothing compresses."""
    draw = random.Random("noise")
    for number in range(files):
        yield f"noise/{number:03}.dat", draw.randbytes(size)


def _path(number: int) -> str:
    return f"notes/part-{number:02}.md" if number % 2 else f"part-{number:02}.md"


def _line(draw: random.Random) -> str:
    return " ".join(draw.choices(_WORDS, k=9)) + f" {draw.random():.4f}\n"


def _text(lines: list[str]) -> bytes:
    return "".join(lines).encode()


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)

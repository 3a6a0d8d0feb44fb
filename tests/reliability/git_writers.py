# SPDX-License-Identifier: Apache-2.0
"""Clients that push with the real git until they are stopped."""

import hashlib
import os
import subprocess
from pathlib import Path

from tests.reliability.ledger import Acknowledged, File, Ledger
from tests.reliability.process import Mortal
from tests.reliability.writers import REPO, TOKEN, Refused, Writer

# What git says where the hub died under it.
_EXPLAINED = ("failed to connect", "couldn't connect", "connection", "early eof", "hung up")
_EXPLAINED += ("empty reply", "rpc failed", "recv failure", "send failure", "timed out")
_SECONDS = 60


class Pushes(Writer):
    """Commits to a branch of its own, and with some of them another branch and a tag in one push.

    The tip goes into the ledger once git has ended well. One that got no answer is pushed again,
    and whether it had landed nevertheless is for git and the hub to find out between them: nobody
    else moves these refs, so none may be refused.
    """

    def __init__(self, name: str, hub: Mortal, ledger: Ledger, folder: Path) -> None:
        super().__init__(name, hub, ledger)
        self._folder = folder / name
        self._tip = ""
        self._waiting: tuple[str, list[str], list[File]] | None = None

    def step(self, number: int) -> None:
        if not self._folder.exists():
            self._folder.mkdir(parents=True)
            self._git("init", "-q", "--bare")
        if not self._tip:
            if not self._net("fetch", "-q", self._url, "main"):
                return
            self._tip = self._git("rev-parse", "FETCH_HEAD")
        self._waiting = self._waiting or self._prepared(number)
        tip, refspecs, files = self._waiting
        if self._net("push", "--atomic", self._url, *refspecs):
            self._ledger.add(Acknowledged("commit", REPO, self.name, tip, tuple(files)))
            for refspec in refspecs[1:]:
                ref = refspec.partition(":")[2]
                self._ledger.add(Acknowledged("ref", REPO, ref, tip))
            self._tip, self._waiting = tip, None

    def _prepared(self, number: int) -> tuple[str, list[str], list[File]]:
        files = []
        self._git("read-tree", self._tip)
        for index in range(self._random.randint(1, 4)):
            content = self._random.randbytes(self._random.randint(0, 20_000))
            path = f"{self.name}/{number % 40}/{number}-{index}.dat"
            blob = self._git("hash-object", "-w", "--stdin", stdin=content)
            self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
            files.append(File(path, hashlib.sha256(content).hexdigest(), len(content)))
        tree = self._git("write-tree")
        tip = self._git("commit-tree", "-p", self._tip, "-m", f"{self.name} {number}", tree)
        refspecs = [f"{tip}:refs/heads/{self.name}"]
        if number % 3 == 0:
            label = f"{self.name}-{number}"
            self._git("tag", "-f", "-a", "-m", "x", label, tip)
            refspecs += [f"{tip}:refs/heads/at-{label}", f"refs/tags/{label}:refs/tags/{label}"]
        return tip, refspecs, files

    @property
    def _url(self) -> str:
        return f"{self._hub.url}/{REPO}"

    def _net(self, *arguments: str) -> bool:
        """Run git against the hub; False where the hub went away."""
        done = self._run(*arguments)
        if done.returncode == 0:
            return True
        said = done.stderr.decode("utf-8", "replace")
        if "rejected" in said or not any(text in said.lower() for text in _EXPLAINED):
            raise Refused(f"git {arguments}: {said[-2000:]}")
        return False

    def _git(self, *arguments: str, stdin: bytes = b"") -> str:
        done = self._run(*arguments, stdin=stdin)
        if done.returncode:
            raise Refused(f"git {arguments}: {done.stderr.decode('utf-8', 'replace')}")
        return done.stdout.decode().strip()

    def _run(self, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        header = f"http.extraHeader=Authorization: Bearer {TOKEN}"
        who = ["-c", "user.name=Keeper", "-c", "user.email=keeper@example.org", "-c", "gc.auto=0"]
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }
        return subprocess.run(
            ["git", "-c", header, *who, *arguments],
            cwd=self._folder,
            env=env,
            input=stdin,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )

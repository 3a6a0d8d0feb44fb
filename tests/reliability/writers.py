# SPDX-License-Identifier: Apache-2.0
"""Clients that write until they are stopped, whatever happens to the hub meanwhile.

They speak the protocol directly: the stock client would wait seconds after each broken connection.
"""

import base64
import hashlib
import itertools
import json
import random
import threading
from collections.abc import Sequence

import httpx2 as httpx

from tests.reliability.ledger import Acknowledged, File, Ledger
from tests.reliability.process import Mortal

REPO = "keeper/storm"
TOKEN = "hf_keeper_of_the_kill_test"
LFS = "application/vnd.git-lfs+json"
MiB = 1 << 20


class Refused(AssertionError):
    """The hub gave an answer that no kill explains."""


class Writer(threading.Thread):
    """One client; each step ends in an entry of the ledger, or nowhere if the hub died under it."""

    def __init__(self, name: str, hub: Mortal, ledger: Ledger) -> None:
        super().__init__(name=name, daemon=True)
        self.steps = itertools.count()
        self.failure: Exception | None = None
        self._hub = hub
        self._ledger = ledger
        self._stopping = threading.Event()
        self._random = random.Random(name)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self._http = httpx.Client(base_url=hub.url, headers=headers, timeout=60, trust_env=False)

    def stop(self) -> None:
        """End after the step that is under way."""
        self._stopping.set()

    def run(self) -> None:
        with self._http:
            while not self._stopping.is_set():
                if not self._hub.up.wait(0.1):
                    continue
                try:
                    self.step(next(self.steps))
                except httpx.TransportError:
                    continue
                except Exception as error:  # noqa: BLE001 (shown by the thread that joins)
                    self.failure = error
                    return

    def step(self, number: int) -> None:
        """Do one thing and note that it was acknowledged."""
        raise NotImplementedError

    def call(self, method: str, url: str, expect: int = 200, **how: object) -> httpx.Response:
        """Send a request; any other status than expected is a failure of the test."""
        answer = self._http.request(method, url, **how)  # ty: ignore
        if answer.status_code != expect:
            raise Refused(f"{method} {url}: {answer.status_code} {answer.text[:500]}")
        return answer

    def commit(self, ref: str, files: Sequence[File], lines: Sequence[dict[str, object]]) -> str:
        """Commit these lines to a branch and note it."""
        header = {"key": "header", "value": {"summary": f"{self.name}: {files[0].path}"}}
        body = "\n".join(json.dumps(line) for line in (header, *lines))
        url = f"/api/models/{REPO}/commit/{ref}"
        answer = self.call("POST", url, content=body.encode())
        oid = answer.json()["commitOid"]
        self._ledger.add(Acknowledged("commit", REPO, ref, oid, tuple(files)))
        return oid

    def regular(self, number: int) -> tuple[list[File], list[dict[str, object]]]:
        """A few small files with names that occur once."""
        files, lines = [], []
        for index in range(self._random.randint(1, 4)):
            content = self._random.randbytes(self._random.randint(0, 20_000))
            path = f"{self.name}/{number % 40}/{number}-{index}.bin"
            files.append(File(path, hashlib.sha256(content).hexdigest(), len(content)))
            value = {"path": path, "content": base64.b64encode(content).decode()}
            lines.append({"key": "file", "value": {**value, "encoding": "base64"}})
        return files, lines

    def offer(self, sha256: str, size: int) -> dict[str, dict[str, object]] | None:
        """Ask for the addresses of one upload; None where the hub has the file already."""
        body = {"operation": "upload", "transfers": ["basic", "multipart"], "hash_algo": "sha256"}
        body["objects"] = [{"oid": sha256, "size": size}]
        url = f"/{REPO}.git/info/lfs/objects/batch"
        answer = self.call("POST", url, content=json.dumps(body), headers={"Content-Type": LFS})
        [item] = answer.json()["objects"]
        return item.get("actions")

    def commit_large(self, number: int, sha256: str, size: int, xet_hash: str = "") -> None:
        """Note that a file has arrived, commit it, and note that."""
        path = f"{self.name}/{number % 40}/{number}.safetensors"
        file = File(path, sha256, size, xet_hash)
        self._ledger.add(Acknowledged("xet" if xet_hash else "upload", REPO, "", "", (file,)))
        value = {"path": path, "algo": "sha256", "oid": sha256, "size": size}
        self.commit("main", [file], [{"key": "lfsFile", "value": value}])


class SmallCommits(Writer):
    """Commits of small files to `main`, which others write to as well."""

    def step(self, number: int) -> None:
        self.commit("main", *self.regular(number))


class LargeFiles(Writer):
    """Files by git-lfs, in one piece each, then a commit to `main`."""

    def step(self, number: int) -> None:
        largest = 4 * MiB if self._random.random() < 0.1 else MiB // 2
        content = self._random.randbytes(self._random.randint(1, largest))
        sha256 = hashlib.sha256(content).hexdigest()
        actions = self.offer(sha256, len(content))
        if actions is not None:
            self.call("PUT", str(actions["upload"]["href"]), content=content)
        self.commit_large(number, sha256, len(content))


class FilesInParts(Writer):
    """Files in two parts. One that a kill interrupts goes on where it was."""

    def __init__(self, name: str, hub: Mortal, ledger: Ledger, most: int) -> None:
        super().__init__(name, hub, ledger)
        self._left = most
        self._content = b""

    def step(self, number: int) -> None:
        if not self._left:
            self._stopping.wait(0.2)
            return
        self._content = self._content or self._random.randbytes(MiB) * 65
        sha256 = hashlib.sha256(self._content).hexdigest()
        actions = self.offer(sha256, len(self._content))
        if actions is not None:
            self._send(actions["upload"], sha256)
        self.commit_large(number, sha256, len(self._content))
        self._content = b""
        self._left -= 1

    def _send(self, upload: dict[str, object], sha256: str) -> None:
        header = upload["header"]
        assert isinstance(header, dict)
        size = int(header.pop("chunk_size"))
        parts = []
        for number, (_, href) in enumerate(sorted(header.items()), 1):
            piece = self._content[(number - 1) * size : number * size]
            etag = self.call("PUT", href, content=piece).headers["etag"]
            parts.append({"partNumber": number, "etag": etag})
        done = json.dumps({"oid": sha256, "parts": parts})
        self.call("POST", str(upload["href"]), content=done, headers={"Content-Type": LFS})


class Branches(Writer):
    """A branch, a commit in it and a tag on that, again and again."""

    def step(self, number: int) -> None:
        branch, tag = f"branch-{number}", f"tag-{number}"
        self.call("POST", f"/api/models/{REPO}/branch/{branch}", json={"startingPoint": "main"})
        self._ledger.add(Acknowledged("ref", REPO, f"refs/heads/{branch}", ""))
        oid = self.commit(branch, *self.regular(number))
        self.call("POST", f"/api/models/{REPO}/tag/{branch}", json={"tag": tag})
        self._ledger.add(Acknowledged("ref", REPO, f"refs/tags/{tag}", oid))
        self._stopping.wait(0.2)

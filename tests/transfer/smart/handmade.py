# SPDX-License-Identifier: Apache-2.0
"""Pushes made by hand: what no well-behaved client sends, and answers taken apart."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

from tests.git.native import ENVIRONMENT
from tests.harness.hub import TestHub

NOTHING = "0" * 40
CAPABILITIES = "report-status side-band-64k object-format=sha1 agent=hand/1"
SENT = "application/x-git-receive-pack-request"
_WHO = {
    "GIT_AUTHOR_NAME": "Alice",
    "GIT_AUTHOR_EMAIL": "alice@example.org",
    "GIT_COMMITTER_NAME": "Alice",
    "GIT_COMMITTER_EMAIL": "alice@example.org",
}


def line(text: str | bytes) -> bytes:
    """One packet line."""
    payload = text.encode() if isinstance(text, str) else text
    return b"%04x" % (len(payload) + 4) + payload


Commands = Iterable[tuple[str, str, str]]
"""Old id, new id, name of the ref."""


def request_body(
    commands: Commands,
    pack: bytes = b"",
    *,
    capabilities: str = CAPABILITIES,
    before: Iterable[str] = (),
) -> bytes:
    """What a client sends; `before` are lines that stand before the commands."""
    parts = [line(text) for text in before]
    for number, (old, new, name) in enumerate(commands):
        ending = f"\0 {capabilities}" if number == 0 else ""
        parts.append(line(f"{old} {new} {name}{ending}"))
    return b"".join([*parts, b"0000", pack])


@dataclass
class Answer:
    """What the hub says of a push: its report, and the lines for the user."""

    unpack: str = ""
    refs: dict[str, str] = field(default_factory=dict)
    """"ok", or the reason."""
    said: str = ""


def packets(data: bytes) -> Iterator[bytes | None]:
    """The lines of an answer, None for a flush."""
    at = 0
    while at < len(data):
        length = int(data[at : at + 4], 16)
        yield data[at + 4 : at + length] if length else None
        at += length or 4


def answer_of(data: bytes, *, in_bands: bool = True) -> Answer:
    """Take an answer apart."""
    answer = Answer()
    report = data
    if in_bands:
        *lines, end = packets(data)
        assert end is None, "the answer does not end with a flush"
        report = b"".join(each[1:] for each in lines if each and each[0] == 1)
        answer.said = b"".join(each[1:] for each in lines if each and each[0] == 2).decode()
    for each in packets(report):
        if each is None:
            continue
        word, _, rest = each.decode("utf-8", "surrogateescape").strip().partition(" ")
        if word == "unpack":
            answer.unpack = rest
        elif word == "ok":
            answer.refs[rest] = "ok"
        else:
            name, _, reason = rest.partition(" ")
            answer.refs[name] = reason
    return answer


@dataclass
class Bench:
    """A repository of native git to take objects from, and a hub's to push them to."""

    hub: TestHub
    folder: Path
    path: str = "alice/shelf"

    def git(self, *arguments: str, given: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Run git in the folder; returns what it printed."""
        return self._git(*arguments, given=given, env=env).decode().strip()

    def _git(self, *arguments: str, given: bytes, env: Mapping[str, str] | None = None) -> bytes:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**ENVIRONMENT, **_WHO, **(env or {})},
            input=given,
            capture_output=True,
            check=True,
        )
        return done.stdout

    def begin(self) -> "Bench":
        """Make the repository in the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", ".")
        return self

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", given=content)

    def tree(self, entries: Mapping[str, str]) -> str:
        """Make a folder of files: ids of blobs by name."""
        listed = "".join(f"100644 blob {oid}\t{name}\n" for name, oid in entries.items())
        return self.git("mktree", given=listed.encode())

    def commit(self, files: Mapping[str, bytes], *parents: str, message: str = "a change") -> str:
        """Make a commit of these files and nothing else."""
        tree = self.tree({name: self.blob(content) for name, content in files.items()})
        above = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", *above, "-m", message, tree)

    def pack(self, *wanted: str, without: Iterable[str] = ()) -> bytes:
        """A pack of all that some objects lead to, without what others do."""
        revs = "\n".join([*wanted, *(f"^{oid}" for oid in without)]) + "\n"
        return self._git("pack-objects", "--stdout", "--revs", "-q", given=revs.encode())

    def pack_of(self, *oids: str) -> bytes:
        """A pack of these objects alone."""
        listed = "\n".join(oids) + "\n"
        return self._git("pack-objects", "--stdout", "-q", given=listed.encode())

    def send(self, body: bytes | Iterable[bytes], **how) -> httpx.Response:
        """Send a body as a push of alice's."""
        headers = {"Content-Type": SENT, **how.pop("headers", {})}
        token = how.pop("token", self.hub.tokens.alice)
        return self.hub.post(
            f"/{self.path}.git/git-receive-pack", token=token, headers=headers, content=body, **how
        )

    def push(self, *commands: tuple[str, str, str], pack: bytes = b"", **how) -> Answer:
        """Push by hand, and return the answer."""
        sent = self.send(request_body(commands, pack, **how))
        assert sent.status_code == 200, sent.text
        assert sent.headers["content-type"] == "application/x-git-receive-pack-result"
        return answer_of(sent.content)

    def api(self, path: str = "") -> httpx.Response:
        return self.hub.get(f"/api/models/{self.path}{path}", token=self.hub.tokens.alice)

    def refs(self) -> dict[str, str]:
        """Commits of branches and tags by full name, as the API says."""
        listed = self.api("/refs").raise_for_status().json()
        return {
            ref["ref"]: ref["targetCommit"]
            for refs in listed.values()
            if isinstance(refs, list)
            for ref in refs
        }

    def leftovers(self) -> list[Path]:
        """What pushes have left on the hub's disk."""
        folder = self.hub.app.config.data / "incoming"
        return list(folder.iterdir()) if folder.exists() else []

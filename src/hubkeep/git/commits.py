# SPDX-License-Identifier: Apache-2.0
"""Commits and annotated tags as bytes. Times are whole seconds in UTC."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hubkeep.git.errors import BadObject
from hubkeep.kit.time import Millis

MAX_PARENTS = 64
MAX_LINE = 1_000
"""Characters of a name, and of a title, that are kept beside a commit, to be listed quickly."""
MAX_MESSAGE = 8_000
"""Characters of a message that are: a page has a thousand. The commit itself has all of it."""
_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'"  # what git strips off names
_TAG = re.compile(rb"object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)\ntag [^\n]+(?:\n|\Z)")
_SIGNATURE = re.compile(rb"(.*?) ?<([^<>]*)> (-?[0-9]{1,18}) [+-][0-9]{4}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Signature:
    """Who wrote a commit. What git does not allow in a name is left out when it is written."""

    name: str
    email: str

    @property
    def text(self) -> str:
        """`name <email>`, cleaned as git does; a name is never empty."""
        return f"{_clean(self.name) or 'unknown'} <{_clean(self.email)}>"


def _clean(text: str) -> str:
    # NUL and newline end a header line; so would other line separators for some readers.
    return re.sub(r"[<>\x00-\x1f\x7f\x85\u2028\u2029]", "", _unicode(text)).strip(_CRUD)


def _unicode(text: str) -> str:
    """Text without lone surrogates and NUL, which neither UTF-8 nor PostgreSQL can hold."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit object says; `author` and `committer` are `name <email>`, times are seconds
    since 1970.
    """

    tree: bytes
    parents: tuple[bytes, ...]
    author: str
    authored_at: int
    committer: str
    committed_at: int
    title: str
    message: str


def full_message(title: str, body: str) -> tuple[str, str]:
    """Return title and body as they are stored: one line, and text without NUL and odd ends."""
    line = " ".join(part.strip() for part in _unicode(title).splitlines()).strip()
    return line, _unicode(body).replace("\r\n", "\n").strip("\n").rstrip()


def encode_commit(
    tree: bytes, parents: Sequence[bytes], author: Signature, at: Millis, title: str, body: str
) -> bytes:
    """Return the payload of a commit; author and committer are one, title and body are clean."""
    message = f"{title}\n\n{body}\n" if body else f"{title}\n"
    signed = _signed(author, at)
    headers = [
        b"tree " + tree.hex().encode(),
        *(b"parent " + parent.hex().encode() for parent in parents),
        b"author " + signed,
        b"committer " + signed,
    ]
    return b"\n".join(headers) + b"\n\n" + message.encode()


def encode_tag(commit: bytes, name: str, tagger: Signature, at: Millis, message: str) -> bytes:
    """Return the payload of an annotated tag of a commit."""
    headers = [
        b"object " + commit.hex().encode(),
        b"type commit",
        b"tag " + name.encode(),
        b"tagger " + _signed(tagger, at),
    ]
    text = _unicode(message).strip() + "\n"
    return b"\n".join(headers) + b"\n\n" + text.encode()


def _signed(who: Signature, at: Millis) -> bytes:
    return f"{who.text} {max(at, 0) // 1000} +0000".encode()


def parse_commit(payload: bytes) -> Commit:
    """Return what a commit says. Headers that a hub does not need are passed over. BadObject."""
    head, _, text = payload.partition(b"\n\n")
    lines = head.split(b"\n")
    parents = 0
    while parents + 1 < len(lines) and lines[parents + 1].startswith(b"parent "):
        parents += 1
    if parents > MAX_PARENTS:
        raise BadObject(f"A commit has more than {MAX_PARENTS} parents")
    tree, *rest = lines
    if len(rest) < parents + 2:
        raise BadObject("A commit lacks its author or committer")
    author, authored_at = _who(rest[parents], b"author ")
    committer, committed_at = _who(rest[parents + 1], b"committer ")
    title, _, message = text.decode("utf-8", "replace").lstrip("\n").partition("\n")
    return Commit(
        tree=_oid(tree, b"tree "),
        parents=tuple(_oid(line, b"parent ") for line in rest[:parents]),
        author=author,
        authored_at=authored_at,
        committer=committer,
        committed_at=committed_at,
        title=title,
        message=message.strip("\n"),
    )


def parse_tag(payload: bytes) -> tuple[bytes, bytes]:
    """Return the id of what an annotated tag points at, and its kind in git's word. BadObject."""
    found = _TAG.match(payload)
    if found is None:
        raise BadObject("A tag does not say what it points at")
    return bytes.fromhex(found[1].decode()), found[2]


def _oid(line: bytes, key: bytes) -> bytes:
    value = line.removeprefix(key)
    if not line.startswith(key) or re.fullmatch(rb"[0-9a-f]{40}", value) is None:
        raise BadObject(f"A commit has no valid {key.decode().strip()}")
    return bytes.fromhex(value.decode())


def _who(line: bytes, key: bytes) -> tuple[str, int]:
    found = _SIGNATURE.fullmatch(line.removeprefix(key))
    if not line.startswith(key) or found is None:
        raise BadObject(f"A commit has no valid {key.decode().strip()}")
    name, email = (part.decode("utf-8", "replace") for part in found.groups()[:2])
    return f"{name[:MAX_LINE]} <{email[:MAX_LINE]}>", int(found[3])

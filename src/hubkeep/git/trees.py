# SPDX-License-Identifier: Apache-2.0
"""Trees: one folder each, as git writes them."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from hubkeep.git.errors import BadObject
from hubkeep.git.objects import Kind, object_id

FILE = b"100644"
EXECUTABLE = b"100755"
SYMLINK = b"120000"
FOLDER = b"40000"
SUBMODULE = b"160000"
# Old programs wrote the mode with a zero in front.
FOLDER_MODES = frozenset({FOLDER, b"040000"})

_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0/]+)\0(.{20})", re.DOTALL)
_FRAME = 2 + 20  # the space, the NUL and the oid of an entry


class TreeEntry(NamedTuple):
    """One name in a folder; `mode` as git writes it, `oid` 20 bytes."""

    mode: bytes
    name: bytes
    oid: bytes


def is_folder(entry: TreeEntry) -> bool:
    """Say whether an entry is a folder."""
    return entry.mode in FOLDER_MODES


def git_order(entry: TreeEntry) -> bytes:
    """Return the key that git sorts a folder by: folders as if their names ended in a slash."""
    return entry.name + b"/" if is_folder(entry) else entry.name


def parse_tree(payload: bytes) -> list[TreeEntry]:
    """Return the entries of a tree in their order. BadObject."""
    entries = list(map(TreeEntry._make, _ENTRY.findall(payload)))
    # findall skips what does not match: nothing may have been skipped.
    if sum(len(e.mode) + len(e.name) for e in entries) + _FRAME * len(entries) != len(payload):
        raise BadObject("A tree is damaged")
    return entries


def encode_tree(entries: Iterable[TreeEntry]) -> bytes:
    """Return the payload of a tree with these entries, sorted as git does."""
    return b"".join([b"%b %b\0%b" % entry for entry in sorted(entries, key=git_order)])


EMPTY_TREE = object_id(Kind.TREE, b"")

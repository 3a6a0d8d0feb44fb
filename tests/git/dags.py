# SPDX-License-Identifier: Apache-2.0
"""Histories of any shape: commits with the parents and the files that a test wants."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from hubkeep.git.bare import write_bare_repository
from hubkeep.git.folders import Trees
from hubkeep.git.objects import Kind, object_id, stage_blob
from hubkeep.git.queries import commits, insert_ref
from hubkeep.git.trees import FILE, FOLDER, TreeEntry, encode_tree
from hubkeep.git.types import Ref
from hubkeep.git.writing import store_blobs, store_commit
from tests.git.native import git, lines
from tests.git.workshop import START, Workshop

Files = Mapping[str, bytes]
Plan = Sequence[tuple[Sequence[int], Files]]
"""For each commit the numbers of its parents, which come before it, and its files."""


@dataclass
class Dag:
    """The commits of a repository in the order in which they were made, each with a branch."""

    repo: Workshop
    oids: list[bytes] = field(default_factory=list)

    def add(self, plan: Plan) -> "Dag":
        """Make commits; those that nothing else tells apart differ in their titles."""

        def work(conn: Connection) -> list[bytes]:
            oids = list(self.oids)
            for parents, files in plan:
                oids.append(self._commit(conn, [oids[i] for i in parents], files, len(oids)))
            return oids

        self.oids = self.repo.database.write_now(work)
        return self

    def _commit(
        self, conn: Connection, parents: Sequence[bytes], files: Files, number: int
    ) -> bytes:
        trees = Trees(conn, self.repo.id)
        payloads: dict[bytes, bytes] = {}
        blobs = [stage_blob(data) for data in files.values()]
        store_blobs(conn, self.repo.id, blobs, [blob.oid for blob in blobs])
        root = write_tree(files, trees, payloads)
        rows = commits(conn, self.repo.id, parents)
        new = self.repo.new(branch=f"c{number}", title=f"number {number}")
        made = store_commit(trees, new, root, [rows[oid] for oid in parents], payloads).oid
        insert_ref(conn, self.repo.id, Ref(f"refs/heads/c{number}", made, made), START)
        return made

    def native(self, folder: Path) -> "NativeDag":
        """Write all of it out for the real git."""
        self.repo.read(write_bare_repository, folder)
        return NativeDag(folder)


@dataclass
class NativeDag:
    """What the real git says of the same history, ids as bytes."""

    folder: Path

    def ids(self, *args: str) -> list[bytes]:
        return [bytes.fromhex(line) for line in lines(git(*args, cwd=self.folder))]


def write_tree(files: Files, trees: Trees, payloads: dict[bytes, bytes]) -> bytes:
    """Encode files as trees, and return the root."""
    entries: list[TreeEntry] = []
    inside: dict[str, dict[str, bytes]] = {}
    for path, data in files.items():
        name, slash, rest = path.partition("/")
        if slash:
            inside.setdefault(name, {})[rest] = data
        else:
            entries.append(TreeEntry(FILE, name.encode(), object_id(Kind.BLOB, data)))
    for name, below in inside.items():
        entries.append(TreeEntry(FOLDER, name.encode(), write_tree(below, trees, payloads)))
    payload = encode_tree(entries)
    oid = object_id(Kind.TREE, payload)
    payloads[oid] = payload
    trees.add(oid, sorted(entries, key=lambda e: e.name + b"/" * (e.mode == FOLDER)))
    return oid


def shape(choose: random.Random, count: int) -> list[list[int]]:
    """Parents for commits, at random: lines, merges of up to four, criss-crosses, new roots."""
    parents: list[list[int]] = []
    for number in range(count):
        if number == 0 or choose.random() < 0.04:
            parents.append([])
            continue
        near = range(max(0, number - choose.choice([2, 5, number])), number)
        many = choose.choices([1, 2, 3, 4], [50, 40, 7, 3])[0]
        parents.append(choose.sample(near, min(many, len(near))))
    return parents

# SPDX-License-Identifier: Apache-2.0
"""A repository in a database, with short ways to commit to it and to look at it."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select

from hubkeep.db import Database
from hubkeep.db.tables import accounts, repos
from hubkeep.git import store
from hubkeep.git.changes import (
    Change,
    CommitResult,
    DeletePath,
    NewCommit,
    PutFile,
    commit_changes,
)
from hubkeep.git.commits import Signature
from hubkeep.git.objects import StagedBlob, stage_blob
from hubkeep.git.reachable import find_garbage, parts, purge
from hubkeep.git.squash import squash

ALICE = Signature("alice", "alice@example.org")
START = 1_790_000_000_000


def new_repo(database: Database, name: str = "shelf") -> int:
    """Make an empty repository and return its id."""

    def work(conn: Connection) -> int:
        owner = conn.execute(select(accounts.c.id)).scalar()
        if owner is None:
            values = {"public_id": "a" * 24, "kind": "user", "name": "alice", "name_key": "alice"}
            owner = conn.execute(insert(accounts).values(**values, created_at=START))
            owner = owner.inserted_primary_key[0]
        made = conn.execute(
            insert(repos).values(
                public_id=name.rjust(24, "0"),
                type="model",
                owner_id=owner,
                path=f"alice/{name}",
                path_key=f"alice/{name}",
                private=False,
                created_at=START,
                last_modified=START,
            )
        )
        return made.inserted_primary_key[0]

    return database.write_now(work)


@dataclass
class Workshop:
    """One repository. Each commit is made a second after the one before it."""

    database: Database
    id: int
    seconds: Iterable[int] = field(default_factory=lambda: itertools.count(1))

    def new(self, **more: object) -> NewCommit:
        given = {"branch": "main", "title": "a change", "body": "", **more}
        given.setdefault("at", START + next(self.seconds) * 1000)
        return NewCommit(author=ALICE, author_id=None, **given)

    def change(
        self, changes: Sequence[Change], blobs: Iterable[StagedBlob] = (), **more: object
    ) -> CommitResult:
        new = self.new(**more)
        staged = list(blobs)
        return self.database.write_now(
            lambda conn: commit_changes(conn, self.id, new, changes, iter(staged))
        )

    def commit(
        self,
        files: Mapping[str, bytes] | None = None,
        delete: Iterable[str] = (),
        **more: object,
    ) -> CommitResult:
        blobs = {path: stage_blob(content) for path, content in (files or {}).items()}
        changes: list[Change] = [DeletePath(path) for path in delete]
        changes += [PutFile(path, blob.without_data()) for path, blob in blobs.items()]
        return self.change(changes, blobs.values(), **more)

    def squash(self, **more: object) -> bytes:
        new = self.new(**more)
        return self.database.write_now(lambda conn: squash(conn, self.id, new))

    def collect(self, size: int = 100) -> int:
        """Remove what no ref leads to, in parts of so many objects; how many parts those were."""
        garbage = self.read(find_garbage)
        steps = list(parts(garbage, size))
        for part in steps:
            self.write(purge, garbage, part)
        return len(steps)

    def read(self, function, *args: object, **more: object):
        """Call a function of the engine on a snapshot."""
        return self.database.read_now(lambda conn: function(conn, self.id, *args, **more))

    def write(self, function, *args: object, **more: object):
        """Call a function of the engine in a transaction."""
        return self.database.write_now(lambda conn: function(conn, self.id, *args, **more))

    def tree(self, revision: str = "main") -> bytes:
        found = self.read(store.resolve, revision)
        assert found is not None
        return found.tree

    def files(self, revision: str = "main") -> dict[str, bytes]:
        """All files and their contents."""

        tree = self.tree(revision)

        def work(conn: Connection) -> dict[str, bytes]:
            listed = store.all_files(conn, self.id, tree)
            return {e.path: store.blob(conn, self.id, e.oid, 1 << 30) for e in listed}

        return self.database.read_now(work)

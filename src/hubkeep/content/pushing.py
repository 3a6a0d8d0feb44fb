# SPDX-License-Identifier: Apache-2.0
"""What a push does to a repository besides storing its objects: large files, refs, and all that a
commit through the API does too. One transaction, the caller's.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from hubkeep.content.commits import signature_of
from hubkeep.content.jobs import collect_later
from hubkeep.content.landing import land_tip
from hubkeep.git.ancestry import is_ancestor
from hubkeep.git.errors import BranchMoved
from hubkeep.git.push.incoming import Checked, Incoming, Pointer, Refused
from hubkeep.git.queries import commits, delete_ref, insert_ref, move_ref
from hubkeep.git.refs import BRANCHES, TAGS
from hubkeep.git.types import CommitRow, Ref
from hubkeep.identity.actor import Account
from hubkeep.kit.time import Millis
from hubkeep.repos.access import Visit
from hubkeep.repos.queries_head import add_storage
from hubkeep.repos.types import Repo
from hubkeep.transfer.queries import WantedFile, link_for_commit

_SHOWN = 10
_LOOKED_AT = 8


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of a ref: from `old` (None: it is made) to `new` (None: it is deleted).

    `commit` is what `new` leads to: itself, but for annotated tags.
    """

    name: str
    old: bytes | None
    new: bytes | None
    commit: bytes | None


def with_authors(checked: Checked, user: Account | None) -> Checked:
    """Say which of the commits are the work of who pushes: those with an address of that account.

    Nobody else's name is ever taken from an address: anybody can write any into a commit.
    """
    if user is None:
        return checked
    own = {signature_of(user).email.lower(), (user.email or "").lower()} - {""}
    return replace(checked, commits=_Credited(checked.commits, user.id, own))


class _Credited(Mapping[bytes, CommitRow]):
    """Commits of which some have an author; made as they are asked for, since they may be many."""

    def __init__(self, rows: Mapping[bytes, CommitRow], user_id: int, own: Collection[str]) -> None:
        self._rows = rows
        self._user_id = user_id
        self._own = own

    def __getitem__(self, oid: bytes) -> CommitRow:
        row = self._rows[oid]
        return replace(row, author_id=self._user_id) if _address(row.author) in self._own else row

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def land_push(
    conn: Connection,
    visitor: Visit,
    moves: Sequence[Move],
    incoming: Incoming,
    checked: Checked,
    now: Millis,
) -> None:
    """Store what came, move the refs, and record what follows from it.

    The caller holds the repository's lock and has seen under it that each ref is at its `old`.
    Refused where large files are missing, unchecked.
    """
    repo = visitor.repo
    _link(conn, visitor, checked.pointers.values(), moves[0].name, now)
    if any(move.new is not None for move in moves):
        incoming.write(conn, repo.id, checked)
        add_storage(conn, repo.id, checked.gained)
    before = _commits_before(conn, repo, moves)
    for move in sorted(moves, key=lambda each: each.new is not None):
        _move(conn, repo.id, move, now)
    _land_head(conn, repo, moves, before, now)
    if _forget(conn, repo.id, moves, before):
        collect_later(conn, repo.id, now)


def _link(
    conn: Connection, visitor: Visit, pointers: Collection[Pointer], ref: str, now: Millis
) -> None:
    wanted: dict[bytes, WantedFile] = {}
    for pointer in pointers:
        file = WantedFile(pointer.path, pointer.lfs.size, ref)
        said = wanted.setdefault(pointer.lfs.sha256, file)
        if said.size != file.size:
            raise Refused(
                f"The pointers {said.path} and {file.path} give one LFS file two sizes",
                "One of them is broken: remove it, then add the file anew with git-lfs",
            )
    if not wanted:
        return
    result = link_for_commit(conn, visitor.repo, visitor.actor, wanted, now)
    if result.missing:
        raise Refused(
            f"{len(result.missing)} LFS file(s) are missing on the hub:",
            *_listed(wanted, result.missing),
            "Send them, then push again: git lfs push --all origin",
        )
    if result.wrong_size:
        raise Refused(
            f"{len(result.wrong_size)} LFS pointer(s) say another size than their file has:",
            *_listed(wanted, result.wrong_size),
            "Write them anew with git-lfs: git rm --cached FILE, then git add FILE",
        )


def _listed(wanted: Mapping[bytes, WantedFile], oids: Sequence[bytes]) -> list[str]:
    lines = [f"  {wanted[oid].path} (sha256 {oid.hex()})" for oid in oids[:_SHOWN]]
    return lines + ([f"  and {len(oids) - _SHOWN} more"] if len(oids) > _SHOWN else [])


def _commits_before(conn: Connection, repo: Repo, moves: Iterable[Move]) -> dict[str, CommitRow]:
    """The commits that branches are at before they move."""
    at = {each.name: each.old for each in moves if each.old and not each.name.startswith(TAGS)}
    rows = commits(conn, repo.id, list(set(at.values())))
    return {name: rows[oid] for name, oid in at.items() if oid in rows}


def _move(conn: Connection, repo_id: int, move: Move, now: Millis) -> None:
    if move.new is None:
        done = delete_ref(conn, repo_id, move.name)
    else:
        assert move.commit is not None, "what is pushed leads to a commit"
        if move.old is None:
            done = insert_ref(conn, repo_id, Ref(move.name, move.new, move.commit), now)
        else:
            done = move_ref(conn, repo_id, move.name, move.old, move.new, now, commit=move.commit)
    if not done:
        raise BranchMoved(f"{move.name} moved under the repository's lock")


def _land_head(
    conn: Connection,
    repo: Repo,
    moves: Iterable[Move],
    before: Mapping[str, CommitRow],
    now: Millis,
) -> None:
    """Record what the default branch's new commit says of itself, compared with where it was.

    The others are described when somebody looks at them: a push may bring thousands of branches,
    each with all its files, and others wait for this transaction.
    """
    for move in moves:
        if move.new is not None and move.name == BRANCHES + repo.default_branch:
            tip = commits(conn, repo.id, [move.new])[move.new]
            land_tip(conn, repo, tip, before.get(move.name), now)


def _forget(
    conn: Connection, repo_id: int, moves: Sequence[Move], before: Mapping[str, CommitRow]
) -> bool:
    """Whether something may have lost the last that led to it; said of many moves without looking:
    each would be a walk through history, in a transaction that others wait for.
    """
    moved = [move for move in moves if move.old is not None and move.old != move.new]
    if any(move.new is None or move.name not in before for move in moved):
        return True
    ways = {(before[move.name].oid, move.new) for move in moved}
    if len(ways) > _LOOKED_AT:
        return True
    return not all(is_ancestor(conn, repo_id, old, new) for old, new in ways if new is not None)


def _address(author: str) -> str:
    return author.rpartition(" <")[2].removesuffix(">").lower()

# SPDX-License-Identifier: Apache-2.0
"""Which refs a push may make, move and delete. Pure: what is there now is an argument.

A verdict holds git's usual words, which its client prints beside the ref, and where these do not
say enough a sentence for the lines that begin with `remote:`.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hubkeep.git.errors import BadRef
from hubkeep.git.names import check_ref_name
from hubkeep.git.refs import BRANCHES, TAGS

PULLS = "refs/pr/"


@dataclass(frozen=True, slots=True)
class Command:
    """What a push wants of one ref: None as `old` makes it, None as `new` deletes it."""

    name: str
    old: bytes | None
    new: bytes | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a ref is left as it is: `reason` in git's words, `said` in the hub's."""

    reason: str
    said: str = ""


Verdicts = dict[str, Verdict]
"""By the names of the refs that are refused; all others are fine."""


def judge(
    commands: Sequence[Command], present: Mapping[str, bytes], default_branch: str
) -> Verdicts:
    """Say which commands cannot be followed where the refs `present` are, full names to ids.

    Deletions come first, then the others in their order, each as if those before had been done.
    """
    verdicts: Verdicts = {}
    names = _Names(present)
    for command in sorted(commands, key=lambda each: each.new is not None):
        verdict = (
            _forbidden(command, default_branch)
            or _stale(command, present.get(command.name))
            or _in_the_way(command, names)
        )
        if verdict is not None:
            verdicts[command.name] = verdict
        elif command.new is None:
            names.remove(command.name)
        else:
            names.add(command.name)
    return verdicts


def judge_targets(commands: Sequence[Command], peeled: Mapping[bytes, bytes]) -> Verdicts:
    """Say which branches would not be at a commit; `peeled` leads from each target to its commit.

    A tag may be at an annotated tag, or at a tag of a tag.
    """
    return {
        command.name: Verdict(
            "failed to update ref", f"{command.name} must lead to a commit, not to a tag of one"
        )
        for command in commands
        if command.new is not None
        and not command.name.startswith(TAGS)
        and peeled[command.new] != command.new
    }


def all_or_none(commands: Sequence[Command], verdicts: Verdicts) -> Verdicts:
    """Refuse everything where anything was refused, as `git push --atomic` asks."""
    if not verdicts:
        return verdicts
    return {c.name: verdicts.get(c.name) or Verdict("atomic push failure") for c in commands}


def refuse_all(commands: Sequence[Command], reason: str) -> Verdicts:
    """Refuse everything for one reason."""
    return {command.name: Verdict(reason) for command in commands}


def accepted(commands: Sequence[Command], verdicts: Verdicts) -> list[Command]:
    """Return the commands that are fine."""
    return [command for command in commands if command.name not in verdicts]


def _forbidden(command: Command, default_branch: str) -> Verdict | None:
    name = command.name
    if name.startswith(PULLS):
        if command.old is None or command.new is None:
            return Verdict(
                "pull requests are not made or deleted by pushing",
                f"{PULLS} belongs to pull requests: what is there can be pushed to, no more",
            )
        return None
    if not name.startswith((BRANCHES, TAGS)):
        if not name.startswith("refs/"):
            return Verdict("funny refname")
        return Verdict(
            "only branches and tags are taken",
            f"{_shown(name)}: push to {BRANCHES} and {TAGS} alone",
        )
    if command.new is None:
        if name == BRANCHES + default_branch:
            return Verdict("deletion of the current branch prohibited")
        return None
    try:
        check_ref_name(name)
    except BadRef as bad:
        return Verdict("funny refname", str(bad))
    return None


def _stale(command: Command, present: bytes | None) -> Verdict | None:
    if command.old == present and (command.old, command.new) != (None, None):
        return None
    if present is None:
        return Verdict("failed to update ref", f"{_shown(command.name)} is not there (any more)")
    return Verdict(
        "failed to update ref",
        f"{command.name} is at {present.hex()[:10]} now: somebody else has pushed. "
        "Fetch first, then push again",
    )


def _in_the_way(command: Command, names: "_Names") -> Verdict | None:
    if command.new is None or command.old is not None:
        return None
    other = names.beside(command.name)
    if other is None:
        return None
    return Verdict("failed to update ref", f"{other} is in the way of {command.name}")


def _shown(name: str) -> str:
    return name[:200].encode("utf-8", "replace").decode()


class _Names:
    """Names of refs, which git keeps as files: there cannot be both `a` and `a/b`.

    Sorted, so that a folder's names stand together: a list of all folders would be far longer,
    where names are deep.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._sorted = sorted(names)

    def add(self, name: str) -> None:
        if name not in self:
            insort(self._sorted, name)

    def remove(self, name: str) -> None:
        if name in self:
            del self._sorted[bisect_left(self._sorted, name)]

    def beside(self, name: str) -> str | None:
        """Return a name, or the folder of names, that this one cannot stand beside."""
        below = f"{name}/"
        if self._at(below).startswith(below):
            return below
        return next((above for above in _above(name) if above in self), None)

    def __contains__(self, name: str) -> bool:
        return self._at(name) == name

    def _at(self, name: str) -> str:
        """The first name that does not stand before this one; empty if there is none."""
        place = bisect_left(self._sorted, name)
        return self._sorted[place] if place < len(self._sorted) else ""


def _above(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(3, len(parts))]

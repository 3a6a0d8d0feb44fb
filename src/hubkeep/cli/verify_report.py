# SPDX-License-Identifier: Apache-2.0
"""What `hubkeep verify` has found, for people and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from hubkeep.cli.common import size_text

if TYPE_CHECKING:
    from hubkeep.content.verifying import Verified
    from hubkeep.transfer.cas.queries_scrubbing import FileRow, Place, XorbRow
    from hubkeep.transfer.cas.scrubbing import Checked

_SHOWN_ABSENT = 10


@dataclass
class GitReport:
    """What is in the repositories, and all that is wrong."""

    repositories: int = 0
    commits: int = 0
    objects: int = 0
    size: int = 0
    waiting: int = 0
    damaged: int = 0
    noted: list["Verified"] = field(default_factory=list)

    def add(self, one: "Verified") -> None:
        """Count a repository, and keep what there is to say of it."""
        found = one.findings
        self.repositories += 1
        self.commits += found.commits
        self.objects += found.objects
        self.size += found.size
        self.waiting += found.waiting
        self.damaged += found.damaged
        if found.problems or found.absent:
            self.noted.append(one)

    def as_json(self) -> dict[str, object]:
        """Return what programs want to know."""
        return {
            "repositories": self.repositories,
            "commits": self.commits,
            "objects": self.objects,
            "bytes": self.size,
            "waiting": self.waiting,
            "damaged": self.damaged,
            "problems": [
                {
                    "type": one.subject.repo_type,
                    "repo": one.subject.repo,
                    "what": problem.what,
                    "problem": problem.text,
                    "advice": problem.advice,
                }
                for one in self.noted
                for problem in one.findings.problems
            ],
            "absent": [
                {
                    "type": one.subject.repo_type,
                    "repo": one.subject.repo,
                    "oid": oid.hex(),
                    "size": lfs.size,
                }
                for one in self.noted
                for oid, lfs in one.findings.absent.items()
            ],
        }

    def lines(self) -> Iterator[str]:
        """Yield what people want to know."""
        yield (
            f"Looked through {self.repositories} repositories: {self.commits} commits,"
            f" {self.objects} objects, {size_text(self.size)}"
        )
        if self.waiting:
            yield f"{self.waiting} objects are in no branch or tag and wait for being deleted"
        for one in self.noted:
            yield from _of_repository(one)
        if not self.damaged:
            yield "Nothing is damaged in git"


def _of_repository(one: "Verified") -> Iterator[str]:
    found = one.findings
    name = f"{one.subject.repo_type} {one.subject.repo}"
    advice = None
    for problem in found.problems:
        yield f"Damaged is the {name}: {problem.what} {problem.text}"
        if problem.advice != advice:
            advice = problem.advice
            yield f"  {advice}"
    if found.damaged > len(found.problems):
        yield f"  and {found.damaged - len(found.problems)} more"
    if found.absent:
        yield (
            f"The history of the {name} names {len(found.absent)} LFS files that were deleted from"
            " it, or never came; who has them can send them: git lfs push --all origin"
        )
    for number, (oid, lfs) in enumerate(found.absent.items()):
        if number == _SHOWN_ABSENT:
            yield "  and others: --json has them all"
            break
        yield f"  {oid.hex()}  {size_text(lfs.size)}"


@dataclass
class FilesReport:
    """What was read of large files, and all that is damaged by then."""

    count: int = 0
    size: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    mended: dict[str, str] = field(default_factory=dict)
    damaged: list[tuple["XorbRow | FileRow", list["Place"]]] = field(default_factory=list)

    def add(self, one: "Checked") -> None:
        """Count what was read, and keep what is wrong with it."""
        self.count += 1
        self.size += one.size
        if one.is_mended and one.problem:
            self.mended[one.name] = one.problem
        elif one.problem:
            self.problems[one.name] = one.problem

    def as_json(self) -> dict[str, object]:
        """Return what programs want to know."""
        from hubkeep.kit.time import wire
        from hubkeep.transfer.cas.scrubbing import name_of

        return {
            "read": {"count": self.count, "bytes": self.size},
            "damaged": [
                {
                    "what": name_of(row),
                    "problem": self.problems.get(name_of(row)),
                    "since": wire(row.damaged_at or 0),
                    "files": [
                        {
                            "type": place.repo_type,
                            "repo": place.repo,
                            "path": place.path,
                            "oid": place.oid.hex() if place.oid else None,
                        }
                        for place in places
                    ],
                }
                for row, places in self.damaged
            ],
            "mended": [{"what": name, "problem": text} for name, text in self.mended.items()],
        }

    def lines(self) -> Iterator[str]:
        """Yield what people want to know."""
        from hubkeep.kit.time import wire
        from hubkeep.transfer.cas.scrubbing import name_of

        yield f"Read {self.count} xorbs and files, {size_text(self.size)}"
        for name, text in self.mended.items():
            yield f"Mended the {name}: {text}"
        for row, places in self.damaged:
            name = name_of(row)
            found = f"found on {wire(row.damaged_at or 0)[:10]}"
            yield f"Damaged is the {name}: {self.problems.get(name, found)}"
            for place in places:
                path = place.path or "(in no commit yet)"
                oid = f"  {place.oid.hex()}" if place.oid else ""
                yield f"  {place.repo_type} {place.repo}  {path}{oid}"
            if not places:
                yield "  no repository needs it"
        if not self.damaged:
            yield "Nothing is damaged"


@dataclass
class Report:
    """What was looked at; None for what was not asked for."""

    git: GitReport | None = None
    files: FilesReport | None = None

    @property
    def is_damaged(self) -> bool:
        """Whether somebody should do something."""
        in_git = self.git is not None and self.git.damaged > 0
        return in_git or (self.files is not None and bool(self.files.damaged or self.files.mended))

    def as_json(self) -> dict[str, object]:
        """Return what programs want to know."""
        git = {"git": self.git.as_json()} if self.git else {}
        return git | (self.files.as_json() if self.files else {})

    def show(self) -> None:
        """Print what people want to know."""
        for part in (self.git, self.files):
            for line in part.lines() if part else ():
                click.echo(line)

# SPDX-License-Identifier: Apache-2.0
"""What a job is: a small struct that is kept as JSON until a worker runs it."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Generic, TypeAlias, TypeVar

import msgspec

C = TypeVar("C")
"""What jobs are run with; the hub's App, which this engine does not know."""


class Job(msgspec.Struct, Generic[C], frozen=True):
    """One piece of work; its fields are its arguments.

    A job may be broken off anywhere and run again, and may run although it was done already: `run`
    is idempotent. It is enqueued in the transaction that makes it necessary, and dies with it.
    """

    KIND: ClassVar[str]
    """Its name in the queue, such as `repos.purge`; never changed while such jobs may wait."""

    def key(self) -> str:
        """Return what makes two waiting jobs of this kind the same: by default, all arguments."""
        return msgspec.json.encode(self).decode()

    async def run(self, context: C) -> None:
        """Do the work. An exception has it run again later, a few times."""
        raise NotImplementedError


Kinds: TypeAlias = Mapping[str, type[Job[C]]]


def kinds_of(jobs: Iterable[type[Job[C]]]) -> Kinds[C]:
    """Return the table of kinds by name; ValueError where two have one name."""
    kinds: dict[str, type[Job[C]]] = {}
    for job in jobs:
        if job.KIND in kinds:
            raise ValueError(f"two kinds of jobs are called {job.KIND}")
        kinds[job.KIND] = job
    return kinds

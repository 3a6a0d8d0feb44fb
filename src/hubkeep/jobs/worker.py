# SPDX-License-Identifier: Apache-2.0
"""The worker: claims jobs one after the other and runs them."""

import asyncio
import logging
import traceback
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from hubkeep.db import Database, DatabaseError
from hubkeep.jobs import queue, schedule
from hubkeep.jobs.job import Kinds
from hubkeep.jobs.queue import Claimed
from hubkeep.jobs.schedule import Periodic
from hubkeep.kit.time import Clock

log = logging.getLogger("hubkeep.jobs")

C = TypeVar("C")

IDLE_SECONDS = 1.0
RENEW_SECONDS = queue.LEASE / 1000 / 3
BREAK_OFF_SECONDS = 20.0


class Worker(Generic[C]):
    """Runs jobs of the given kinds with one context; any number may run, in any processes."""

    def __init__(
        self,
        db: Database,
        kinds: Kinds[C],
        context: C,
        clock: Clock,
        periodic: Sequence[Periodic] = (),
    ) -> None:
        self._db = db
        self._kinds = kinds
        self._context = context
        self._clock = clock
        self._periodic = periodic

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping`. A job under way then has 20 seconds; after them it is put back."""
        told = asyncio.create_task(stopping.wait())
        while not told.done():
            try:
                claimed = await self._next()
            except DatabaseError as error:
                log.warning("the queue cannot be read: %s", error)
                claimed = None
            if claimed is None:
                await asyncio.wait({told}, timeout=IDLE_SECONDS)
                continue
            running = asyncio.create_task(self._run_one(claimed))
            await asyncio.wait({told, running}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await asyncio.wait({running}, timeout=BREAK_OFF_SECONDS)
                running.cancel()
            try:
                await running
            except asyncio.CancelledError:
                log.info("stopped in the middle of job %s (%d)", *_of(claimed))
            except DatabaseError as error:  # the lease runs out, and the job is done again
                log.warning("the end of job %s (%d) is not noted: %s", *_of(claimed), error)
        told.cancel()

    async def run_due(self) -> int:
        """Run what is due, what becomes due meanwhile included; return how many jobs that were."""
        count = 0
        while (claimed := await self._next()) is not None:
            await self._run_one(claimed)
            count += 1
        return count

    async def _next(self) -> Claimed | None:
        now = self._clock()
        if await self._db.read(lambda c: schedule.any_to_enqueue(c, self._periodic, now)):
            await self._db.write(lambda c: schedule.enqueue_periodic(c, self._periodic, now))
        if not await self._db.read(lambda c: queue.any_due(c, now)):
            return None
        return await self._db.write(lambda c: queue.claim(c, now))

    async def _run_one(self, claimed: Claimed) -> None:
        work = asyncio.create_task(self._work(claimed))
        renewing = asyncio.create_task(self._keep_lease(claimed, work))
        try:
            await work
            await self._db.write(lambda c: queue.finish(c, claimed))
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work})
            await self._db.write(lambda c: queue.release(c, claimed, self._clock()))
        except Exception:  # noqa: BLE001 - whatever a job raises is kept with it and logged
            await self._failed(claimed, traceback.format_exc())
        finally:
            renewing.cancel()

    async def _work(self, claimed: Claimed) -> None:
        kind = self._kinds.get(claimed.kind)
        if kind is None:
            raise LookupError(f"this version knows no jobs of the kind {claimed.kind}")
        await msgspec.json.decode(claimed.args, type=kind).run(self._context)

    async def _failed(self, claimed: Claimed, error: str) -> None:
        now = self._clock()
        if await self._db.write(lambda c: queue.fail(c, claimed, now, error)):
            log.error("job %s (%d) is given up: %s", *_of(claimed), error)
        else:
            log.warning("job %s (%d) failed and will be tried again: %s", *_of(claimed), error)

    async def _keep_lease(self, claimed: Claimed, work: asyncio.Task[None]) -> None:
        """Renew the lease while the job runs; break the job off once another worker has it."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                ours = await self._db.write(lambda c: queue.renew(c, claimed, self._clock()))
            except DatabaseError as error:
                log.warning("the lease of job %s (%d) is not renewed: %s", *_of(claimed), error)
                continue
            if not ours:
                log.warning("job %s (%d) was taken over by another worker", *_of(claimed))
                work.cancel()
                return


def _of(claimed: Claimed) -> tuple[str, int]:
    return claimed.kind, claimed.id

# SPDX-License-Identifier: Apache-2.0
"""A push from its pack to its refs: taken in, looked through in a read, landed in a transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request

from hubkeep import errors
from hubkeep.content.jobs import collect_later
from hubkeep.content.pushing import Move, land_push, with_authors
from hubkeep.content.upload_mode import REGULAR_LIMIT
from hubkeep.errors import HubError
from hubkeep.git.push.incoming import Bounds, Checked, Incoming, Refused, receive
from hubkeep.git.queries import list_refs
from hubkeep.git.queries_objects import lock_repo
from hubkeep.git.work_folder import work_folder
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit
from hubkeep.transfer.smart.push_answer import Outcome, Told
from hubkeep.transfer.smart.push_body import PushBody, kept
from hubkeep.transfer.smart.push_failures import outcome_of
from hubkeep.transfer.smart.push_request import PushRequest
from hubkeep.transfer.smart.push_rules import (
    Command,
    Verdicts,
    accepted,
    all_or_none,
    judge,
    judge_targets,
)
from hubkeep.transfer.smart.turns import turn

if TYPE_CHECKING:
    from hubkeep.app import App

T = TypeVar("T")

MAX_REFS = 2000
TURN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class PushWork:
    """What one push needs on its way."""

    app: "App"
    request: Request
    push: PushRequest
    repo_id: int
    body: PushBody
    told: Told

    async def run(self, pack: AsyncIterator[bytes]) -> Outcome:
        """Take the push in and land it.

        Raises what is wrong with the request, ClientDisconnect too, as long as not all of it has
        come. All else that goes wrong is an outcome: to raise it would cut the connection, and the
        user would not know what happened.
        """
        try:
            return await self._take_in(pack)
        except (HubError, ClientDisconnect) as error:
            if not self.body.over.is_set():
                raise
            return outcome_of(error, self.push.commands)
        except Exception as error:  # noqa: BLE001 - logged and told, as above
            return outcome_of(error, self.push.commands)

    async def _take_in(self, pack: AsyncIterator[bytes]) -> Outcome:
        config = self.app.config
        bounds = Bounds(config.push_mb << 20, config.push_objects, REGULAR_LIMIT)
        async with (
            work_folder(config.data / "incoming") as folder,
            kept(pack, folder, bounds.pack_bytes) as pieces,
            turn(self.app, TURN_SECONDS),
        ):
            incoming = await receive(folder / "git", pieces, bounds)
            try:
                return await self._land(incoming)
            finally:
                await self._in_thread(incoming.close)

    async def _land(self, incoming: Incoming) -> Outcome:
        if incoming.objects:
            self.told.say(f"Checking {incoming.objects} objects")
        look = partial(self._look_through, incoming)
        verdicts, checked = await self._in_thread(lambda: self.app.db.read_now(look))
        left = accepted(self.push.commands, verdicts)
        if left:
            self.told.say("Moving the refs" if incoming.objects == 0 else "Storing what is new")
            verdicts |= await self.app.db.write(
                lambda conn: self._store(conn, incoming, checked, left)
            )
        said = [verdict.said for verdict in verdicts.values() if verdict.said]
        return Outcome(verdicts=verdicts, said=tuple(dict.fromkeys(said)))

    def _look_through(self, incoming: Incoming, conn: Connection) -> tuple[Verdicts, Checked]:
        """Judge the refs, then what those that are left lead to."""
        commands = self.push.commands
        if len(commands) > MAX_REFS:
            raise Refused(f"The push names {len(commands)} refs: push {MAX_REFS} at most at once")
        visitor = visit(conn, self.request, Action.WRITE, self.app.clock())
        verdicts = self._judge(conn, commands, visitor.repo.default_branch)
        left = accepted(commands, verdicts)
        tips = list(dict.fromkeys(each.new for each in left if each.new is not None))
        if not tips:
            return verdicts, Checked()
        checked = incoming.check(conn, self.repo_id, tips)
        verdicts |= judge_targets(left, checked.peeled)
        return self._strict(verdicts), with_authors(checked, visitor.actor.user)

    def _store(
        self, conn: Connection, incoming: Incoming, checked: Checked, commands: list[Command]
    ) -> Verdicts:
        """Write everything down, in the caller's transaction; judged again, since others write."""
        now = self.app.clock()
        lock_repo(conn, self.repo_id)
        visitor = visit(conn, self.request, Action.WRITE, now)
        if visitor.repo.id != self.repo_id:
            raise errors.repo_not_found(anonymous=False)
        verdicts = self._judge(conn, commands, visitor.repo.default_branch)
        moves = [
            Move(each.name, each.old, each.new, checked.peeled.get(each.new or b""))
            for each in accepted(commands, verdicts)
        ]
        if moves:
            land_push(conn, visitor, moves, incoming, checked, now)
            if not set(checked.peeled) <= {move.new for move in moves}:
                # What came for a ref that has moved meanwhile is stored too.
                collect_later(conn, self.repo_id, now)
        return verdicts

    def _judge(self, conn: Connection, commands: list[Command], default_branch: str) -> Verdicts:
        present = {ref.name: ref.oid for ref in list_refs(conn, self.repo_id)}
        return self._strict(judge(commands, present, default_branch))

    def _strict(self, verdicts: Verdicts) -> Verdicts:
        return all_or_none(self.push.commands, verdicts) if self.push.is_atomic else verdicts

    async def _in_thread(self, fn: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.app.git_threads, fn)

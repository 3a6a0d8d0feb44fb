# SPDX-License-Identifier: Apache-2.0
"""What a push is told when it fails as a whole, while its answer is on its way already."""

import errno
import logging
from collections.abc import Sequence

from hubkeep import errors
from hubkeep.blobs import NoSpace, StoreUnavailable
from hubkeep.db import DatabaseFull, DatabaseUnavailable
from hubkeep.errors import HubError, Moved
from hubkeep.git.errors import GitError
from hubkeep.git.program import GitFailed, GitMissing
from hubkeep.git.push.incoming import Refused
from hubkeep.git.push.outside import MISSING
from hubkeep.transfer.smart.push_answer import Outcome
from hubkeep.transfer.smart.push_rules import Command, refuse_all

log = logging.getLogger("hubkeep.transfer")

_BROKEN = "The hub has failed; its administrator finds the reason in its log"


def outcome_of(error: Exception, commands: Sequence[Command]) -> Outcome:
    """Say in git's words and in the hub's what an error means to who pushes: no ref has moved.

    What nobody foresaw is logged.
    """
    if isinstance(error, Refused):
        return _refused(error, commands)
    return _failed(commands, "failed to update ref", _told(error))


def _refused(refused: Refused, commands: Sequence[Command]) -> Outcome:
    if refused.by_git:
        first = refused.lines[0] if refused.lines else "unpacking failed"
        return Outcome(first, refuse_all(commands, "unpacker error"), refused.lines)
    if MISSING in refused.lines:
        said = tuple(line for line in refused.lines if line != MISSING)
        return Outcome("ok", refuse_all(commands, MISSING), said)
    return Outcome("ok", refuse_all(commands, "pre-receive hook declined"), refused.lines)


def _failed(commands: Sequence[Command], reason: str, said: str) -> Outcome:
    return Outcome("ok", refuse_all(commands, reason), tuple(said.splitlines()))


def _told(error: Exception) -> str:
    if isinstance(error, HubError):
        return error.message
    if isinstance(error, Moved):
        return f"{error.old} is {error.new} now: say so with git remote set-url"
    if isinstance(error, GitMissing):
        return errors.not_implemented("Git over HTTP (git is not installed here)").message
    if isinstance(error, (DatabaseUnavailable, StoreUnavailable)):
        log.warning("storage unavailable during a push: %s", error)
        return errors.unavailable().message
    if isinstance(error, (DatabaseFull, NoSpace)) or _is_full(error):
        return errors.no_space().message
    if isinstance(error, (GitError, GitFailed)):
        log.error("a push failed: %s", error)
    else:
        log.error("a push failed", exc_info=error)
    return _BROKEN


def _is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)

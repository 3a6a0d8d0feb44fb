# SPDX-License-Identifier: Apache-2.0
"""What a push is told when the hub fails it: git's words for each ref, a sentence for its user."""

import errno
import logging

import pytest

from hubkeep import errors
from hubkeep.blobs import NoSpace, StoreUnavailable
from hubkeep.db import DatabaseFull, DatabaseUnavailable
from hubkeep.errors import Moved
from hubkeep.git.errors import ObjectMissing
from hubkeep.git.program import GitMissing
from hubkeep.git.push.incoming import Refused
from hubkeep.transfer.smart.push_failures import outcome_of
from hubkeep.transfer.smart.push_rules import Command

COMMANDS = [Command("refs/heads/a", None, b"1" * 20), Command("refs/heads/b", None, b"1" * 20)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.unchecked(["ab" * 32]), "still being checked, try again in a moment: ab"),
        (errors.read_only_token(), "role 'read'"),
        (Moved("alice/a", "alice/b"), "alice/a is alice/b now: say so with git remote set-url"),
        (GitMissing("no git"), "git is not installed here"),
        (DatabaseUnavailable("busy"), "try again"),
        (StoreUnavailable("gone"), "try again"),
        (DatabaseFull("full"), "disk is full"),
        (NoSpace("full"), "disk is full"),
        (OSError(errno.ENOSPC, "full"), "disk is full"),
        (ObjectMissing("a tree"), "The hub has failed"),
        (OSError(errno.EIO, "broken"), "The hub has failed"),
        (ZeroDivisionError(), "The hub has failed"),
    ],
)
def test_each_ref_is_left_and_the_user_is_told(error: Exception, said: str):
    outcome = outcome_of(error, COMMANDS)
    assert outcome.unpack == "ok"
    assert {v.reason for v in outcome.verdicts.values()} == {"failed to update ref"}
    assert set(outcome.verdicts) == {"refs/heads/a", "refs/heads/b"}
    assert said in " ".join(outcome.said)


def test_what_nobody_foresaw_is_in_the_log(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR, "hubkeep.transfer"):
        outcome_of(ZeroDivisionError("by zero"), COMMANDS)
    assert caplog.records[0].exc_info is not None


def test_what_git_refuses_could_not_be_unpacked():
    outcome = outcome_of(Refused("fatal: bad pack", "more", by_git=True), COMMANDS)
    assert outcome.unpack == "fatal: bad pack"
    assert {v.reason for v in outcome.verdicts.values()} == {"unpacker error"}
    assert outcome.said == ("fatal: bad pack", "more")


def test_what_the_hub_refuses_is_declined():
    outcome = outcome_of(Refused("a file is bad", "mend it"), COMMANDS)
    assert outcome.unpack == "ok"
    assert {v.reason for v in outcome.verdicts.values()} == {"pre-receive hook declined"}
    assert outcome.said == ("a file is bad", "mend it")

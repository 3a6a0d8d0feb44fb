# SPDX-License-Identifier: Apache-2.0
"""Looking up whose namespaces they are: organisations, with what they call themselves, and users.

There is no list of accounts, and huggingface.co has more of them than anybody may ask for one by
one: those whose repositories are downloaded most come first, up to a number.
"""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Final

import msgspec

from hubkeep.kit.time import wire
from hubkeep.observatory.crawling.asking import refusal
from hubkeep.observatory.crawling.failure import CrawlFailed
from hubkeep.observatory.crawling.kept import Head
from hubkeep.observatory.crawling.walking import Walk

NAME: Final = "accounts"
UNKNOWN: Final = "not found"
COUNTS: Final = {"models": "numModels", "datasets": "numDatasets", "spaces": "numSpaces"}
"""What an account says of how many repositories it has, by the list that they are in."""

_AT_ONCE: Final = 100
_FEW: Final = 0.05
_WAYS: Final = (("org", "/api/organizations"), ("user", "/api/users"))
_GONE: Final = frozenset({404, 410})
_LONGEST: Final = 1 << 12


class _Refused(CrawlFailed):
    """The hub has an answer to this account, and does not give it."""


def look_up(work: Walk, names: Sequence[str], threads: Executor) -> None:
    """Look up accounts, from where it was left; names that the hub does not know are counted.

    So are some few that it cannot tell of. A hub that tells of none at first is not asked for more.
    CrawlFailed where it stops telling; what was read stays kept.
    """
    done: set[str] = set()
    found = 0
    for head in work.kept.heads(NAME):
        done.update(head.ids)
        found += len(head.ids) - head.left_out.get(UNKNOWN, 0)
    work.report.expect(NAME, len(names))
    work.report.rows(NAME, len(done), was_kept=True)
    left = [name for name in names if name not in done]
    for start in range(0, len(left), _AT_ONCE):
        if done and not found:
            return
        part = left[start : start + _AT_ONCE]
        said = list(threads.map(lambda name: _account(work, name), part))
        known = [one for one in said if isinstance(one, bytes)]
        found += len(known)
        _must_be_few([one for one in said if isinstance(one, CrawlFailed)], len(part), found)
        left_out = {UNKNOWN: len(part) - len(known)} if len(known) < len(part) else {}
        work.kept.add(NAME, Head(wire(work.clock()), ids=tuple(part), left_out=left_out), known)
        work.report.rows(NAME, len(part))
        done.update(part)


def _must_be_few(failed: Sequence[CrawlFailed], asked: int, found: int) -> None:
    """Raise the first of many failures, unless the hub never told of any account."""
    if len(failed) <= asked * _FEW:
        return
    if found or not all(isinstance(one, _Refused) for one in failed):
        raise failed[0]


def _account(work: Walk, name: str) -> bytes | CrawlFailed | None:
    """What is kept of an account, as a line of JSON; None where the hub does not know it."""
    if not name.strip("."):
        return None
    try:
        for kind, place in _WAYS:
            path = f"{place}/{name}/overview"
            answer = work.caller.get(work.caller.endpoint.target(path))
            if answer.status == 200 and isinstance(answer.value, dict):
                return _line(name, kind, answer.value)
            if answer.status not in _GONE:
                return _Refused(refusal(work.caller, path, answer))
    except CrawlFailed as error:
        return error
    return None


def _line(name: str, kind: str, said: Mapping[str, object]) -> bytes:
    kept = {
        "name": name,
        "kind": kind,
        "fullname": _text(said.get("fullname")),
        "org_type": _org_type(said.get("orgType")) if kind == "org" else None,
        "created_at": _text(said.get("createdAt")),
        **{table: _count(said.get(field)) for table, field in COUNTS.items()},
    }
    return msgspec.json.encode({key: one for key, one in kept.items() if one is not None})


def _text(said: object) -> str | None:
    return said[:_LONGEST] if isinstance(said, str) else None


def _count(said: object) -> int | None:
    return said if isinstance(said, int) and not isinstance(said, bool) and said >= 0 else None


def _org_type(said: object) -> str | None:
    """What an organisation calls itself, in the words of the schema as far as they are known."""
    text = re.sub(r"[\s_]+", "-", (_text(said) or "").strip().lower())
    return {"nonprofit": "non-profit", "none": None, "": None}.get(text, text)

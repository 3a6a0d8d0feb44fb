# SPDX-License-Identifier: Apache-2.0
"""How to ask a hub for a list: for all that it tells, and no more.

Hubs differ in what `expand` may name: huggingface.co gives `usedStorage` of one repository and not
of many. Who names what is not given gets 400, mostly with the names that are.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hubkeep.observatory.crawling.calling import Answer, Caller
from hubkeep.observatory.crawling.failure import CrawlFailed, TooMuch
from hubkeep.observatory.crawling.lists import HEAVY, List

PAGE: Final = 1000
SHORTEST: Final = 10
"""The fewest rows of a page that are asked for where more are too much."""

_SHORTER: Final = 100
# In the order in which repositories were made nothing moves while pages are read: what is made
# meanwhile stands before all that is left to read.
_ORDER: Final = (("sort", "createdAt"),)
_REFUSED: Final = frozenset({400, 422, 501})
_NONE: Final = frozenset({404, 405, 410, 501})
_NAMES: Final = re.compile(r"(?:one of|expected)\s*(.*)", re.DOTALL)
_WORD: Final = re.compile(r"[\w-]+")

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Found:
    """A target that was asked for, and what the hub said."""

    target: str
    answer: Answer

    @property
    def is_refused(self) -> bool:
        """Whether asking otherwise may help."""
        return self.answer.status in _REFUSED


def first_page(caller: Caller, asked: List) -> Found | None:
    """Ask for the first page of a list in the way that tells most of those that the hub takes.

    None where the hub has no such list. CrawlFailed where it refuses it however it is asked.
    """

    def ask(query: Query, limit: int = PAGE) -> Found:
        target = caller.endpoint.target(asked.path, [("limit", str(limit)), *query])
        try:
            return Found(target, caller.get(target))
        except TooMuch:
            if limit <= SHORTEST:
                raise
            return ask(query, limit // 10)

    found = _with_fields(ask, asked)
    if found.is_refused:
        found = _otherwise(ask, asked)
    if found.answer.status == 200:
        return found
    if found.answer.status in _NONE:
        return None
    raise CrawlFailed(refusal(caller, asked.path, found.answer))


def refusal(caller: Caller, path: str, answer: Answer) -> str:
    """Say that the hub does not give something, in its own words and with what may help."""
    help_ = {
        401: "; it wants a token: --token-file",
        403: "; the token may not read it",
        404: "; is it a hub with the Hugging Face API?",
    }.get(answer.status, "")
    return f"{caller.endpoint.url} refuses {path}: {answer.status} {answer.text[:300]}{help_}"


def _with_fields(ask: Callable[[Query], Found], asked: List) -> Found:
    """Ask for all fields, then for those that the refusal names, then for none that is heavy."""
    fields = asked.fields
    found = ask(_query(_ORDER, fields))
    if found.is_refused and (named := _named(found.answer.text, fields)):
        fields = named
        found = ask(_query(_ORDER, fields))
    if found.is_refused and not HEAVY.isdisjoint(fields):
        found = ask(_query(_ORDER, [name for name in fields if name not in HEAVY]))
    return found


def _otherwise(ask: Callable[[Query, int], Found], asked: List) -> Found:
    """Find out what it is that a hub refuses: the order, some of the fields, or the length."""
    order: Query = _ORDER
    found = ask(order, 1)
    if found.is_refused:
        order = ()
        found = ask(order, 1)
    if found.answer.status != 200:
        return found
    fields = [one for one in asked.fields if ask(_query(order, [one]), 1).answer.status == 200]
    ways = [[*order, ("full", "true")], order]
    if fields:
        ways.insert(0, _query(order, fields))
    for limit in (PAGE, _SHORTER):
        for way in ways:
            found = ask(way, limit)
            if not found.is_refused:
                return found
    return found


def _query(order: Query, fields: Sequence[str]) -> Query:
    return [*order, *(("expand", name) for name in fields)]


def _named(text: str, fields: Sequence[str]) -> tuple[str, ...]:
    """Those of the fields that a refusal says may be asked for: `must be one of [a, b]`."""
    listed = _NAMES.search(text)
    words = set(_WORD.findall(listed[1])) if listed else set()
    return tuple(name for name in fields if name in words)

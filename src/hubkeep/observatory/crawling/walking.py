# SPDX-License-Identifier: Apache-2.0
"""One list of a hub, page by page to its end: each is kept before the next is asked for."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from hubkeep.kit.time import Clock, wire
from hubkeep.observatory.crawling.asking import SHORTEST, first_page, refusal
from hubkeep.observatory.crawling.calling import Answer, Caller
from hubkeep.observatory.crawling.failure import CrawlFailed, TooMuch
from hubkeep.observatory.crawling.kept import Head, Kept
from hubkeep.observatory.crawling.lists import List, Row, row_of
from hubkeep.observatory.crawling.report import Report

_LINK: Final = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s",;]+))*)')
_NEXT: Final = re.compile(r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\b)', re.IGNORECASE)
_MOST_EMPTY: Final = 1_000
_MOST_REPEATED: Final = 10


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk needs: whom it asks, where pages are kept, and who is told."""

    caller: Caller
    kept: Kept
    clock: Clock
    report: Report
    has_token: bool


@dataclass(slots=True)
class _Seen:
    """What tells a list that ends from one that leads in circles."""

    targets: set[int] = field(default_factory=set)
    pages: set[int] = field(default_factory=set)
    empty: int = 0
    repeated: int = 0

    def add(self, path: str, head: Head) -> None:
        """Take note of a page. CrawlFailed where the list does not get anywhere."""
        if head.next is not None:
            if hash(head.next) in self.targets:
                raise CrawlFailed(f"the next page of {path} is one that was read before")
            self.targets.add(hash(head.next))
        self.empty = 0 if head.ids else self.empty + 1
        if head.ids:
            page = hash(head.ids)
            self.repeated += page in self.pages
            self.pages.add(page)
        if self.empty > _MOST_EMPTY:
            raise CrawlFailed(f"{path} has {self.empty} pages in a row without anything on them")
        if self.repeated > _MOST_REPEATED:
            raise CrawlFailed(f"{path} gives the same pages again and again, and does not end")


def walk(work: Walk, asked: List) -> None:
    """Read a list to its end, from where it was left. CrawlFailed; what was read stays kept."""
    seen, head = _Seen(), None
    for head in work.kept.heads(asked.name):
        seen.add(asked.path, head)
        work.report.rows(asked.name, len(head.ids), was_kept=True)
    if head is None:
        found = first_page(work.caller, asked)
        if found is None:
            work.kept.add(asked.name, Head(wire(work.clock()), is_absent=True), ())
            return
        head = _keep(work, asked, seen, found.target, found.answer)
    while head.next is not None:
        target, answer = _page(work.caller, asked, head.next)
        head = _keep(work, asked, seen, target, answer)


def _keep(work: Walk, asked: List, seen: _Seen, target: str, answer: Answer) -> Head:
    """Keep what a page says, and return its head."""
    if not isinstance(answer.value, list):
        raise CrawlFailed(
            f"{work.caller.endpoint.url}{asked.path} is no list: is it a hub with the Hugging "
            "Face API?"
        )
    rows, left_out = _rows(work, asked, answer.value)
    following = _following(work.caller, asked, target, answer)
    head = Head(
        wire(work.clock()),
        following,
        tuple(row.id for row in rows),
        tuple(row.downloads for row in rows),
        tuple(sorted({field for row in rows for field in row.told})),
        left_out,
    )
    seen.add(asked.path, head)
    work.kept.add(asked.name, head, [row.line for row in rows])
    total = answer.headers.get("x-total-count", "")
    if re.fullmatch(r"\d{1,9}", total):
        work.report.expect(asked.name, int(total))
    work.report.rows(asked.name, len(rows))
    return head


def _rows(work: Walk, asked: List, said: Sequence[object]) -> tuple[list[Row], dict[str, int]]:
    rows: list[Row] = []
    left_out = Counter[str]()
    for one in said:
        row = row_of(asked, one, work.has_token)
        if isinstance(row, str):
            left_out[row] += 1
        else:
            rows.append(row)
    return rows, dict(sorted(left_out.items()))


def _following(caller: Caller, asked: List, target: str, answer: Answer) -> str | None:
    """What is asked for after a page, by its `Link` header; None where it is the last."""
    for link in _LINK.finditer(answer.headers.get("link", "")):
        if _NEXT.search(link[2]):
            following = caller.endpoint.follow(target, link[1])
            if urlsplit(following).path != caller.endpoint.target(asked.path):
                raise CrawlFailed(
                    f"the next page of {asked.path} is no page of it: {link[1][:200]}"
                )
            if following == target:
                raise CrawlFailed(f"the next page of {asked.path} is one that was read before")
            return following
    return None


def _page(caller: Caller, asked: List, target: str) -> tuple[str, Answer]:
    """Ask for a page, and for a shorter one where it is too much for the hub or for us."""
    while True:
        try:
            answer = caller.get(target)
        except TooMuch:
            shorter = _shorter(target)
            if shorter is None:
                raise
            target = shorter
            continue
        if answer.status != 200:
            raise CrawlFailed(refusal(caller, asked.path, answer))
        return target, answer


def _shorter(target: str) -> str | None:
    """The same page with a tenth of its rows; None where its length is not said, or short."""
    path, _, query = target.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    limit = dict(pairs).get("limit", "")
    if not re.fullmatch(r"\d{1,6}", limit) or int(limit) <= SHORTEST:
        return None
    shorter = str(max(int(limit) // 10, SHORTEST))
    changed = [(name, shorter if name == "limit" else value) for name, value in pairs]
    return f"{path}?{urlencode(changed)}"

# SPDX-License-Identifier: Apache-2.0
"""Which snapshots tell of the same hub: a figure over time takes no others, and one that compares
hubs needs one of another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from hubkeep.observatory.manifest import Manifest

PUBLIC: Final = "huggingface.co"
"""The hub that a file is of unless it says otherwise: all censuses that others publish are."""
_THIS: Final = ""


@dataclass(frozen=True, slots=True)
class Series:
    """What is read for a figure about one snapshot."""

    history: Sequence[Manifest]
    """Of the same hub, oldest first; the last is the one that the figure is about."""
    reference: Manifest | None = None
    """The newest of another hub."""
    later: Sequence[Manifest] = ()
    """Of the same hub, but taken after it: a figure does not look ahead."""


def hub_of(snapshot: Manifest) -> str:
    """Return the host of the hub that a snapshot is of; this hub's own have none."""
    source = snapshot.source
    if source.kind == "hub":
        return _THIS
    if source.kind == "crawl":
        return (urlsplit(source.name).netloc or source.name).lower()
    return source.detail.get("hub", PUBLIC)


def series_of(main: Manifest, others: Iterable[Manifest]) -> Series:
    """Sort snapshots into what a figure about `main` may read; `main` may be among them."""
    by_id = {one.id: one for one in others if one.id != main.id}
    found = sorted(by_id.values(), key=_age)
    same = [one for one in found if hub_of(one) == hub_of(main)]
    foreign = [one for one in found if hub_of(one) != hub_of(main)]
    return Series(
        [*(one for one in same if _age(one) <= _age(main)), main],
        foreign[-1] if foreign else None,
        [one for one in same if _age(one) > _age(main)],
    )


def thinned(history: Sequence[Manifest], most: int) -> Sequence[Manifest]:
    """Leave at most so many of a history, evenly spread in time; the first and last stay."""
    if len(history) <= most:
        return history
    times = [_seconds(one) for one in history]
    wanted = [times[0] + (times[-1] - times[0]) * step / (most - 1) for step in range(most)]
    kept = {0, len(history) - 1}
    at = 0
    for moment in wanted:
        while at + 1 < len(times) and abs(times[at + 1] - moment) <= abs(times[at] - moment):
            at += 1
        kept.add(at)
    return [history[place] for place in sorted(kept)]


def _age(snapshot: Manifest) -> tuple[str, str]:
    return snapshot.taken_at, snapshot.id


def _seconds(snapshot: Manifest) -> float:
    return datetime.fromisoformat(snapshot.taken_at).timestamp()

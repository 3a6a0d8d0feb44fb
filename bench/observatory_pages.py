# SPDX-License-Identifier: Apache-2.0
"""Pages of figures of a running hub over a census, asked with filters that nobody has asked for."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import quantiles
from typing import Final
from urllib.parse import urlencode

import httpx2

from bench.hubs import fill, serving
from bench.table import Figure
from hubkeep.observatory.figures import all_figures

FILTERS: Final[Sequence[Mapping[str, str]]] = (
    {"org_type": "company"},
    {"since": "2023-06-01"},
    {"flagged": "keep"},
    {"until": "2024-01-31", "flagged": "drop"},
)
K: Final = {"k": "150"}
PATIENCE: Final = 120.0


def figures(data: Path) -> Iterator[Figure]:
    """Measure the pages of a hub over a folder whose last snapshot is a census."""
    fill(data)
    with (
        serving(data, "", "--no-job-worker") as hub,
        httpx2.Client(base_url=hub.url, timeout=PATIENCE) as client,
    ):
        first = _asked(client, "f2", {})
        _asked(client, "s1", {})  # is answered when the reader has got ready
        fresh, again = _all(client), _all(client)
    note = f"the first page of all, for which the snapshot is opened, {1000 * first:.0f} ms"
    yield _p95("6 page", "page of a figure with filters that were not asked before", fresh, note)
    yield _slowest("6 page, slowest", fresh)
    yield _p95("6 page, again", "page of a figure with filters, asked again", again, "")


def _all(client: httpx2.Client) -> Mapping[tuple[str, str], float]:
    """The seconds of each page with each of the filters, and with another k where there is one."""
    took = {}
    for name, known in all_figures().items():
        if known.figure.snapshots > 1:
            continue
        has_k = any(one.name == "k" for one in known.figure.parameters)
        for given in (*FILTERS, *([K] if has_k else [])):
            took[name, urlencode(given)] = _asked(client, name.lower(), given)
    return took


def _asked(client: httpx2.Client, figure: str, given: Mapping[str, str]) -> float:
    started = time.perf_counter()
    client.get(f"/insights/{figure}", params=dict(given)).raise_for_status()
    return time.perf_counter() - started


def _p95(name: str, what: str, took: Mapping[tuple[str, str], float], note: str) -> Figure:
    cuts = quantiles(took.values(), n=20)
    said = f"{len(took)} pages, p50 {1000 * cuts[9]:.0f} ms"
    return Figure(
        name,
        f"p95, {what}",
        1000 * cuts[18],
        "<=",
        150,
        "ms",
        "; ".join(filter(None, (said, note))),
    )


def _slowest(name: str, took: Mapping[tuple[str, str], float]) -> Figure:
    means: dict[str, list[float]] = {}
    for (figure, _), seconds in took.items():
        means.setdefault(figure, []).append(seconds)
    slowest = max(means, key=lambda figure: sum(means[figure]) / len(means[figure]))
    seconds = sum(means[slowest]) / len(means[slowest])
    return Figure(name, f"the slowest of these, {slowest}", 1000 * seconds, "<=", 150, "ms", "mean")

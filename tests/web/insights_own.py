# SPDX-License-Identifier: Apache-2.0
"""A hub with snapshots of itself, by hand: a week apart, of repositories that come, go and hide."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hubkeep.config import Config
from hubkeep.observatory.queries_concealed import conceal
from hubkeep.observatory.snapshot import Snapshot
from tests.harness.hub import TestHub, started_hub
from tests.harness.world import seed
from tests.observatory.tiny import OWN, Row, model, tiny

DAYS = ("2024-06-27", "2024-07-04", "2024-07-11", "2024-07-18")
SECRET = "acme/secret"


def _row(name: str, downloads: int | None, likes: int = 3, **more: object) -> Row:
    ever = None if downloads is None else 10 * downloads
    return model(name, downloads_30d=downloads, downloads_all=ever, likes=likes, **more)


def _models(week: int) -> list[Row]:
    """Those of a week: one is away in the second, one has no counter then, one is new in the
    last, one has gone by then, one says something absurd.
    """
    rows = [
        _row("acme/grows", 100 * (week + 1), license="mit", task="text-generation"),
        _row("acme/falls", 900 - 200 * week),
        _row("other/steady", 500, likes=week),
        _row("other/silent", None if week == 1 else 40),
        _row(SECRET, 700),
        _row("acme/small", 60),
        _row("tiny/zero", 0),
        _row("loud/absurd", 1_000_000 if week == 3 else 400),
        *(_row(f"many/m{at}", 30 + at) for at in range(12)),
    ]
    rows += [] if week == 1 else [_row("other/comes-and-goes", 50)]
    rows += [_row("acme/new", 250)] if week == 3 else [_row("other/gone", 80)]
    return rows


def four(folder: Path) -> list[Snapshot]:
    """Make the four snapshots, oldest first. The last knows of lineage; datasets are in two."""
    made = []
    for week, day in enumerate(DAYS):
        tables: dict[str, list[Row]] = {"models": _models(week)}
        if week > 1:
            tables["datasets"] = [model("acme/grows", downloads_30d=7 * week, likes=1)]
        if week == 3:
            tables["lineage"] = [
                {"child": name, "parent": "acme/grows", "relation": "finetune"}
                for name in ("acme/new", "other/steady", SECRET)
            ]
        made.append(tiny(folder, f"{day}T00:00:00.000Z", source=OWN, **tables))
    return made


@contextmanager
def own_hub(folder: Path, **settings: str) -> Iterator[TestHub]:
    """A hub that took the four of itself; `SECRET` has been private since."""
    config = Config(data=folder / "hub", **settings)
    four(config.data / "snapshots")
    with started_hub(config) as started:
        started.write(lambda conn: seed(conn, started.clock()))
        started.write(lambda conn: conceal(conn, 1, "model", [SECRET], started.clock()))
        yield started

# SPDX-License-Identifier: Apache-2.0
"""A hub with snapshots, and its pages about them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hubkeep.config import Config
from hubkeep.observatory.manifest import Source
from tests.harness.hub import TestHub, started_hub
from tests.harness.world import seed
from tests.observatory.shelf import GB, three
from tests.observatory.tiny import Row, model, tiny, when

MARKUP = "<img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("evil")'
TURNED = "census \u202efdp.exe"


@contextmanager
def observing_hub(folder: Path, fill: Callable[[Path], object] = three) -> Iterator[TestHub]:
    """A hub that is about the snapshots which `fill` makes: the three of `shelf`."""
    config = Config(data=folder / "hub")
    fill(config.data / "snapshots")
    with started_hub(config) as started:
        started.write(lambda conn: seed(conn, started.clock()))
        yield started


def hostile(folder: Path) -> None:
    """Make a snapshot whose strings play tricks, as far as snapshots take them."""
    rows = [
        _row("one/a", 900, author=MARKUP, license=MARKUP, task=FORMULA),
        _row("two/b", 800, author=FORMULA, license=FORMULA, task=MARKUP),
        _row("three/c", 700, license="@SUM(A1)", task='{"expr": "1"}'),
        _row("four/d", 600),
    ]
    tiny(folder, models=rows, source=Source(kind="import", name=TURNED))


def _row(name: str, downloads: int, **more: object) -> Row:
    given = {"created_at": when("2024-02-03"), "license": "mit", "task": "fill-mask", "size": GB}
    return model(name, downloads_30d=downloads, likes=3, **{**given, **more})

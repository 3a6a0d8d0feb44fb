# SPDX-License-Identifier: Apache-2.0
"""What a card says that a model reached: its `model-index` as rows of a table.

The index is what somebody wrote, with any type anywhere: what is not as it should be is left out.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from hubkeep.cards.values import clean

MAX_ROWS = 24
_MAX_TEXT = 80


class Metric(msgspec.Struct, rename="camel"):
    """A measure and its value, as people read it."""

    name: str
    value: str


class Evaluation(msgspec.Struct, rename="camel"):
    """What was reached on one dataset, for one task."""

    dataset: str
    task: str | None
    metrics: list[Metric]


def evaluations(index: Sequence[object] | None) -> tuple[list[Evaluation], bool]:
    """Return the first results by dataset and task, and whether there are more."""
    rows = list(islice(_rows(index or []), MAX_ROWS + 1))
    found: dict[tuple[str, str | None], Evaluation] = {}
    for dataset, task, metric in rows[:MAX_ROWS]:
        found.setdefault((dataset, task), Evaluation(dataset, task, [])).metrics.append(metric)
    return list(found.values()), len(rows) > MAX_ROWS


def _rows(index: Sequence[object]) -> Iterator[tuple[str, str | None, Metric]]:
    for model in _mappings(index):
        for result in _mappings(model.get("results")):
            dataset = _label(result.get("dataset"))
            task = _label(result.get("task"))
            for metric in _mappings(result.get("metrics")):
                name, value = _label(metric), _value(metric.get("value"))
                if name is not None and value is not None:
                    yield dataset or "No dataset named", task, Metric(name, value)


def _mappings(value: object) -> Iterator[dict[str, object]]:
    for one in value if isinstance(value, list | tuple) else ():
        if isinstance(one, dict):
            yield one


def _label(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    return clean(value.get("name"), _MAX_TEXT) or clean(value.get("type"), _MAX_TEXT)


def _value(value: object) -> str | None:
    if isinstance(value, float) and not isinstance(value, bool):
        return f"{value:.4g}"
    return clean(value, _MAX_TEXT)

# SPDX-License-Identifier: Apache-2.0
"""Who tops the chart in some months: simple methods, their probabilities, and how good they were.

Pure functions over downloads by model and snapshot. What is drawn is drawn with a fixed seed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.statistics import DRAWS, SEED

if TYPE_CHECKING:
    import numpy as np

PERSISTENCE: Final = "persistence"
LAST_GROWTH: Final = "last growth"
DAMPED: Final = "damped trend"
BOOTSTRAP: Final = "bootstrap of ranks"
METHODS: Final = (PERSISTENCE, LAST_GROWTH, DAMPED, BOOTSTRAP)

TOP: Final = 10
MONTH: Final = 30.4375
DAMPING: Final = 0.9
"""What is left of a trend after each month."""

_LEAST: Final = 0.5
_MOST: Final = math.log(1e15)


@dataclass(frozen=True, slots=True)
class Panel:
    """Downloads of models (rows, sorted by name) in snapshots (columns, oldest first).

    NaN where a snapshot does not have the model; `days` tells when each was taken.
    """

    models: Sequence[str]
    days: "np.ndarray"
    counts: "np.ndarray"

    def until(self, last: int) -> "Panel":
        """Return what was known when snapshot `last` was taken."""
        return Panel(self.models, self.days[: last + 1], self.counts[:, : last + 1])


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is said of each of `models` (places in a panel); the draws behind it are `counts`."""

    models: "np.ndarray"
    counts: "np.ndarray"
    """Downloads by model and draw."""
    p_first: "np.ndarray"
    p_top: "np.ndarray"


@dataclass(frozen=True, slots=True)
class Score:
    """How good a method was, over all origins of the backtest."""

    origins: int
    log_score: float
    """Mean of -log(probability of what happened to a model's place in the top ten): less is
    better.
    """
    hit_rate: float
    """The part of the later top ten that was in the ten that it thought most likely."""


def forecast(panel: Panel, method: str, ahead: float, pool: int) -> Forecast:
    """Forecast the first `pool` models of a panel's last snapshot, `ahead` days later.

    The panel needs two snapshots at least. Every method draws around its own centre with the
    changes of log downloads that models had from one snapshot to the next, scaled by the root of
    the time, and with Poisson noise.
    """
    import numpy as np

    logs = np.log(np.maximum(panel.counts, _LEAST))
    chosen = _first(panel.counts[:, -1], pool)
    drift, noise = _changes(logs, panel.days, panel.counts, pool)
    middle = centre(method, logs[chosen], panel.days, ahead, drift)
    draw = np.random.Generator(np.random.PCG64(SEED))
    picked = draw.integers(0, len(noise), (len(chosen), DRAWS))
    drawn = np.minimum(middle[:, None] + math.sqrt(ahead) * noise[picked], _MOST)
    counts = draw.poisson(np.exp(drawn)).astype(np.float64)
    top = min(TOP, len(chosen))
    order = np.argsort(-counts, axis=0, kind="stable")
    first = np.bincount(order[0], minlength=len(chosen)) if len(chosen) else np.zeros(0)
    tops = np.bincount(order[:top].ravel(), minlength=len(chosen))
    return Forecast(chosen, counts, first / DRAWS, tops / DRAWS)


def centre(
    method: str, logs: "np.ndarray", days: "np.ndarray", ahead: float, drift: float
) -> "np.ndarray":
    """Return the log downloads that a method expects `ahead` days after the last of `days`.

    A model that only the last snapshot has is expected to stay as it is. `drift` is the change of
    all models in a day, which the bootstrap takes for each.
    """
    import numpy as np

    now = logs[:, -1]
    if method == PERSISTENCE:
        return now
    if method == BOOTSTRAP:
        return now + drift * ahead
    if method == LAST_GROWTH:
        growth = (now - logs[:, -2]) / (days[-1] - days[-2])
        return now + np.nan_to_num(growth) * ahead
    months = ahead / MONTH
    damped = DAMPING * (1 - DAMPING**months) / (1 - DAMPING) * MONTH
    return now + _slopes(logs, days) * damped


def backtest(panel: Panel, method: str, ahead: float, pool: int) -> Score | None:
    """Score a method from each snapshot on that has two before its target; None without any.

    The target of an origin is the later snapshot that is nearest to `ahead` days after it. What
    was not known at the origin is not used.
    """
    import numpy as np

    scores, hits = [], []
    for origin in range(1, len(panel.days) - 1):
        later = np.arange(origin + 1, len(panel.days))
        away = panel.days[later] - panel.days[origin]
        nearest = int(np.argmin(np.abs(away - ahead)))
        then = panel.counts[:, later[nearest]]
        said = forecast(panel.until(origin), method, float(away[nearest]), pool)
        if not len(said.models) or not (then > 0).any():
            continue
        happened = set(_first(then, TOP).tolist())
        likely = said.models[np.lexsort((-said.counts.mean(axis=1), -said.p_top))[:TOP]]
        hits.append(len(happened & set(likely.tolist())) / len(happened))
        scores.append(_log_score(said, happened))
    if not scores:
        return None
    return Score(len(scores), float(np.mean(scores)), float(np.mean(hits)))


def skill(score: Score | None, persistence: Score | None) -> float | None:
    """Return how much better than persistence a method was: 1 is perfect, 0 the same, below it is
    worse.
    """
    if score is None or persistence is None or persistence.log_score <= 0:
        return None
    return 1 - score.log_score / persistence.log_score


def _log_score(said: Forecast, happened: set[int]) -> float:
    import numpy as np

    # As if each place had been drawn half a time more: what was never drawn is not impossible.
    p = (said.p_top * DRAWS + 0.5) / (DRAWS + 1)
    came = np.array([one in happened for one in said.models.tolist()], dtype=bool)
    unseen = len(happened - set(said.models.tolist()))
    losses = -np.log(np.where(came, p, 1 - p)).sum() - unseen * math.log(0.5 / (DRAWS + 1))
    return float(losses) / (len(said.models) + unseen)


def _first(counts: "np.ndarray", count: int) -> "np.ndarray":
    """Places of the models with most downloads, ties by name."""
    import numpy as np

    order = np.argsort(np.where(np.isnan(counts), np.inf, -counts), kind="stable")
    there = order[~np.isnan(counts[order])]
    return there[:count]


def _changes(
    logs: "np.ndarray", days: "np.ndarray", counts: "np.ndarray", pool: int
) -> tuple[float, "np.ndarray"]:
    """The usual change in a day, and what changes are besides it, for the root of a day."""
    import numpy as np

    rates, parts = [], []
    for at in range(len(days) - 1):
        chosen = _first(counts[:, at], pool)
        change = logs[chosen, at + 1] - logs[chosen, at]
        change = change[~np.isnan(change)]
        span = float(days[at + 1] - days[at])
        rates.append(change / span)
        parts.append((change, span))
    all_rates = np.concatenate(rates)
    if not len(all_rates):
        return 0.0, np.zeros(1)
    drift = float(np.median(all_rates))
    noise = np.concatenate([(change - drift * span) / math.sqrt(span) for change, span in parts])
    return drift, noise - np.median(noise)


def _slopes(logs: "np.ndarray", days: "np.ndarray") -> "np.ndarray":
    """Least squares slope of each row over the days that it has; 0 with fewer than two."""
    import numpy as np

    there = ~np.isnan(logs)
    n = there.sum(axis=1)
    day = np.where(there, days, 0.0)
    mean_day = day.sum(axis=1) / np.maximum(n, 1)
    mean_log = np.nansum(logs, axis=1) / np.maximum(n, 1)
    from_day = np.where(there, days - mean_day[:, None], 0.0)
    from_log = np.where(there, logs - mean_log[:, None], 0.0)
    spread = (from_day**2).sum(axis=1)
    return np.where(n > 1, (from_day * from_log).sum(axis=1) / np.where(spread > 0, spread, 1), 0.0)

# SPDX-License-Identifier: Apache-2.0
"""Answers to study B: the 300 models that are used most."""

from typing import Final

from tools.findings.answer import Answer, Answers, by, listed, percent, ranged
from tools.findings.shelf import CARDS, CENSUS, SUMMER, Row, Shelf

_UNION: Final = "union"
_BOTH: Final = "; the second with rule=union: the first 300 by downloads and the first 300 by likes"


def _rows(shelf: Shelf, figure: str, rule: str = "downloads_30d") -> list[Row]:
    return shelf.figure(CENSUS, figure, rule=rule).table.to_pylist()


def _count(shelf: Shelf) -> Answer:
    used, union = (shelf.figure(CENSUS, "S1", rule=rule) for rule in ("downloads_30d", _UNION))
    share = "apache_mit_share"
    declared = sum(
        row["share_declared"]
        for row in used.table.to_pylist()
        if row["licence"] in ("apache-2.0", "mit")
    )
    return Answer(
        f"{ranged(used.scalars, share, f'{share}_ci_lo', f'{share}_ci_hi')} of the first 300 by"
        f" downloads, {percent(declared)} of those that name a licence;"
        f" {ranged(union.scalars, share, f'{share}_ci_lo', f'{share}_ci_hi')} of"
        f" {union.n} by downloads or likes.",
        f"{by(CENSUS, used)}{_BOTH}",
        "The claim lies between the share of all and that of models that name a licence, and the"
        " study does not say which it is. What people like has other licences more often: those of"
        " Stable Diffusion and Llama, or `other`.",
    )


def _downloads(shelf: Shelf) -> Answer:
    used = shelf.figure(CENSUS, "S2")
    told, share = used.scalars, "apache_mit_share"
    return Answer(
        f"{ranged(told, share, f'{share}_ci_lo', f'{share}_ci_hi')} of the downloads,"
        f" {percent(told['apache_mit_share_declared'])} of those under a licence that is named;"
        f" {percent(told['apache_mit_share_with_flagged'])} with the flagged counter.",
        by(CENSUS, used),
        "It is less. A fifth of the downloads are of models without a licence, and the interval is"
        " wide because a few models make most of them. One counter that nobody believes would bring"
        " the share from 68% to 39%: BSD, by one model.",
    )


def _twice(shelf: Shelf) -> Answer:
    rows = {row["licence"]: row for row in _rows(shelf, "S2")}
    counts = {row["licence"]: row for row in _rows(shelf, "S1")}
    names = ("apache-2.0", "mit")
    first, second = (rows[name]["dl_share_all"] for name in names)
    n, m = (counts[name]["n"] for name in names)
    return Answer(
        f"By downloads {first / second:.1f} times ({percent(first)} and {percent(second)}), by"
        f" count {n / m:.1f} times ({n} and {m} models).",
        f"S1 and S2 over {CENSUS}",
        "It holds by downloads in kind, and more so; by count less.",
    )


def _creators(shelf: Shelf) -> Answer:
    used, union = (_rows(shelf, "S3", rule)[:5] for rule in ("downloads_30d", _UNION))
    return Answer(
        "By downloads "
        + ", ".join(f"{row['author']} {row['n']}" for row in used)
        + "; by downloads or likes "
        + ", ".join(f"{row['author']} {row['n']}" for row in union)
        + ".",
        f"S3 over {CENSUS}{_BOTH}",
        "Facebook and Microsoft lead still. Stability is among the first where likes count, as in"
        " the study, which took what was trending, too. TheBloke has made nothing since"
        " January 2024.",
    )


def _meta(shelf: Shelf) -> Answer:
    rows = _rows(shelf, "S4")
    entities: dict[str, Row] = {}
    for row in rows:
        entities.setdefault(str(row["entity"]), row)
    first = sorted(entities.values(), key=lambda row: -float(row["entity_share"] or 0))[:5]
    interval = ranged(rows[0], "share", "ci_lo", "ci_hi")
    return Answer(
        f"{listed(first, 'entity', 'entity_share')}. {rows[0]['author']} as a namespace:"
        f" {interval}.",
        f"S4 over {CENSUS}",
        "Meta, OpenAI and Google are still three of the first four, at 12% to 13% each; Sentence"
        " Transformers have overtaken them by two models. The study does not say which models made"
        " Meta's 30%. A few are enough: the width of the interval is what such lists are worth.",
    )


def _tasks(shelf: Shelf) -> Answer:
    rows = [row for row in _rows(shelf, "S5") if row["task"] != "(none)"]
    place = next(at for at, row in enumerate(rows, 1) if row["task"] == "text-generation")
    return Answer(
        f"{listed(rows[:5], 'task', 'share')}; text-generation is number {place}.",
        f"S5 over {CENSUS}, tasks that are named",
        "It holds in kind: what is downloaded most reads text, sentences and speech; language"
        " models that write are not among the first, for all that is said of them.",
    )


def _likes(shelf: Shelf) -> Answer:
    result = shelf.figure(CENSUS, "S6")
    told = {(row["universe"], row["method"]): row["r2"] for row in result.table.to_pylist()}
    return Answer(
        f"R² {told['U', 'linear']:.3f} linear, {told['U', 'log-log']:.3f} of logarithms in the"
        f" first 300; {told['all', 'linear']:.3f} and {told['all', 'log-log']:.3f} over all models"
        " (the latter over those with a like and a download).",
        by(CENSUS, result),
        "It holds with logarithms, which the study does not mention. Among models that are used"
        " most, likes say nearly nothing of how much; over all models they say more.",
    )


def _next(shelf: Shelf) -> Answer:
    result = shelf.figure(CENSUS, "S7", earlier=[SUMMER, CARDS])
    rows, told = result.table.to_pylist()[:3], result.scalars
    names = ", ".join(f"`{row['model']}` {percent(row['p_top1'], 0)}" for row in rows)
    beats = "beats" if told["beats_persistence"] else "does not beat"
    return Answer(
        f"At the end of 2024, seen from July 2024: {names}. In its backtest the forecast {beats}"
        f" persistence (skill {float(rows[0]['backtest_skill']):.2f}).",
        f"{by(CENSUS, result)}, after {SUMMER} and {CARDS}",
        "Nobody can tell from these. Three snapshots, two of them close together, make one origin"
        f" for a backtest. That all stays as it is is the better forecast, and a poor one: of its"
        f" first ten {10 * float(told['hit_rate_persistence'] or 0):.0f} were still there.",
    )


ANSWERS: Final[Answers] = {
    "B1": _count,
    "B2": _downloads,
    "B3": _twice,
    "B4": _creators,
    "B5": _meta,
    "B6": _tasks,
    "B7": _likes,
    "B8": _next,
}

# SPDX-License-Identifier: Apache-2.0
"""Answers to what papers and reports have published."""

from typing import Final

from tools.findings.answer import Answer, Answers, by, percent, ranged, whole
from tools.findings.shelf import CARDS, CENSUS, WEEKS, Row, Shelf

_ADDED: Final = (
    "SELECT relation, count(*) AS n FROM events WHERE event = 'added' AND relation IS NOT NULL "
    "GROUP BY relation ORDER BY n DESC, relation"
)
_FEW: Final = (
    "SELECT count(*) AS n, count(*) FILTER (WHERE downloads_30d BETWEEN 1 AND 10) AS few "
    "FROM models"
)
_WEEKLY: Final = "SELECT event, day, count(*) AS n FROM events GROUP BY event, day ORDER BY day"


def _card(shelf: Shelf) -> tuple[Row, str]:
    result = shelf.figure(CARDS, "B9")
    return next(row for row in result.table.to_pylist() if row["part"] == "card"), by(CARDS, result)


def _cards(shelf: Shelf) -> Answer:
    row, how = _card(shelf)
    return Answer(
        f"{whole(row['n'])} of {whole(row['n_known'])}, {percent(row['share'])}.",
        how,
        "It holds: the same file. Its day is the end of September 2022, not 2023.",
    )


def _carded(shelf: Shelf) -> Answer:
    row, how = _card(shelf)
    return Answer(
        f"{percent(row['dl_share_with_flagged'])} with flagged counters,"
        f" {ranged(row, 'dl_share', 'dl_ci_lo', 'dl_ci_hi')} without.",
        how,
        "It holds with all counters. Some of them stand out, and have cards, so that without them"
        " it is less.",
    )


def _top_share(shelf: Shelf, level: str, top: str) -> tuple[Row, str]:
    result = shelf.figure(CENSUS, "B1")
    row = next(
        row
        for row in result.table.to_pylist()
        if (row["level"], row["measure"], row["top"]) == (level, "top share", top)
    )
    return row, by(CENSUS, result)


def _told(row: Row) -> str:
    return (
        f"{ranged(row, 'value', 'ci_lo', 'ci_hi')} without flagged counters,"
        f" {percent(row['value_with_flagged'])} with them."
    )


def _zero(shelf: Shelf) -> Answer:
    result = shelf.figure(CENSUS, "B1")
    [row] = shelf.query(CENSUS, _FEW)
    few = int(row["few"] or 0) / int(row["n"] or 1)
    return Answer(
        f"{percent(result.scalars['share_without_downloads'])} had none in 30 days, and"
        f" {percent(few)} had one to ten.",
        f"{by(CENSUS, result)}; `{_FEW}` over {CENSUS}",
        "It is less here, of twice as many models and another day. Whether a model has none or a"
        " few says little: scanners and mirrors that look at all models make downloads, too.",
    )


def _one_percent(shelf: Shelf) -> Answer:
    row, how = _top_share(shelf, "model", "1%")
    return Answer(_told(row), how, "It holds, within a point.")


def _hundredth(shelf: Shelf) -> Answer:
    row, how = _top_share(shelf, "model", "0.01%")
    return Answer(
        f"The first {whole(row['n_top'])} models have {_told(row)}",
        how,
        "It is more here, two years before: 0.01% was 76 models then and is 200 in the report,"
        " whose downloads are those of a longer time.",
    )


def _fifty(shelf: Shelf) -> Answer:
    row, how = _top_share(shelf, "entity", "50")
    return Answer(
        _told(row),
        how,
        "It holds, within the interval, though that is of downloads of all times, a year later, and"
        " with another roll-up of namespaces.",
    )


def _edges(shelf: Shelf) -> Answer:
    rows = shelf.query(WEEKS, _ADDED)
    total = sum(int(row["n"] or 0) for row in rows)
    told = ", ".join(f"{row['relation']} {percent(int(row['n'] or 0) / total)}" for row in rows)
    return Answer(
        f"{told}, of {whole(total)} models added with a typed base model.",
        f"`{_ADDED}` over {WEEKS}",
        "It differs: those are 16 weeks of what was added in spring 2025, not the whole hub, and"
        " the first base model of each. Adapters and fine-tunes change places, merges are rare in"
        " both.",
    )


def _weekly(shelf: Shelf) -> Answer:
    rows = shelf.query(WEEKS, _WEEKLY)
    told = {
        event: sorted(int(row["n"] or 0) for row in rows if row["event"] == event)
        for event in ("added", "deleted")
    }
    added, deleted = told["added"], told["deleted"]
    return Answer(
        f"{len(added)} weeks: {whole(added[0])} to {whole(added[-1])} added, half with"
        f" {whole(added[len(added) // 2])} and more; {whole(deleted[0])} to {whole(deleted[-1])}"
        " deleted.",
        f"`{_WEEKLY}` over {WEEKS}",
        "It holds, but for one week of June whose look was cut short.",
    )


ANSWERS: Final[Answers] = {
    "L1": _cards,
    "L2": _carded,
    "O1": _zero,
    "O2": _one_percent,
    "H1": _hundredth,
    "P1": _fifty,
    "D1": _edges,
    "M1": _weekly,
}

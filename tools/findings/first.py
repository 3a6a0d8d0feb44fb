# SPDX-License-Identifier: Apache-2.0
"""Answers to study A: growth, types of organisations, emissions, language models."""

from typing import Final

from hubkeep.cards.comparisons import comparisons
from tools.findings.answer import Answer, Answers, by, million, percent, untested, whole
from tools.findings.shelf import CARDS, CENSUS, EMISSIONS, SURVIVING, Row, Shelf

_OTHER: Final = ("other", "individual")
_RANKED: Final = ("company", "university", "non-profit")
_BIMODAL: Final = ("zero-shot-image-classification", "automatic-speech-recognition")
_CARBON_TRUST: Final = 55.0
"""Grams for an hour of streaming in Europe, by the Carbon Trust (2021)."""

_BELOW: Final = (
    "SELECT count(*) AS n, count(*) FILTER (WHERE co2_grams < $low) AS low, "
    "count(*) FILTER (WHERE co2_grams < $high) AS high FROM models WHERE co2_grams IS NOT NULL"
)
_PLACE: Final = (
    "SELECT place, downloads_30d FROM (SELECT id, downloads_30d, "
    "row_number() OVER (ORDER BY downloads_30d DESC NULLS LAST, id) AS place FROM models) AS m "
    "WHERE id = $id"
)
_SECOND: Final = "2023-04-01"
"""The second quarter of 2023: the last whole one before the study."""


def _models(shelf: Shelf) -> Answer:
    [row] = shelf.query(CENSUS, SURVIVING)
    return Answer(
        f"{whole(row['n'])} models made before August 2023 were there in July 2024.",
        f"`{SURVIVING}` over {CENSUS}",
        "It holds. Those are the survivors: what was there in July 2023 and was deleted within the"
        " year is missing, so that there were more.",
    )


def _reporting(shelf: Shelf) -> Answer:
    n, tagged = shelf.census_tags("co2_eq_emissions")
    return Answer(
        f"{whole(tagged)} of {whole(n)} models have the tag, {percent(tagged / n, 2)}.",
        "the tag `co2_eq_emissions`, counted in the file of the census of July 2024",
        "The count is in line with 1,846 a year earlier. The share is not: 1,846 is 0.7% of 260,000"
        " and 1.2% of the 151,296 models above 10 MB, so the denominator was probably the latter;"
        " and reports did not grow with the hub.",
    )


def _emissions(shelf: Shelf) -> Answer:
    result = shelf.figure(EMISSIONS, "F5")
    told = result.scalars
    return Answer(
        f"{told['top_model']} alone is {percent(told['top1_share'])} of"
        f" {whole(told['kg_sum'])} kg in {whole(result.n)} reports.",
        by(EMISSIONS, result),
        "It holds in kind. BLOOM is of the BigScience workshop, which we take for a non-profit. The"
        " file has names without their owners, so the rest cannot be given to types; without that"
        f" one model the sum is {whole(told['kg_without_top1'])} kg. The claim is about one model.",
    )


def _streaming(shelf: Shelf) -> Answer:
    low = next(one.grams for one in comparisons() if one.id == "streaming-hour")
    [row] = shelf.query(EMISSIONS, _BELOW, low=low, high=_CARBON_TRUST)
    n = float(row["n"] or 1)
    return Answer(
        f"{percent(float(row['low'] or 0) / n)} of {whole(row['n'])} reports are below {low:.0f} g,"
        f" {percent(float(row['high'] or 0) / n)} below {_CARBON_TRUST:.0f} g.",
        f"`{_BELOW}` over {EMISSIONS}, low={low:.0f}, high={_CARBON_TRUST:.0f}",
        f"It holds. {low:.0f} g is the IEA's figure for an hour of streaming, {_CARBON_TRUST:.0f} g"
        " that of the Carbon Trust for Europe. Neither is for 4K; the resolution matters little."
        " Nine reports out of ten are of AutoTrain, which writes them by itself.",
    )


def _top(shelf: Shelf, ranking: str) -> tuple[list[Row], str]:
    result = shelf.figure(CENSUS, "F3", top=1000)
    rows = [
        row
        for row in result.table.to_pylist()
        if row["ranking"] == ranking and row["org_type"] == "university"
    ]
    return rows, by(CENSUS, result)


def _helsinki(shelf: Shelf) -> Answer:
    rows, how = _top(shelf, "n")
    first, second = rows[:2]
    return Answer(
        f"{first['author']} leads with {whole(first['n'])} models, before {second['author']} with"
        f" {whole(second['n'])}.",
        how,
        "It holds, among the universities that the table of types has.",
    )


def _naist(shelf: Shelf) -> Answer:
    rows, how = _top(shelf, "downloads")
    first, second = rows[:2]
    naist = next(row for row in rows if row["author"] == "sociocom")
    return Answer(
        f"{first['author']} leads with {million(first['dl'])} in 30 days, before"
        f" {second['author']} with {million(second['dl'])}; NAIST's `sociocom` is number"
        f" {naist['rank']} with {whole(naist['dl'])}.",
        how,
        "It does not hold a year later. NAIST led by one model, MedNER, which the study has among"
        " its first ten and which has some thousand downloads now; Sentence Transformers calls"
        " itself a university today and may not have done so then. `MIT` would lead by far if its"
        " flagged counter were counted. One model can make the first of a list.",
    )


def _leaders(shelf: Shelf) -> tuple[list[Row], str]:
    sql = (
        "SELECT id, task_or_none AS task, downloads_30d FROM models WHERE NOT is_flagged "
        "ORDER BY downloads_30d DESC NULLS LAST, id LIMIT 10"
    )
    return shelf.query(CENSUS, sql), f"`{sql}` over {CENSUS}, as the list `models` of F3"


def _wav2vec(shelf: Shelf) -> Answer:
    rows, how = _leaders(shelf)
    places = {str(row["id"]): at for at, row in enumerate(rows, 1)}
    best = next(name for name in places if "wav2vec2" in name)
    [before] = shelf.query(CARDS, _PLACE, id=best)
    return Answer(
        f"`{rows[0]['id']}` leads with {million(rows[0]['downloads_30d'])}; `{best}` is number"
        f" {places[best]} with {million(rows[places[best] - 1]['downloads_30d'])}. In October 2022"
        f" it was number {before['place']} with {whole(before['downloads_30d'])}.",
        f"{how}; `{_PLACE}` over {CARDS}, id={best}",
        "It does not hold a year later, nor a year before: that model was far down, then first,"
        " then ninth, so fast do counters of single models move. With the flagged counter an audio"
        " model leads in July 2024, too.",
    )


def _bimodal(shelf: Shelf) -> Answer:
    rows, how = _leaders(shelf)
    both = [row for row in rows if row["task"] in _BIMODAL]
    names = ", ".join(f"`{row['id']}`" for row in both)
    return Answer(
        f"{len(both)} of ten: {names}.",
        f"{how}; those whose task is {' or '.join(_BIMODAL)}",
        "It holds: CLIP and speech recognition.",
    )


def _growth(shelf: Shelf) -> Answer:
    early, late = shelf.figure(CARDS, "F4"), shelf.figure(CENSUS, "F4")
    in_2021 = [row for row in early.table.to_pylist() if str(row["quarter"])[:4] == "2021"]
    then = [row for row in late.table.to_pylist() if str(row["quarter"]) == _SECOND]
    known = sum(row["n"] for row in in_2021)
    median = sorted(row["p50_b"] for row in in_2021 for _ in range(row["n"]))[known // 2]
    high = sorted((row["org_type"], row["p90_b"]) for row in then if row["org_type"] in _RANKED)
    told = ", ".join(f"{kind} {size:.0f}B" for kind, size in high)
    return Answer(
        f"2021: {known} models of known size, half of them of about {median:.1f}B and less, the"
        f" largest {max(row['max_b'] for row in in_2021):.0f}B. Second quarter of 2023: the largest"
        f" tenth begins at {told}; 65B is LLaMA.",
        f"{by(CARDS, early)}; {by(CENSUS, late)}, quarter {_SECOND}",
        "It holds in kind: 65B and 70B (LLaMA, Llama 2) came in the first half and July of 2023."
        " Larger ones were there before, BLOOM and Galactica at up to 176B in 2022. Sizes are read"
        " from names where files do not tell, and a few names lie.",
    )


def _wanted(shelf: Shelf) -> Answer:
    result = shelf.figure(CENSUS, "F2")
    rows = [row for row in result.table.to_pylist() if row["org_type"] in _RANKED]
    rows.sort(key=lambda row: -row["dl_sum"] / row["n_models"])
    told = "; ".join(
        f"{row['org_type']} {percent(row['share_dl'])} of downloads, {whole(row['dl_sum'])} over"
        f" {whole(row['n_models'])} models, half with at most {row['dl_q50']:.0f}"
        for row in rows
    )
    return Answer(
        told + ".",
        by(CENSUS, result),
        "It holds by sums: per model universities and companies are ahead of non-profits. It says"
        " little of a typical model, which nobody downloads, of any type; and most of the"
        " universities' share is Sentence Transformers.",
    )


def _uploads(shelf: Shelf) -> Answer:
    result = shelf.figure(CENSUS, "F2")
    rows = {row["org_type"]: row for row in result.table.to_pylist()}
    merged = sum(rows[kind]["share_n"] for kind in _OTHER)
    return Answer(
        f"{percent(merged)} of the models are of individuals and of those of whom nobody has said,"
        f" with {percent(sum(rows[kind]['share_dl'] for kind in _OTHER))} of the downloads.",
        by(CENSUS, result),
        "It holds. What is Other is mostly what we have not mapped: the study took the types that"
        " organisations give themselves.",
    )


ANSWERS: Final[Answers] = {
    "A1": _models,
    "A2": untested(
        "No open file has the sizes of repositories; F1 needs them, and answers over a snapshot"
        " that was crawled or is of the hub itself."
    ),
    "A3": _reporting,
    "A4": untested(
        "The census has the tag but no amounts, and the file of emissions no owners: reports cannot"
        " be given to types. F5 answers where a source has both."
    ),
    "A5": _emissions,
    "A6": _streaming,
    "A7": _helsinki,
    "A8": _naist,
    "A9": _wav2vec,
    "A10": _bimodal,
    "A11": _growth,
    "A12": _wanted,
    "A13": untested(
        "It is about bytes, which no open file has. By parameters, of language models alone, F4"
        " gives no type a lead that lasts."
    ),
    "A14": _uploads,
}

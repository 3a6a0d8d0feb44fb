# SPDX-License-Identifier: Apache-2.0
"""The page, from the claims and what the data say to them."""

from collections.abc import Iterator
from typing import Final

from tools.findings import first, published, second
from tools.findings.answer import Answer, Answers
from tools.findings.claims import STUDIES, Claim
from tools.findings.shelf import SOURCES, Shelf

ANSWERS: Final[Answers] = {**first.ANSWERS, **second.ANSWERS, **published.ANSWERS}

_HEAD: Final = """\
<!-- Written by `python -m tools.findings` from real data; not by hand. -->
# Findings

What others have published of huggingface.co, beside what the data at hand give, computed by the
[figures](observatory/figures.md) of the observatory. A range in brackets is a 95% interval; shares
leave out counters that are flagged unless they say so. Types and entities are those of the
[tables](observatory/tables.md).

The data are of other days than the claims, and most differences are of that, and of what is
counted: that is why each number has its definition, its n and its snapshot beside it.

## The data

| snapshot | id | from |
| --- | --- | --- |
"""

_FROM: Final = {
    "census 2024-07": "760,000 models, API pages kept by T. Stalnaker and others (GPL-3.0)",
    "census 2022-10": "74,970 models with cards, W. Liang and others",
    "census 2022-07": "55,524 models with downloads, huggingfaceR (MIT)",
    "emissions 2023": "1,419 models that report emissions, J. Castaño and others",
    "weeks 2025": "535,469 models added and deleted within 16 weeks, MSC",
}


def page(shelf: Shelf) -> str:
    """Return the page as Markdown."""
    lines = [_HEAD.rstrip("\n")]
    lines += [f"| {name} | `{shelf.id_of(name)}` | {_FROM[name]} |" for name in SOURCES]
    lines += ["", "None of these files is part of Hubkeep.", ""]
    for study in STUDIES:
        lines += [f"## {study.title}", "", study.about, ""]
        for claim in study.claims:
            lines += section(claim, ANSWERS[claim.id](shelf))
    return "\n".join(lines).rstrip("\n") + "\n"


def section(claim: Claim, answer: Answer) -> Iterator[str]:
    """Return the lines about one claim."""
    yield from (f"### {claim.id}. {claim.said}", "")
    if not answer.found:
        yield from (f"**The data here cannot test it.** {answer.why}", "")
        return
    yield from (f"**Here:** {answer.found}", "", answer.why, "", f"Computed by {answer.how}.", "")

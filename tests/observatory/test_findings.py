# SPDX-License-Identifier: Apache-2.0
"""docs/findings.md: every claim has its answer there, and the numbers are those of the data."""

from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from tests.observatory.real import data
from tools.findings.answer import Answer
from tools.findings.claims import STUDIES, Claim
from tools.findings.page import ANSWERS, section
from tools.findings.shelf import SOURCES, Shelf

PAGE = Path(__file__).parents[2] / "docs" / "findings.md"
CLAIMS = {claim.id: claim for study in STUDIES for claim in study.claims}


def parts() -> dict[str, str]:
    """What the page says to each claim, by its id."""
    told = PAGE.read_text(encoding="utf-8").split("\n### ")[1:]
    return {text.partition(".")[0]: "### " + text.partition("\n## ")[0] for text in told}


def test_every_claim_has_an_answer_and_every_answer_a_claim() -> None:
    assert sum(len(study.claims) for study in STUDIES) == len(CLAIMS) == 30
    assert ANSWERS.keys() == CLAIMS.keys()


def test_the_page_has_every_claim_in_order() -> None:
    assert list(parts()) == list(CLAIMS)
    for claim in CLAIMS.values():
        text = parts()[claim.id]
        assert text.startswith(f"### {claim.id}. {claim.said}\n")
        tested = "**Here:**" in text and "Computed by" in text
        assert tested != ("**The data here cannot test it.**" in text), claim


def test_what_cannot_be_tested_is_said_and_not_left_out() -> None:
    claim = Claim("Z1", "The moon is a model.")
    lines = list(section(claim, Answer("", "", "No snapshot has the moon.")))
    assert lines[2] == "**The data here cannot test it.** No snapshot has the moon."


def test_the_page_names_every_snapshot() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, (_, taken_at) in SOURCES.items():
        assert f"| {name} | `{taken_at[:10].replace('-', '')}T" in text


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    folder = data("hub_co2_2023_castano.parquet").parent
    return Shelf(folder, tmp_path_factory.mktemp("findings"))


@pytest.mark.parametrize("name", ["A5", "A6", "L1", "L2"])
def test_the_page_is_as_the_data_are(name: str, shelf: Shelf) -> None:
    now = "\n".join(section(CLAIMS[name], ANSWERS[name](shelf)))
    assert parts()[name].strip() == now.strip()

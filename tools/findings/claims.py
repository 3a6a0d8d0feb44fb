# SPDX-License-Identifier: Apache-2.0
"""The claims that the page answers: what others have published of huggingface.co."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody said, in few words."""

    id: str
    said: str


@dataclass(frozen=True, slots=True)
class Study:
    """Who said it, of when, and everything that they said."""

    title: str
    about: str
    claims: tuple[Claim, ...]


STUDIES: Final = (
    Study(
        "A. Five figures of July 2023",
        "An analysis of all models of huggingface.co by type of organisation, July 2023.",
        (
            Claim("A1", "The index has more than 260,000 models."),
            Claim("A2", "151,296 repositories are larger than 10 MB."),
            Claim("A3", "1,846 models report emissions, a bit more than 1%."),
            Claim("A4", "1,706 of them are of organisations of type Other."),
            Claim("A5", "99.5% of all emissions are of non-profits."),
            Claim("A6", "Most trainings emitted less than an hour of streaming in 4K."),
            Claim("A7", "Helsinki leads the universities by number of models."),
            Claim("A8", "NAIST leads the universities by downloads."),
            Claim("A9", "wav2vec2 leads the ten most downloaded models."),
            Claim("A10", "Several of the ten are bimodal: text with vision or speech."),
            Claim(
                "A11", "Language models grew from a few at 3B in 2021 to almost 70B in mid-2023."
            ),
            Claim("A12", "Models of companies and universities are the most wanted."),
            Claim("A13", "Models of non-profits are the largest."),
            Claim("A14", "Other uploads the most models."),
        ),
    ),
    Study(
        "B. Patterns of downloads of January 2024",
        "The 300 models first by usage and trending, January 2024.",
        (
            Claim("B1", "Apache-2.0 and MIT are 76% of the models."),
            Claim("B2", "They are 92% of the downloads."),
            Claim("B3", "Apache-2.0 has nearly twice as much as MIT."),
            Claim("B4", "Stability, Facebook, Microsoft and TheBloke made the most models."),
            Claim("B5", "Meta has 30% of the downloads, then come OpenAI and Google."),
            Claim(
                "B6",
                "Tasks by downloads: fill-mask, speech recognition, text classification, ...,"
                " text generation fifth.",
            ),
            Claim("B7", "Likes explain 6% of the variance of downloads (R² 0.06)."),
            Claim("B8", "Open question: who tops the charts at the end of the year?"),
        ),
    ),
    Study(
        "Published figures",
        "Papers and reports of 2024 to 2026.",
        (
            Claim("L1", "Liang 2024: 32,111 of 74,970 models have a card."),
            Claim("L2", "Liang 2024: models with a card have 90.5% of the downloads."),
            Claim("O1", "Osborne 2024: more than 70% of the models have no downloads."),
            Claim("O2", "Osborne 2024: 1% of the models have 99% of the downloads."),
            Claim("H1", "Hugging Face, spring 2026: 0.01% of the models have 49.6% of downloads."),
            Claim("P1", "lbourdois 2025: 50 entities have 80.22% of the downloads."),
            Claim(
                "D1",
                "hub-stats 2025: of 607,148 typed edges 42.6% are adapters, 35.9% fine-tunes,"
                " 19.2% quantised, 2.3% merges.",
            ),
            Claim("M1", "MSC 2025: 24 to 37 thousand models more each week, 3 to 20 fewer."),
        ),
    ),
)

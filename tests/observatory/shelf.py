# SPDX-License-Identifier: Apache-2.0
"""A small ecosystem with every odd thing that figures have to bear, as three snapshots."""

from pathlib import Path

from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.tiny import Row, model, tiny, when

STAMP = when("2022-03-02T23:29:04")
GB = 1_000_000_000

JULY = "2024-07-11T00:00:00.000Z"
JANUARY = "2024-01-11T00:00:00.000Z"
APRIL = "2024-04-11T00:00:00.000Z"


def ecosystem(folder: Path) -> Snapshot:
    """Make the last of the three snapshots: twenty models, of which one counter is absurd."""
    return tiny(folder, JULY, models=MODELS, lineage=LINEAGE, accounts=ACCOUNTS, labels=LABELS)


def earlier(folder: Path, taken_at: str, part: float) -> Snapshot:
    """Make a snapshot in which models had `part` of their downloads, the absurd one a hundredth."""
    rows = [
        {
            **row,
            "downloads_all": None
            if row["downloads_all"] is None
            else int(row["downloads_all"] * part),
            "downloads_30d": None
            if row["downloads_30d"] is None
            else int(row["downloads_30d"] * (0.01 if row["id"] == "mit/absurd" else part)),
        }
        for row in MODELS
        if row["created_at"] is None or row["created_at"].isoformat() < taken_at
    ]
    return tiny(folder, taken_at, models=rows)


def three(folder: Path) -> list[Snapshot]:
    """Make all three, oldest first."""
    return [earlier(folder, JANUARY, 0.5), earlier(folder, APRIL, 0.8), ecosystem(folder)]


def _row(name: str, downloads: int | None, likes: int | None, **more: object) -> Row:
    given = {
        "created_at": when("2024-02-03"),
        "license": "mit",
        "task": "fill-mask",
        "size": GB,
        "downloads_all": None if downloads is None else 10 * downloads,
        "gated": "no",
        "has_safetensors": True,
        "has_pickle": False,
        "has_gguf": False,
        "scan": "clean",
    }
    return model(name, downloads_30d=downloads, likes=likes, **{**given, **more})


LLM = "text-generation"

MODELS: list[Row] = [
    _row("google/small", 900, 10, license="apache-2.0", size=2 * GB),
    _row("google/large", 800, 8, license="apache-2.0", size=4 * GB),
    _row("google/tiny", 700, 5, size=1_000_000),
    _row(
        "facebook/old",
        650,
        40,
        created_at=STAMP,
        license="cc-by-nc-4.0",
        has_safetensors=False,
        has_pickle=True,
        scan="unsafe",
    ),
    _row(
        "meta-llama/llm-7b",
        600,
        90,
        task=LLM,
        parameters=7_000_000_000,
        size=14 * GB,
        parameters_from="safetensors",
        license="llama3",
        gated="manual",
    ),
    _row("bert-base-uncased", 550, 30, created_at=STAMP, license="apache-2.0"),
    _row("mit/absurd", 1_000_000, 3, license="bsd-3-clause"),
    _row("allenai/norms", 400, 0, created_at=None, license=None),
    _row(
        "someone/adapter",
        300,
        2,
        task=LLM,
        parameters=7_000_000_000,
        parameters_from="declared",
        size=50_000_000,
        license=None,
    ),
    _row(
        "someone/llm-gptq",
        120,
        1,
        task=LLM,
        parameters=1_100_000_000,
        parameters_from="safetensors",
        license=None,
        size=None,
    ),
    _row(
        "someone/packed",
        110,
        1,
        task=LLM,
        parameters=1_200_000_000,
        parameters_from="safetensors",
        license="unknown",
        size=None,
    ),
    _row(
        "someone/8x7B",
        100,
        1,
        task=LLM,
        parameters=46_700_000_000,
        parameters_from="name",
        created_at=when("2024-05-01"),
    ),
    _row("someone/unsized", 50, 0, task=LLM, size=None, license="other"),
    _row("nobody/zero", 0, 0, task=None, license=None, size=20_000_000),
    _row("nobody/one", 1, 0, task=None, license=None, size=30_000_000),
    _row("nobody/unknown", None, None, task=None, license=None),
    _row("clean-lab/co2", 80, 4, co2_grams=96_000.0),
    _row("clean-lab/copy", 70, 4, co2_grams=96_000.0, created_at=when("2024-03-31T23:59")),
    _row("clean-lab/none", 60, 4, co2_grams=0.0, created_at=when("2024-04-01")),
    _row("someone/co2", 40, 4, co2_grams=4_000.0),
]

LINEAGE: list[Row] = [
    {"child": "clean-lab/copy", "parent": "clean-lab/co2", "relation": "finetune"},
    {"child": "clean-lab/none", "parent": "clean-lab/none", "relation": "finetune"},
    {"child": "someone/packed", "parent": "meta-llama/llm-7b", "relation": "quantized"},
    {"child": "someone/adapter", "parent": "meta-llama/llm-7b", "relation": "adapter"},
]

ACCOUNTS: list[Row] = [
    {"name": "clean-lab", "kind": "org", "org_type": "university"},
    {"name": "nobody", "kind": "user"},
]

LABELS: list[Row] = [
    {"repo_type": "model", "id": name, "kind": kind, "value": value}
    for name, kind, value in (
        ("google/small", "language", "en"),
        ("google/large", "language", "en"),
        ("google/large", "language", "fr"),
        ("mit/absurd", "language", "en"),
        ("google/small", "dataset", "squad"),
        ("facebook/old", "paper", "1910.09700"),
    )
]

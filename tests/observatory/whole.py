# SPDX-License-Identifier: Apache-2.0
"""A hub of some hundred models over four months, with something in every column, and another hub
to compare with: every figure has an answer.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from hubkeep.observatory.manifest import Source
from hubkeep.observatory.schema import RELATIONS
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.tiny import Row, model, tiny, when

OWN = Source(kind="hub", name="http://models.lab.example")
DAYS = ("2024-04-01", "2024-05-01", "2024-06-01", "2024-07-01")

AUTHORS = ("google", "meta-llama", "Helsinki-NLP", "allenai", "someone", "another", "TheBloke")
_LICENSES = ("apache-2.0", "mit", "gpl-3.0", "cc-by-nc-4.0", "llama3", "openrail", "own", None)
_TASKS = ("text-generation", "fill-mask", "image-classification", "text-to-speech", None)


def whole(
    folder: Path, count: int = 300, authors: Sequence[str] = AUTHORS
) -> tuple[Sequence[Snapshot], Snapshot]:
    """Make the snapshots of a hub, oldest first, and one of another; the same every time.

    `authors` are seven, of whom the third calls itself a university.
    """
    chance = random.Random(7)
    models = [_model(chance, at, authors) for at in range(count)]
    history = []
    for number, day in enumerate(DAYS):
        seen = [_grown(chance, row, number) for row in models if _is_there(row, day, number)]
        history.append(tiny(folder, f"{day}T00:00:00.000Z", OWN, **_tables(chance, seen, authors)))
    others = [{**row, "license": chance.choice(_LICENSES)} for row in models[: count // 2]]
    return history, tiny(folder, "2024-07-02T00:00:00.000Z", **_tables(chance, others, authors))


def _model(chance: random.Random, at: int, authors: Sequence[str]) -> dict[str, object]:
    author = chance.choice(authors)
    name = f"{author}/model-{at:03}" if at % 23 else f"bare-{at:03}"
    made = when("2022-03-02") + timedelta(days=chance.randrange(0, 840)) * (at % 9 > 0)
    downloads = int(10 ** chance.uniform(0, 6)) * (at % 7 > 0)
    size = int(10 ** chance.uniform(5, 11))
    return dict(
        model(
            name,
            created_at=made if at % 11 else None,
            last_modified=made + timedelta(days=chance.randrange(0, 300)),
            downloads_30d=downloads if at % 31 else None,
            downloads_all=downloads * chance.randrange(1, 20),
            likes=int(downloads ** chance.uniform(0.2, 0.6)) if downloads else 0,
            trending=float(chance.randrange(0, 50)),
            license=chance.choice(_LICENSES),
            size=size if at % 13 else None,
            used_storage=size * 2,
            gated=chance.choice(("no", "no", "no", "auto", "manual")),
            private=False,
            disabled=False,
            has_card=chance.random() < 0.6,
            task=chance.choice(_TASKS),
            library=chance.choice(("transformers", "diffusers", None)),
            parameters=size // 2 if at % 5 else None,
            parameters_from=chance.choice(("safetensors", "declared", "name")) if at % 5 else None,
            co2_grams=float(chance.randrange(0, 10**6)) if at % 17 == 0 else None,
            co2_written="some" if at % 17 == 0 else None,
            has_safetensors=chance.random() < 0.5,
            has_pickle=chance.random() < 0.5,
            has_gguf=chance.random() < 0.1,
            has_metrics=chance.random() < 0.2,
            scan=chance.choice(("clean", "suspicious", "unsafe", None)),
        )
    )


def _is_there(row: Row, day: str, number: int) -> bool:
    made = row["created_at"]
    is_made = not isinstance(made, datetime) or made.date().isoformat() <= day
    return is_made and not (number > 1 and str(row["id"]).endswith("7"))


def _grown(chance: random.Random, row: Row, number: int) -> dict[str, object]:
    counts = {
        name: int(value * (1 + number * chance.uniform(0, 0.4)))
        for name in ("downloads_30d", "downloads_all", "likes")
        if isinstance(value := row[name], int)
    }
    return {**row, **counts}


def _tables(
    chance: random.Random, models: Sequence[Row], authors: Sequence[str]
) -> Mapping[str, Sequence[Row]]:
    names = [str(row["id"]) for row in models]
    lineage = [
        {
            "child": child,
            "parent": chance.choice([*names[: at + 2], "gone/base", f"{authors[1]}/elsewhere"]),
            "relation": chance.choice((*RELATIONS, None)),
        }
        for at, child in enumerate(names)
        if at % 3
    ]
    labels = [
        {"repo_type": "model", "id": name, "kind": kind, "value": f"{kind}-{chance.randrange(9)}"}
        for name in names
        for kind in ("language", "dataset", "paper", "license")
        if chance.random() < 0.4
    ]
    datasets = [
        {
            "id": f"{authors[0]}/rows-{at}",
            "author": authors[0],
            "created_at": when("2023-01-01") + timedelta(days=at),
            "downloads_30d": at * 10,
            "gated": "auto" if at % 5 == 0 else "no",
        }
        for at in range(40)
    ]
    events = [
        {
            "id": f"{authors[4]}/event-{at}",
            "event": event,
            "day": date(2024, 4, 3) + timedelta(weeks=at % 8 + (event == "deleted")),
            "relation": chance.choice(RELATIONS),
            "parent": chance.choice(names),
        }
        for at in range(80)
        for event in ("added", "deleted")
        if event == "added" or at % 4 == 0
    ]
    accounts = [
        {"name": authors[2], "kind": "org", "org_type": "university"},
        {"name": authors[4], "kind": "user", "org_type": None},
    ]
    spaces = [{"id": f"{authors[4]}/space", "author": authors[4], "sdk": "static", "likes": 3}]
    return {
        "models": models,
        "lineage": lineage,
        "labels": labels,
        "datasets": datasets,
        "spaces": spaces,
        "accounts": accounts,
        "events": events,
    }

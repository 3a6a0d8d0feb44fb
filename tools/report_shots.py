# SPDX-License-Identifier: Apache-2.0
"""Pictures of the report, over an ecosystem that is made up: the same one every time."""

import io
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from hubkeep.observatory.document import documented
from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.report.html import html_of
from tests.observatory.tiny import Row, model, tiny

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REPORT_SHOTS: Mapping[str, tuple[str, str]] = {
    "report": ("F1", "The report: growth and size"),
    "report-licences": ("S2", "The report: licences by downloads, with intervals"),
    "report-likes": ("S6", "The report: likes and downloads, with strips for zeros"),
}
"""Which figure of the report, and what is said of it."""

_TAKEN = ("2026-03-20", "2026-07-20", "2026-11-20")
_FIRST = datetime.fromisoformat("2024-01-05")
_MODELS = 900
_TASKS = ("text-generation", "fill-mask", "image-classification", "automatic-speech-recognition")
_LICENCES = ("apache-2.0", "mit", "cc-by-4.0", "cc-by-nc-4.0", "openrail", None)
_PLACES = ("harbourlight", "openfield", "kestrel-lab", "nordlys", "quarry", "ida-brandt", "tarn")
_ACCOUNTS: Sequence[Row] = [
    {"name": name, "kind": "org", "org_type": kind}
    for name, kind in zip(
        _PLACES[:5], ("company", "non-profit", "university", "university", "community"), strict=True
    )
]


def write_report(folder: Path) -> Path:
    """Write the report with all figures into a folder."""
    snapshots = [
        tiny(folder, f"{day}T16:00:00.000Z", models=list(_models(day)), accounts=_ACCOUNTS)
        for day in _TAKEN
    ]
    documents = [documented(snapshots[-1].figure(name, others=snapshots)) for name in all_figures()]
    path = folder / "index.html"
    path.write_bytes(html_of(documents))
    return path


def take_report(
    browser: "Browser", report: Path, size: tuple[int, int], theme: str
) -> Iterator[tuple[str, Image.Image]]:
    """Take a picture of each figure that is shown, by name."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=theme, offline=True
    )
    for name, (figure, _) in REPORT_SHOTS.items():
        page = context.new_page()
        page.goto(f"{report.as_uri()}#{figure}")
        page.locator(f"#{figure} .chart svg .mark-text").first.wait_for(state="attached")
        page.evaluate("id => document.getElementById(id).scrollIntoView()", figure)
        yield name, Image.open(io.BytesIO(page.screenshot()))
        page.close()
    context.close()


def _models(day: str) -> Iterator[Row]:
    """Models that were there on a day; what is drawn for one does not depend on the others."""
    until = datetime.fromisoformat(day)
    for number in range(_MODELS):
        draw = random.Random(number)
        made = _FIRST + timedelta(days=1050 * draw.random() ** 0.6)
        fame = draw.lognormvariate(5, 1.6)
        growth = draw.lognormvariate(0, 0.5)
        task, licence = draw.choice(_TASKS), draw.choices(_LICENCES, (9, 5, 2, 2, 1, 4))[0]
        billions = draw.choice((0.1, 0.4, 1.1, 3, 7, 7, 8, 13, 70))
        if made > until:
            continue
        months = (until - made).days / 30
        downloads = int(fame * growth ** min(months, 12)) if number % 9 else 0
        yield model(
            f"{draw.choice(_PLACES)}/model-{number}",
            created_at=made,
            downloads_30d=downloads,
            downloads_all=int(downloads * (1 + months / 2)),
            likes=int(downloads**0.5 * draw.lognormvariate(0, 1) / 8),
            license=licence,
            task=task,
            size=int(billions * 2e9 * draw.lognormvariate(0, 0.4)),
            parameters=int(billions * 1e9) if task == "text-generation" else None,
            parameters_from="safetensors" if task == "text-generation" else None,
            co2_grams=draw.lognormvariate(7, 3) if number % 11 == 0 else None,
            has_card=number % 4 > 0,
            gated="no" if number % 13 else "manual",
            has_safetensors=number % 3 > 0,
            has_pickle=number % 3 == 0,
            has_gguf=number % 17 == 0,
        )

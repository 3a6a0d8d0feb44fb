# SPDX-License-Identifier: Apache-2.0
"""Cards as people write them: what a reader finds of each on the page."""

from pathlib import Path

import pytest

from hubkeep.web.markdown import Rendered
from tests.web.markdown.inert import Seen, render, seen

CARDS = Path(__file__).parent / "cards"


def card(name: str) -> tuple[Rendered, Seen]:
    """A card, rendered."""
    rendered = render((CARDS / f"{name}.md").read_text())
    return rendered, seen(rendered.html)


@pytest.mark.parametrize("path", sorted(CARDS.glob("*.md")), ids=lambda path: path.stem)
def test_every_link_within_a_card_leads_somewhere(path: Path) -> None:
    _, found = card(path.stem)
    ids = {attributes["id"] for _, attributes in found.elements if "id" in attributes}
    within = [link["href"][1:] for link in found.find("a") if link["href"].startswith("#")]
    assert within
    assert set(within) <= ids


def test_a_language_model() -> None:
    rendered, found = card("language-model")
    assert [(h.level, h.text) for h in rendered.headings][:4] == [
        (1, "Heron-7B-Instruct"),
        (2, "Contents"),
        (2, "Model details"),
        (2, "Quickstart"),
    ]
    assert len(found.find("table")) == 2
    assert [box["class"] for box in found.find("div") if "class" in box] == [
        "notice",
        "notice warn",
    ]
    assert [span for span in found.find("span") if span.get("class") == "external-image"]
    assert "A padding token <pad> and a mask <mask>" in found.text.replace("\n", " ")
    assert "$0.15 per million tokens in and $0.60 out" in found.text
    assert len(found.find("math")) == 2
    assert '<span class="nd">' not in rendered.html
    assert '<span class="kn">from</span>' in rendered.html


def test_a_lora_with_pictures() -> None:
    _, found = card("image-lora")
    assert [image["width"] for image in found.find("img")] == ["180"] * 3
    assert found.find("video")[0]["controls"] == ""
    assert "Gallery" not in found.text
    assert found.find("kbd") == [{}, {}]


def test_a_dataset() -> None:
    rendered, found = card("dataset")
    assert rendered.has_mermaid
    assert len(found.find("input")) == 4
    assert "C[Telemetry] --> B" in found.text
    assert {"rowspan": "2"} in found.find("td")
    assert found.find("section") == [{"class": "footnotes"}]


def test_a_card_in_chinese() -> None:
    rendered, found = card("speech-zh")
    assert "user-content-安装" in {heading.anchor for heading in rendered.headings}
    assert "https://github.com/bailu/tts" in {link["href"] for link in found.find("a")}
    assert len(found.find("audio")) == 4
    assert len(found.find("math")) == 4
    assert found.find("p")[-2] == {"dir": "rtl"}


def test_a_card_full_of_mathematics() -> None:
    rendered, found = card("mathematics")
    assert len(found.find("math")) > 20
    assert rendered.html.count('<code class="tex">') == 2
    assert "At $5 an hour and $10 a disk, 40 hours were $210" in found.text

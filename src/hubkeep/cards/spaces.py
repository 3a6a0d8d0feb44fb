# SPDX-License-Identifier: Apache-2.0
"""The configuration of a Space in its card.

Source: https://huggingface.co/docs/hub/spaces-config-reference
"""

import unicodedata
from collections.abc import Mapping

SDKS = ("gradio", "docker", "static", "streamlit")
COLORS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
_MAX_EMOJI = 12
_MAX_SHORT_DESCRIPTION = 60


def check_space(card: Mapping[str, object]) -> list[str]:
    """What is wrong with the configuration; fields that are absent are not."""
    errors = [
        f'"{name}" must be one of [{", ".join(allowed)}]'
        for name, allowed in (("sdk", SDKS), ("colorFrom", COLORS), ("colorTo", COLORS))
        if card.get(name) is not None and card[name] not in allowed
    ]
    for kind, word, names in (
        (str, "string", ("title", "app_file", "emoji", "short_description", "base_path")),
        (bool, "boolean", ("pinned", "fullWidth", "disable_embedding")),
    ):
        present = (name for name in names if card.get(name) is not None)
        errors += [
            f'"{name}" must be a {word}' for name in present if not isinstance(card[name], kind)
        ]
    emoji = card.get("emoji")
    if isinstance(emoji, str) and not is_emoji(emoji):
        errors.append('"emoji" must be an emoji')
    app_file = card.get("app_file")
    if isinstance(app_file, str) and (app_file.startswith("/") or ".." in app_file.split("/")):
        errors.append('"app_file" must be a path within the repository')
    short = card.get("short_description")
    if isinstance(short, str) and len(short) > _MAX_SHORT_DESCRIPTION:
        limit = _MAX_SHORT_DESCRIPTION
        errors.append(
            f'"short_description" length must be less than or equal to {limit} characters long'
        )
    return errors + _check_port(card.get("app_port"))


def _check_port(port: object) -> list[str]:
    if port is None:
        return []
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65_536:
        return ['"app_port" must be a valid port']
    return []


def is_emoji(text: str) -> bool:
    """Whether `text` is one emoji, by rule: a short run of symbols, no letters, no spaces.

    Keycaps (`1️⃣`) begin with an ASCII digit, flags of subdivisions hold tag characters.
    """
    if not 0 < len(text) <= _MAX_EMOJI or not any(ord(mark) > 0x2000 for mark in text):
        return False
    return all(
        unicodedata.category(mark)[0] in "SMC" or mark in "0123456789#*‼⁉〰〽" for mark in text
    )

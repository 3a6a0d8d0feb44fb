# SPDX-License-Identifier: Apache-2.0
"""What the names of a repository's files tell: its card, and how its weights are kept."""

import re
from collections.abc import Mapping
from typing import Final

from hubkeep.cards.weight_formats import OF_TRAINING, PICKLES

_TELLING: Final = re.compile(PICKLES + r"|\.(safetensors|gguf)$")


def is_telling(name: str) -> bool:
    """Whether the name of a file makes a difference to `flags_of`."""
    return name == "README.md" or _TELLING.search(name.lower()) is not None


def flags_of(names: str) -> Mapping[str, str]:
    """Return SQL for columns of models, of a list of file names; null where there is no list."""

    def has(condition: str) -> str:
        return f"len(list_filter({names}, lambda name: {condition})) > 0"

    lower = "lower(name)"
    return {
        "has_card": has("name = 'README.md'"),
        "has_safetensors": has(f"ends_with({lower}, '.safetensors')"),
        "has_pickle": has(
            f"regexp_matches({lower}, '{PICKLES}') AND NOT regexp_matches({lower}, '{OF_TRAINING}')"
        ),
        "has_gguf": has(f"ends_with({lower}, '.gguf')"),
    }

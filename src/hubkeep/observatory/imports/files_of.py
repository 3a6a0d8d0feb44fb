# SPDX-License-Identifier: Apache-2.0
"""What the names of a repository's files tell: its card, and how its weights are kept."""

from collections.abc import Mapping
from typing import Final

_PICKLES: Final = r"\.(bin|pt|pth|ckpt|pkl|pickle|joblib)$"
# Pickles beside weights, which nobody loads who wants the model.
_OF_TRAINING: Final = (
    r"(^|/)(training_args|rng_state|random_states|scheduler|scaler|vec_normalize)[^/]*$"
    r"|optimizer[^/]*$"
)


def flags_of(names: str) -> Mapping[str, str]:
    """Return SQL for columns of models, of a list of file names; null where there is no list."""

    def has(condition: str) -> str:
        return f"len(list_filter({names}, lambda name: {condition})) > 0"

    lower = "lower(name)"
    return {
        "has_card": has("name = 'README.md'"),
        "has_safetensors": has(f"ends_with({lower}, '.safetensors')"),
        "has_pickle": has(
            f"regexp_matches({lower}, '{_PICKLES}') "
            f"AND NOT regexp_matches({lower}, '{_OF_TRAINING}')"
        ),
        "has_gguf": has(f"ends_with({lower}, '.gguf')"),
    }

# SPDX-License-Identifier: Apache-2.0
"""How a model's weights are kept, by the names of its files."""

import re
from collections.abc import Iterable
from typing import Final

PICKLES: Final = r"\.(bin|pt|pth|ckpt|pkl|pickle|joblib)$"
"""What lower-cased names of pickles end with, as Python and RE2 read it."""

OF_TRAINING: Final = (
    r"(^|/)(training_args|rng_state|random_states|scheduler|scaler|vec_normalize)[^/]*$"
    r"|optimizer[^/]*$"
)
"""Pickles beside weights, which nobody loads who wants the model."""

_PICKLE = re.compile(PICKLES)
_TRAINING = re.compile(OF_TRAINING)


def weight_formats(paths: Iterable[str]) -> list[str]:
    """Return which of gguf, pickle and safetensors there are among files, in this order."""
    return sorted({kind for path in paths if (kind := _format(path.lower()))})


def _format(name: str) -> str | None:
    for ending in ("gguf", "safetensors"):
        if name.endswith(f".{ending}"):
            return ending
    return "pickle" if _PICKLE.search(name) and not _TRAINING.search(name) else None

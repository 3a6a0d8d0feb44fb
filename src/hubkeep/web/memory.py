# SPDX-License-Identifier: Apache-2.0
"""How much memory a model's weights take, by the width of its numbers, and what that fits on."""

from dataclasses import dataclass

# Bits of a number, by the name that safetensors gives it.
BITS = {
    "F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16,
    "I16": 16, "U16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "I8": 8, "U8": 8, "BOOL": 8, "F4": 4,
}  # fmt: skip

_CARDS = (8, 12, 16, 24, 40, 48, 80, 96, 141, 192)
"""Gigabytes of the cards that are sold."""
_MARGIN = 1.2
"""Beside the weights there are activations and a cache; a fifth is the usual rule of thumb
(https://huggingface.co/docs/accelerate/usage_guides/model_size_estimator)."""
_WIDTHS = ((16, "16 bit"), (8, "8 bit"), (4, "4 bit"))


@dataclass(frozen=True, slots=True)
class Need:
    """What a width takes: bytes of the weights alone, and on what they run."""

    name: str
    size: int
    fits: str


def needs(parameters: int) -> list[Need]:
    """Return what a model of so many parameters takes, by widths that are in use."""
    return [
        Need(name, parameters * bits // 8, fits_on(parameters * bits // 8))
        for bits, name in _WIDTHS
    ]


def fits_on(size: int) -> str:
    """Say which card holds weights of `size` bytes and what running them takes besides."""
    gigabytes = size * _MARGIN / 1e9
    for card in _CARDS:
        if gigabytes <= card:
            return f"one {card} GB card"
    largest = 80
    return f"{-(-gigabytes // largest):.0f} cards of {largest} GB"

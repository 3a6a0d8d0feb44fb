# SPDX-License-Identifier: Apache-2.0
"""Classes of size, by parameters, in the order in which they are shown."""

from typing import Final

_BOUNDS: Final = (
    ("<0.1 B", "< 100000000"),
    ("0.1-0.5 B", "< 500000000"),
    ("0.5-1 B", "< 1000000000"),
    ("1-3 B", "< 3000000000"),
    ("3-7 B", "< 7000000000"),
    ("7-9 B", "< 10000000000"),
    ("10-15 B", "< 16000000000"),
    ("16-40 B", "< 41000000000"),
    ("41-80 B", "<= 80000000000"),
    (">80 B", "> 80000000000"),
)
"""The classes and what their parameters are, of those that are of no class before."""

SIZES: Final = (*(name for name, _ in _BOUNDS), "unknown")
"""Their names; a figure's SQL counts them from 0."""

SIZE: Final = (
    f"CASE WHEN parameters IS NULL OR parameters <= 0 THEN '{SIZES[-1]}' "
    + " ".join(f"WHEN parameters {bound} THEN '{name}'" for name, bound in _BOUNDS)
    + " END"
)
"""SQL of a model's class."""

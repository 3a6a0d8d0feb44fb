# SPDX-License-Identifier: Apache-2.0
"""Real data, where they are: a folder that the variable HUBKEEP_SHARED_DATA names, or the one
beside the checkout. They are not part of the project; tests that use them are skipped without.
"""

import os
from pathlib import Path

import pytest

MODELS = "hub_models_2024-07-11.parquet"


def data(name: str) -> Path:
    """Return a file of the real data, or skip the test and say what it lacks."""
    told = os.environ.get("HUBKEEP_SHARED_DATA")
    folder = Path(told) if told else Path(__file__).parents[2].parent / "shared" / "data"
    path = folder / name
    if not path.is_file():
        pytest.skip(f"needs {name} of the real data: set HUBKEEP_SHARED_DATA to their folder")
    return path

# SPDX-License-Identifier: Apache-2.0
"""Real data, where they are: a folder that the variable HUBKEEP_SHARED_DATA names, or the one
beside the checkout. They are not part of the project; tests that use them are skipped without.
"""

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hubkeep.observatory.snapshot import Snapshot

MODELS = "hub_models_2024-07-11.parquet"


def data(name: str) -> Path:
    """Return a file of the real data, or skip the test and say what it lacks."""
    told = os.environ.get("HUBKEEP_SHARED_DATA")
    folder = Path(told) if told else Path(__file__).parents[2].parent / "shared" / "data"
    path = folder / name
    if not path.is_file():
        pytest.skip(f"needs {name} of the real data: set HUBKEEP_SHARED_DATA to their folder")
    return path


def imported(factory: pytest.TempPathFactory, taken_at: str, *names: str) -> "Snapshot":
    """Return a snapshot of files of the real data; all processes that run tests import it once."""
    from hubkeep.observatory.imports.files import import_files
    from hubkeep.observatory.snapshot import Snapshot
    from hubkeep.observatory.store import SnapshotStore

    files = [data(name) for name in names]
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    name = "-".join(["real", taken_at[:10], *(file.stem for file in files)])
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        store = SnapshotStore(root / name)
        found = store.list() or [import_files(store, files, taken_at)]
    return Snapshot.open(store.find(found[0].id))

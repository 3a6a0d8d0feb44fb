# SPDX-License-Identifier: Apache-2.0
"""A snapshot in a notebook: `Snapshot.open(folder).figure("S2", k=100).table`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.engine import DuckEngine, Selection
from hubkeep.observatory.figure import Value
from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.manifest import Manifest
from hubkeep.observatory.running import Result, run
from hubkeep.observatory.store import read_manifest


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot on disk."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path | str) -> "Snapshot":
        """Open the folder of a snapshot. BrokenSnapshot where it is none."""
        return cls(Path(folder), read_manifest(Path(folder)))

    def figure(
        self,
        name: str,
        *,
        earlier: Sequence["Snapshot"] = (),
        filters: Filters | None = None,
        **parameters: Value,
    ) -> Result:
        """Run a figure over this snapshot; `earlier` are those that figures over time look back to.

        KeyError for a figure that there is not, BadParameter for what it cannot take.
        """
        known = all_figures()[name]
        given = sorted([*earlier, self], key=lambda one: one.manifest.taken_at)
        dimensions = Dimensions()
        with DuckEngine(Selection([one.folder for one in given]), dimensions, filters) as engine:
            manifests = [one.manifest for one in given]
            return run(
                known.figure, known.sql, engine, manifests, dimensions.digest, parameters, filters
            )

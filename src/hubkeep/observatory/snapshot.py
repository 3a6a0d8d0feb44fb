# SPDX-License-Identifier: Apache-2.0
"""A snapshot in a notebook: `Snapshot.open(folder).figure("S2", k=100).table`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hubkeep.observatory.figure import Value
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.manifest import Manifest
from hubkeep.observatory.running import Result
from hubkeep.observatory.series import series_of
from hubkeep.observatory.session import Places, Session
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
        others: Sequence["Snapshot"] = (),
        filters: Filters | None = None,
        **parameters: Value,
    ) -> Result:
        """Run a figure over this snapshot.

        Of the `others`, those of the same hub are what figures over time look back to; the newest
        of another hub is what a figure that compares hubs compares with. NoSuchFigure;
        BadParameter for what the figure cannot take.
        """
        series = series_of(self.manifest, [one.manifest for one in others])
        folders = {one.manifest.id: one.folder for one in (*others, self)}
        with Session(Places.in_series(series, folders), filters) as session:
            return session.figure(name, parameters)

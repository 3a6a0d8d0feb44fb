# SPDX-License-Identifier: Apache-2.0
"""The snapshots that a question names, opened."""

from pathlib import Path

from hubkeep.observatory.reader.wire import Shelf
from hubkeep.observatory.session import Places


def places_of(shelf: Shelf) -> Places:
    """Return the snapshots of a shelf. BrokenSnapshot."""
    return Places.of(
        [Path(folder) for folder in shelf.history],
        [shelf.names(hides) for hides in shelf.hides],
        None if shelf.reference is None else Path(shelf.reference),
        shelf.names(shelf.reference_hides),
    )

# SPDX-License-Identifier: Apache-2.0
"""The observatory: snapshots of a hub, and the figures that are computed from them.

In a notebook: `from hubkeep.observatory import Snapshot`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubkeep.observatory.snapshot import Snapshot

__all__ = ["Snapshot"]


def __getattr__(name: str) -> object:
    # Loaded when it is asked for: the server imports a few small modules of this room, and is not
    # to load the engine with them.
    if name != "Snapshot":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from hubkeep.observatory.snapshot import Snapshot

    return Snapshot

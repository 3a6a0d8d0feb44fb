# SPDX-License-Identifier: Apache-2.0
"""The observatory: snapshots of a hub, and the figures that are computed from them.

In a notebook: `from hubkeep.observatory import Snapshot`.
"""

from hubkeep.observatory.snapshot import Snapshot

__all__ = ["Snapshot"]

# SPDX-License-Identifier: Apache-2.0
"""What to do about files that are too large for git, as commands that can be copied."""

import re
from collections.abc import Sequence

from hubkeep.git.push.types import Bounds

SHOWN = 10
# What neither a shell nor git-lfs, which takes patterns, reads as anything but itself.
_PLAIN = re.compile(r"[\w./+@%-]+(?: [\w./+@%-]+)*")
_AGAIN = "then push again"


def above(bounds: Bounds) -> list[str]:
    """Return how all large files of the commits that are to be pushed are moved to git-lfs."""
    return [
        f"Files over {_shown(bounds.blob_bytes)} go through git-lfs:",
        f"  git lfs install && git lfs migrate import --above={bounds.blob_bytes}b",
        _AGAIN,
    ]


def too_large(found: Sequence[tuple[str, int]], count: int, bounds: Bounds) -> list[str]:
    """Return what to say of files by path and size; `found` may be but the first of `count`."""
    most = _shown(bounds.blob_bytes)
    lines = [
        f"{path} has {_shown(size)}; files over {most} go through git-lfs" for path, size in found
    ]
    paths = sorted({path for path, _ in found})
    if count > len(found):
        lines.append(f"and {count - len(found)} more")
    if count > len(found) or not all(map(_PLAIN.fullmatch, paths)):
        return [*lines, *above(bounds)[1:]]
    include = ",".join(paths)
    command = f'  git lfs install && git lfs migrate import --include="{include}"'
    return [*lines, command, _AGAIN]


def _shown(size: int) -> str:
    mebibytes = size / (1 << 20)
    return f"{mebibytes:g} MiB" if size % (1 << 20) == 0 else f"{mebibytes:.1f} MiB"

# SPDX-License-Identifier: Apache-2.0
"""Scripts that are only asked for on some pages: read when the first of them is, kept then.

Their addresses have one hash for all of them, in the place of a folder, so that what one names of
the others may stay as it was written.
"""

import gzip
import hashlib
from functools import cached_property
from pathlib import Path

from hubkeep.web.assets import Asset

_TYPES = {".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8"}


class Bundle:
    """The scripts of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, Asset] = {}

    @cached_property
    def digest(self) -> str:
        """What changes with any of the files."""
        found = hashlib.sha256()
        for name, path in sorted(self._paths.items()):
            found.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        return found.hexdigest()[:12]

    def find(self, digest: str, name: str) -> Asset | None:
        """Return a file by its address; None if it is not there, or not of this version."""
        if digest != self.digest or name not in self._paths:
            return None
        kept = self._kept.get(name)
        if kept is None:
            path = self._paths[name]
            content = path.read_bytes()
            kept = Asset(content, gzip.compress(content, 6, mtime=0), _TYPES[path.suffix])
            self._kept[name] = kept
        return kept

    @cached_property
    def _paths(self) -> dict[str, Path]:
        below = (path for path in self._folder.rglob("*") if path.suffix in _TYPES)
        return {path.relative_to(self._folder).as_posix(): path for path in below}

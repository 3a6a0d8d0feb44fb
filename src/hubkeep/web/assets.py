# SPDX-License-Identifier: Apache-2.0
"""Style sheets, scripts and fonts: part of the program, named by their content, kept for ever.

A file `css/hubkeep.css` is served as `/static/css/hubkeep.0123456789ab.css`, so that a browser asks
for it once and never sees an old one. What one file names of the others is renamed with them.

A folder `css/hubkeep` is one sheet, `css/hubkeep.css`: its files one after the other, by name.
"""

import gzip
import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
PREFIX = "/static/"
SHEETS = "css"
"""The folder in which each folder is one style sheet."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}
_DEFLATED = frozenset({".css", ".js", ".svg", ".txt"})
_URL = re.compile(rb'url\("([^":]+)"\)')
_IMPORT = re.compile(rb'(from |import |import\()"(\.[^"]+)"')


def read_source(folder: Path, name: str) -> bytes:
    """Return the content of a file as it was written; a sheet that is a folder is joined."""
    parts = (folder / name).with_suffix("")
    if not name.endswith(".css") or not parts.is_dir():
        return (folder / name).read_bytes()
    return b"\n".join(path.read_bytes() for path in sorted(parts.glob("*.css")))


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent; `gzipped` where that makes it smaller."""

    content: bytes
    gzipped: bytes | None
    media_type: str


class Assets:
    """All files of a folder, read once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._names: dict[str, str] = {}
        self._by_name: dict[str, Asset] = {}
        for sheet in sorted((folder / SHEETS).glob("*/")):
            self._add(f"{SHEETS}/{sheet.name}.css")
        for path in sorted(folder.rglob("*")):
            is_part = path.parent.parent == folder / SHEETS
            if path.is_file() and path.suffix in _TYPES and not is_part:
                self._add(path.relative_to(folder).as_posix())

    def url(self, name: str) -> str:
        """Return the address of a file. KeyError for one that is not there."""
        return PREFIX + self._names[name]

    def find(self, hashed: str) -> Asset | None:
        """Return the file of an address, without its prefix."""
        return self._by_name.get(hashed)

    @property
    def names(self) -> Mapping[str, str]:
        """The names under which files are served, by their own."""
        return self._names

    def _add(self, name: str) -> str:
        known = self._names.get(name)
        if known is not None:
            return known
        suffix = posixpath.splitext(name)[1]
        content = self._linked(name, suffix, read_source(self._folder, name))
        digest = hashlib.sha256(content).hexdigest()[:12]
        hashed = f"{name.removesuffix(suffix)}.{digest}{suffix}"
        small = gzip.compress(content, 9, mtime=0) if suffix in _DEFLATED else None
        self._names[name] = hashed
        self._by_name[hashed] = Asset(content, small, _TYPES[suffix])
        return hashed

    def _linked(self, name: str, suffix: str, content: bytes) -> bytes:
        """The content with the files that it names called as they are served."""

        def served(other: bytes) -> bytes:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), other.decode()))
            return (PREFIX + self._add(target)).encode()

        if suffix == ".css":
            return _URL.sub(lambda found: b'url("%b")' % served(found[1]), content)
        if suffix == ".js":
            return _IMPORT.sub(lambda found: b'%b"%b"' % (found[1], served(found[2])), content)
        return content

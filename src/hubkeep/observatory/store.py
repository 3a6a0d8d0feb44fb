# SPDX-License-Identifier: Apache-2.0
"""Snapshots in a folder: made whole or not at all, never changed, found by what their id begins
with.
"""

import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from hubkeep.observatory.manifest import MANIFEST, Manifest, Source, Universe
from hubkeep.observatory.schema import VERSION
from hubkeep.observatory.writing import Written

_MAKING: Final = ".making-"
_PRIVATE: Final = 0o700
_PUBLIC: Final = 0o755
_READ_ONLY: Final = 0o444
_ID: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
_LEFT_AFTER: Final = 24 * 60 * 60.0


class NoSuchSnapshot(LookupError):
    """No snapshot, or more than one, begins so; the text says which there are."""


class BrokenSnapshot(ValueError):
    """A folder that is no snapshot, or not one of this version; the text says why."""


@dataclass(frozen=True, slots=True)
class Making:
    """A snapshot while it is made: what its maker says of it in the end."""

    source: Source
    taken_at: str
    universe: Universe = "public"
    notes: Sequence[str] = ()


class SnapshotStore:
    """The snapshots below a folder, those for everybody apart from those for administrators."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list(self, universe: Universe = "public") -> list[Manifest]:
        """Return all snapshots of a universe that can be read, oldest first."""
        found = []
        for folder in self.folders(universe):
            try:
                found.append(read_manifest(folder))
            except BrokenSnapshot:
                continue
        return sorted(found, key=lambda one: (one.taken_at, one.id))

    def changed(self, universe: Universe = "public") -> int:
        """Return when a snapshot came or went last, in nanoseconds; 0 where there never was one."""
        try:
            return (self._folder / universe).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def folders(self, universe: Universe = "public") -> Sequence[Path]:
        """Return the folders of all snapshots, by name, also of those that cannot be read."""
        place = self._folder / universe
        if not place.is_dir():
            return []
        return sorted(
            path for path in place.iterdir() if path.is_dir() and not path.name.startswith(".")
        )

    def find(self, name: str, universe: Universe = "public") -> Path:
        """Return the folder of the one snapshot whose id or hash begins with `name`.

        `latest` is the last. Raises NoSuchSnapshot.
        """
        known = self.list(universe)
        if name == "latest" and known:
            return self._folder / universe / known[-1].id
        fits = [one for one in known if one.id.startswith(name) or one.hash.startswith(name)]
        if len(fits) != 1 or not name:
            there = ", ".join(one.id for one in known[-10:]) or "none"
            how = "More than one snapshot begins" if fits else "No snapshot begins"
            raise NoSuchSnapshot(f"{how} with {name!r}; there are: {there}")
        return self._folder / universe / fits[0].id

    def create(self, making: Making, fill: Callable[[Path], Mapping[str, Written]]) -> Manifest:
        """Make a snapshot: `fill` writes its tables into a folder and says what it wrote.

        Either all of it is there afterwards, on disk, or nothing is; whatever else `fill` leaves in
        the folder is thrown away. What was made before from the same rows is returned as it is.
        Several may make snapshots at once. What was left behind by one that was killed more than a
        day ago is tidied up.
        """
        place = self._folder / making.universe
        with self.scratch(making.universe) as scratch:
            written = fill(scratch)
            _keep_only(scratch, {f"{name}.parquet" for name in written})
            manifest = described(making, written)
            (scratch / MANIFEST).write_bytes(
                msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
            )
            for path in scratch.iterdir():
                path.chmod(_READ_ONLY)
                _sync(path)
            scratch.chmod(_PUBLIC if making.universe == "public" else _PRIVATE)
            _sync(scratch)
            _rename(scratch, place / manifest.id)
            _sync(place)
            return manifest

    @contextmanager
    def scratch(self, universe: Universe = "public") -> Generator[Path]:
        """Make a folder for what is needed while a snapshot of this universe is made.

        Nobody but the hub's own user can look into it. It is gone at the end, or a day after its
        maker was killed.
        """
        place = self._folder / universe
        place.mkdir(parents=True, exist_ok=True)
        if universe == "all":
            place.chmod(_PRIVATE)
        _tidy(place)
        scratch = Path(tempfile.mkdtemp(prefix=_MAKING, dir=place))
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def described(making: Making, written: Mapping[str, Written]) -> Manifest:
    """Return the manifest of tables that were written, with the hash over all that it says."""
    manifest = Manifest(
        id="",
        hash="",
        taken_at=making.taken_at,
        universe=making.universe,
        source=making.source,
        tables={name: written[name].file for name in sorted(written)},
        excluded={name: one.excluded for name, one in sorted(written.items()) if one.excluded},
        cleared={name: one.cleared for name, one in sorted(written.items()) if one.cleared},
        notes=tuple(making.notes),
    )
    digest = hash_of(manifest)
    stamp = re.sub(r"[-:]|\.\d+", "", making.taken_at)
    return msgspec.structs.replace(manifest, id=f"{stamp}-{digest[:8]}", hash=digest)


def hash_of(manifest: Manifest) -> str:
    """Return the hash over all that a manifest says besides its id and hash."""
    plain = msgspec.structs.replace(manifest, id="", hash="")
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read what a snapshot says of itself. BrokenSnapshot where it is none."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenSnapshot(f"{folder} is no snapshot: {error}") from error
    if not _ID.fullmatch(manifest.id) or not _is_moment(manifest.taken_at):
        raise BrokenSnapshot(f"{folder} is no snapshot: it does not say which, or of when")
    if manifest.schema != VERSION:
        raise BrokenSnapshot(
            f"{folder.name} has version {manifest.schema} of the schema, and this is {VERSION}: "
            "use the release of Hubkeep that made it, or make it anew"
        )
    return manifest


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _tidy(place: Path) -> None:
    """Throw away what was being made when its maker was killed, long enough ago."""
    long_ago = time.time() - _LEFT_AFTER
    for folder in place.glob(f"{_MAKING}*"):
        try:
            newest = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
        except FileNotFoundError:
            continue
        if newest < long_ago:
            shutil.rmtree(folder, ignore_errors=True)


def _keep_only(folder: Path, names: set[str]) -> None:
    for path in folder.iterdir():
        if path.name in names:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _rename(scratch: Path, target: Path) -> None:
    """Give a snapshot its name, unless another maker of the same has been quicker."""
    try:
        scratch.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

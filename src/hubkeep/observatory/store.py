# SPDX-License-Identifier: Apache-2.0
"""Snapshots in a folder: made whole or not at all, never changed, found by what their id begins
with.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from hubkeep.observatory.manifest import MANIFEST, FileOf, Manifest, Source, Universe
from hubkeep.observatory.schema import VERSION
from hubkeep.observatory.writing import Written, sha256_of

_MAKING: Final = ".making-"
_PRIVATE: Final = 0o700
_READ_ONLY: Final = 0o444


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
        """Return all snapshots of a universe, oldest first."""
        found = [
            read_manifest(path.parent) for path in (self._folder / universe).glob(f"*/{MANIFEST}")
        ]
        return sorted(found, key=lambda one: (one.taken_at, one.id))

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

        Either all of it is there afterwards, on disk, or nothing is. What was made before from the
        same rows is returned as it is.
        """
        place = self._folder / making.universe
        place.mkdir(parents=True, exist_ok=True)
        if making.universe == "all":
            place.chmod(_PRIVATE)
        scratch = Path(tempfile.mkdtemp(prefix=_MAKING, dir=place))
        try:
            manifest = described(making, fill(scratch))
            (scratch / MANIFEST).write_bytes(
                msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
            )
            for path in scratch.iterdir():
                path.chmod(_READ_ONLY)
                _sync(path)
            scratch.chmod(0o755 if making.universe == "public" else _PRIVATE)
            _sync(scratch)
            target = place / manifest.id
            if not target.exists():
                scratch.rename(target)
                _sync(place)
            return manifest
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
        notes=making.notes,
    )
    digest = hashlib.sha256(msgspec.json.encode(manifest, order="sorted")).hexdigest()
    stamp = re.sub(r"[-:]|\.\d+", "", making.taken_at)
    return msgspec.structs.replace(manifest, id=f"{stamp}-{digest[:8]}", hash=digest)


def read_manifest(folder: Path) -> Manifest:
    """Read what a snapshot says of itself. BrokenSnapshot where it is none."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise BrokenSnapshot(f"{folder} is no snapshot: {error}") from error
    if manifest.schema != VERSION:
        raise BrokenSnapshot(
            f"{folder.name} has version {manifest.schema} of the schema, and this is {VERSION}: "
            "use the release of Hubkeep that made it, or make it anew"
        )
    return manifest


def problems_of(folder: Path) -> list[str]:
    """Return what is wrong with a snapshot, in words; an empty list for one that is whole."""
    manifest = read_manifest(folder)
    plain = msgspec.structs.replace(manifest, id="", hash="")
    found = []
    if hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest() != manifest.hash:
        found.append(f"{MANIFEST} was changed: its hash is another")
    for name, file in manifest.tables.items():
        found += _problems_of_file(folder / f"{name}.parquet", file)
    known = {MANIFEST, *(f"{name}.parquet" for name in manifest.tables)}
    found += [
        f"{path.name} does not belong here"
        for path in sorted(folder.iterdir())
        if path.name not in known
    ]
    return found


def _problems_of_file(path: Path, file: FileOf) -> list[str]:
    if not path.is_file():
        return [f"{path.name} is gone"]
    if path.stat().st_size != file.bytes:
        return [f"{path.name} has {path.stat().st_size} bytes and had {file.bytes}"]
    if sha256_of(path) != file.sha256:
        return [f"{path.name} was changed: its sha256 is another"]
    return []


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

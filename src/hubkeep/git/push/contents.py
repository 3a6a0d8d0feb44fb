# SPDX-License-Identifier: Apache-2.0
"""What new commits put into folders: names, modes, what the entries refer to, files by size.

Each object is looked at where it is first met. A folder that stands at many places is gone through
once: of how deep, long and many its contents are, a note is kept.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from hubkeep.git.changes import ATTRIBUTES_LINE
from hubkeep.git.errors import BadPath
from hubkeep.git.names import MAX_DEPTH, MAX_PATH, check_path, collision_key, is_attributes
from hubkeep.git.objects import POINTER_LIMIT, Kind, inflate, parse_pointer
from hubkeep.git.push.advice import SHOWN, too_large
from hubkeep.git.push.entries import Entry, Folder, Folders, apart, name_of
from hubkeep.git.push.outside import Outside, missing
from hubkeep.git.push.pack import Pack
from hubkeep.git.push.spool import Spooled
from hubkeep.git.push.types import TOO_MUCH, Bounds, Pointer, Refused
from hubkeep.git.queries_objects import bounded_data
from hubkeep.git.trees import EMPTY_TREE, EXECUTABLE, FILE, FOLDER, SUBMODULE, SYMLINK

MAX_FILES = 500_000
"""Files and folders of a revision, each as often as it stands somewhere."""

_KINDS = {FILE: Kind.BLOB, EXECUTABLE: Kind.BLOB, SYMLINK: Kind.BLOB, FOLDER: Kind.TREE}
_FOLDERS_AT_ONCE = 256
_MANY = 10_000  # additions from which on all that is in the repository is counted too


class Extent(NamedTuple):
    """Of all that is in a folder: the levels, the bytes of the longest path, how many there are."""

    levels: int
    longest: int
    count: int


_NOTHING = Extent(0, 0, 0)


class _Inside(NamedTuple):
    """A folder in a folder: how often it is there, its longest name, and one of its names."""

    count: int
    longest: int
    name: bytes


@dataclass(slots=True)
class Contents:
    """What is found; `reached` has a 1 for each object of the pack that something leads to."""

    folders: Folders
    pack: Pack
    outside: Outside
    pointers: Spooled[Pointer]
    bounds: Bounds
    reached: bytearray
    added: int = 0
    """Files and folders that stand where there was none, in all commits together."""
    has_empty_tree: bool = False
    """Whether something needs the empty tree, which git knows and so does not send."""
    _noted: bytearray = field(init=False)
    _large: list[tuple[str, int]] = field(default_factory=list)
    _large_count: int = 0
    _extents: dict[bytes, Extent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._noted = bytearray(len(self.pack))

    def enter(self, where: bytes, fresh: bytes, *, is_new_name: bool, was_folder: bool) -> None:
        """Look at an entry that no parent has in the folder `where`.

        What is in a folder that takes a folder's place is left to the caller.
        """
        entry = apart(fresh)
        path = join(where, entry.name)
        self._check(entry, path, is_new_name=is_new_name)
        self.added += is_new_name
        if entry.is_folder and not was_folder:
            self.place(entry.oid, path)
        else:
            _check_place(path, _NOTHING)
        self._check_count(self.added)

    def place(self, tree: bytes, path: bytes) -> None:
        """Look at a folder, with all in it, that stands where none stood before."""
        extent = self.extent(tree, path)
        _check_place(path, extent)
        self.added += extent.count
        self._check_count(self.added)

    def note(self, tree: bytes) -> None:
        """Note that what a folder has else than its parents' was looked at: no more needs to be."""
        position = self.pack.find(tree)
        if position is not None:
            self._noted[position] = 1

    def check_names(self, where: bytes, folder: Folder, fresh: set[bytes]) -> None:
        """Refuse new names that are one with another where case or normalisation do not count.

        `fresh` are the entries whose names are new; what collided before is not theirs to mend.
        """
        taken: dict[bytes, bytes] = {}
        for is_fresh in (False, True):
            for entry in folder.entries:
                if (entry in fresh) != is_fresh:
                    continue
                name = name_of(entry)
                other = taken.setdefault(collision_key(name), name)
                if is_fresh and other != name:
                    pair = [_shown(join(where, each)) for each in (name, other)]
                    raise Refused(
                        f"{pair[0]} and {pair[1]} are one file where case or Unicode"
                        " normalisation do not count"
                    )

    def extent(self, tree: bytes, path: bytes) -> Extent:
        """Return the extent of a folder, having looked at all in it, if it is of the pack."""
        known = self._extents.get(tree)
        if known is not None:
            return known
        if path.count(b"/") >= MAX_DEPTH:
            raise Refused(f"{_shown(path)}: more than {MAX_DEPTH} levels deep")
        count, longest, inside = self._survey(tree, path)
        levels = 1 if count else 0
        oids = list(inside)
        for start in range(0, len(oids), _FOLDERS_AT_ONCE):
            some = oids[start : start + _FOLDERS_AT_ONCE]
            self.folders.load(oid for oid in some if oid not in self._extents)
            for oid in some:
                each = inside[oid]
                below = self.extent(oid, join(path, each.name))
                levels = max(levels, below.levels + 1)
                if below.count:
                    longest = max(longest, 1 + each.longest + below.longest)
                count += each.count * below.count
                self._check_count(count)
        extent = self._extents[tree] = Extent(levels, longest, count)
        return extent

    def _survey(self, tree: bytes, path: bytes) -> tuple[int, int, dict[bytes, _Inside]]:
        """Look at the entries of a folder; return their count, the longest name's bytes with the
        slash before it, and the folders among them.
        """
        folder = self.folders[tree]
        position = self.pack.find(tree)
        is_new = position is not None and not self._noted[position]
        longest = 0
        inside: dict[bytes, _Inside] = {}
        for each in folder.entries:
            entry = apart(each)
            if is_new:
                self._check(entry, join(path, entry.name), is_new_name=True)
            longest = max(longest, len(entry.name) + 1)
            if entry.is_folder:
                had = inside.get(entry.oid)
                if had is None:
                    inside[entry.oid] = _Inside(1, len(entry.name), entry.name)
                else:
                    most = max(had.longest, len(entry.name))
                    inside[entry.oid] = _Inside(had.count + 1, most, had.name)
        if is_new:
            self.check_names(path, folder, set(folder.entries))
        return len(folder.entries), longest, inside

    def _check(self, entry: Entry, path: bytes, *, is_new_name: bool) -> None:
        if is_new_name:
            _check_name(entry.name, path)
        kind = _KINDS.get(entry.mode)
        if kind is None:
            raise _bad_mode(entry, path)
        self.reach(entry.oid, kind, path)
        if kind == Kind.BLOB and is_attributes(entry.name):
            self._check_attributes(entry.oid, path)

    def reach(self, oid: bytes, kind: Kind, where: bytes) -> None:
        """Note that something leads to an object, which must be of this kind."""
        position = self.pack.find(oid)
        if position is None:
            if oid == EMPTY_TREE and kind == Kind.TREE:
                self.has_empty_tree = True
            else:
                self.outside.want(self.folders.conn, self.folders.repo_id, oid, kind, where)
            return
        if self.pack.kinds[position] != kind:
            raise missing(oid, kind, where)
        if self.reached[position]:
            return
        self.reached[position] = 1
        if kind == Kind.BLOB:
            self._file(position, oid, where)

    def _file(self, position: int, oid: bytes, path: bytes) -> None:
        size = self.pack.sizes[position]
        if size > self.bounds.blob_bytes:
            self._large_count += 1
            if len(self._large) < SHOWN:
                self._large.append((_text(path), size))
        elif size < POINTER_LIMIT:
            lfs = parse_pointer(self.pack.payload(position))
            if lfs is not None:
                self.pointers.put(oid, Pointer(lfs, _text(path)))

    def _check_attributes(self, oid: bytes, path: bytes) -> None:
        """Refuse what makes `git fsck`, and so every strict clone, reject the whole repository."""
        position = self.pack.find(oid)
        if position is None:
            conn, repo_id = self.folders.conn, self.folders.repo_id
            rows = bounded_data(conn, repo_id, [oid], self.bounds.blob_bytes)
            contents = [inflate(data, size) for _, _, size, data in rows]
        elif self.pack.sizes[position] > self.bounds.blob_bytes:
            return  # refused for its size
        else:
            contents = [self.pack.payload(position)]
        for content in contents:
            if any(len(line) >= ATTRIBUTES_LINE for line in content.split(b"\n")):
                raise Refused(
                    f"{_shown(path)} has a line of {ATTRIBUTES_LINE} bytes or more,"
                    " which git refuses"
                )

    def finish(self, tips: list[bytes]) -> None:
        """Refuse what shows once everything was looked at; `tips` are the trees of the tips."""
        if self._large_count:
            raise Refused(*too_large(self._large, self._large_count, self.bounds))
        if self.added > _MANY:
            for tree in tips:
                self._check_count(self.extent(tree, b"").count)
        self.outside.settle(self.folders.conn, self.folders.repo_id)

    def _check_count(self, count: int) -> None:
        if count > MAX_FILES:
            raise Refused(f"The push has more than {MAX_FILES} files and folders", TOO_MUCH)


def join(folder: bytes, name: bytes) -> bytes:
    """Return the path of a name in a folder; the root is empty."""
    return folder + b"/" + name if folder else name


def _check_place(path: bytes, extent: Extent) -> None:
    depth = path.count(b"/") + 1 if path else 0
    if depth + extent.levels > MAX_DEPTH:
        raise Refused(f"{_shown(path)}: more than {MAX_DEPTH} levels deep")
    # The longest path in the root has no slash before its first name.
    if len(path) + extent.longest - (not path) > MAX_PATH:
        raise Refused(f"{_shown(path)}: a path of more than {MAX_PATH} bytes")


def _check_name(name: bytes, path: bytes) -> None:
    try:
        text = name.decode()
        check_path(text)
    except UnicodeDecodeError as bad:
        raise Refused(f"{_shown(path)}: names of files must be UTF-8") from bad
    except BadPath as bad:
        raise Refused(f"{_shown(path)}: {bad}") from bad


def _bad_mode(entry: Entry, path: bytes) -> Refused:
    if entry.mode == SUBMODULE:
        return Refused(
            f"{_shown(path)} is a submodule; the hub keeps no other repositories in one",
            f'Put its files there instead: git rm --cached "{_text(path)}"',
        )
    mode = entry.mode.decode()
    return Refused(f"{_shown(path)} has the mode {mode}; files have 100644, 100755 or 120000")


def _text(path: bytes) -> str:
    return path.decode("utf-8", "replace")


def _shown(path: bytes) -> str:
    text = repr(_text(path))
    return text if len(text) <= 200 else f"{text[:200]}..."

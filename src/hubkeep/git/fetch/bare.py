# SPDX-License-Identifier: Apache-2.0
"""A bare repository in the cache: its files, and how they are replaced under git's eyes.

What git looks at last is written last, each file by renaming. From the first to the last step a
mark says that it is not to be believed, and stays if the program ends between.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from hubkeep.git.fetch.contents import write_all
from hubkeep.git.fetch.growing import gained, write_some
from hubkeep.git.fetch.refs import PACKED_REFS, decode_refs, encode_refs
from hubkeep.git.program import GitFailed, Limits, run
from hubkeep.git.types import Ref

PACKS: Final = Path("objects/pack")
MANY_PACKS = 10
_TOO_MANY_PACKS = 60
_WORTH_PACKING = 200

FOLDERS: Final = ("objects/pack", "objects/info", "refs/heads", "refs/tags", "info")
_ADVERTISE = ("upload-pack", "--stateless-rpc", "--advertise-refs", ".")
_WALK = ("rev-list", "--objects", "--quiet", "--stdin")
_WALKING = Limits(cpu_seconds=600, memory=3 << 30, file_bytes=1 << 20)
_DOUBT = "doubtful"
_UNPACKED = "without-deltas"
# Memory is bounded by windows onto packs, not by packs; deltas are looked for by one thread.
# All objects may be asked for by id: what nobody may see is not here.
_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tbare = true
\tpackedGitWindowSize = 32m
\tpackedGitLimit = 256m
[gc]
\tauto = 0
[pack]
\tthreads = 1
\twindowMemory = 64m
\tdeltaCacheSize = 32m
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[lsrefs]
\tunborn = advertise
"""
# What a repository says of itself may leave files out of archives, but have nothing computed.
_ATTRIBUTES = "* -export-subst\n"


class Bare:
    """The repository in a folder, for whoever holds the folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def is_of(self, refs: Sequence[Ref], branch: str) -> bool:
        """Whether it was made for these refs and this default branch, and can be believed."""
        with suppress(FileNotFoundError):
            return (
                (self.path / PACKED_REFS).read_bytes() == encode_refs(refs)
                and (self.path / "HEAD").read_text("utf-8") == _head(branch)
                and not self.is_doubtful
            )
        return False

    @property
    def is_doubtful(self) -> bool:
        """Whether something is under way, was broken off, or is known to be wrong."""
        return (self.path / _DOUBT).exists()

    def doubt(self) -> None:
        """Have nobody use it from now on."""
        with suppress(FileNotFoundError):
            (self.path / _DOUBT).touch()

    def lacks_deltas(self, seconds: float = 0.0) -> bool:
        """Whether deltas were not looked for in so many seconds, and it is large enough to."""
        with suppress(FileNotFoundError):
            return time.time() - (self.path / _UNPACKED).stat().st_mtime >= seconds
        return False

    def give_up_deltas(self) -> None:
        """Do not have them looked for again."""
        (self.path / _UNPACKED).unlink(missing_ok=True)

    def count_packs(self) -> int:
        """Return the number of its packs."""
        return len(list((self.path / PACKS).glob("*.pack")))

    def is_connected(self) -> bool:
        """Whether it has all that its refs lead to; walks all history. GitMissing."""
        try:
            refs = decode_refs((self.path / PACKED_REFS).read_bytes())
            tips = b"".join(b"%b\n" % ref.oid.hex().encode() for ref in refs)
            run(_WALK, self.path, _WALKING, given=tips, env={"GIT_DIR": "."})
        except (OSError, ValueError, GitFailed):
            return False
        return True

    def lay_out(self, branch: str) -> None:
        """Fill the folder, which has nothing of a repository yet, with one that has no objects."""
        for part in FOLDERS:
            (self.path / part).mkdir(parents=True)
        (self.path / "config").write_text(_CONFIG)
        (self.path / "info/attributes").write_text(_ATTRIBUTES)
        (self.path / "HEAD").write_text(_head(branch), "utf-8")
        (self.path / PACKED_REFS).write_bytes(encode_refs([]))

    def write(self, conn: Connection, repo_id: int, refs: Sequence[Ref], branch: str) -> None:
        """Lay out a repository with all that refs lead to."""
        self.lay_out(branch)
        if refs and write_all(conn, repo_id, refs, self.path / PACKS) > _WORTH_PACKING:
            (self.path / _UNPACKED).touch()
        (self.path / PACKED_REFS).write_bytes(encode_refs(refs))

    def abilities(self) -> bytes:
        """Return what git offers in version 2 of its protocol: the same for all that are laid out
        here. GitMissing, GitFailed.
        """
        env = {"GIT_PROTOCOL": "version=2"}
        return run(_ADVERTISE, self.path, _WALKING, env=env)

    def grow(self, conn: Connection, repo_id: int, refs: Sequence[Ref], branch: str) -> int | None:
        """Add what its refs lack to these; return how many bytes that took.

        None if it has to be made anew: something was taken back, or much came, or it is in doubt.
        To be called alone.
        """
        if self.is_doubtful or self.count_packs() > _TOO_MANY_PACKS:
            return None
        try:
            old = decode_refs((self.path / PACKED_REFS).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        missing = gained(conn, repo_id, old, refs) if refs != old else []
        if missing is None:
            return None
        self.doubt()
        size = 0
        if missing:
            size = write_some(conn, repo_id, missing, self.path / PACKS).stat().st_size
        self._replace(PACKED_REFS, encode_refs(refs))
        self._replace("HEAD", _head(branch).encode())
        (self.path / _DOUBT).unlink()
        return size

    def link_to(self, folder: Path) -> None:
        """Make a second repository of the same files in an empty folder. To be called alone."""
        for part in FOLDERS:
            (folder / part).mkdir(parents=True)
        names = ("config", "HEAD", PACKED_REFS, "info/attributes")
        for path in (*map(Path, names), *self._packed()):
            (folder / path).hardlink_to(self.path / path)

    def _packed(self) -> list[Path]:
        return [path.relative_to(self.path) for path in (self.path / PACKS).iterdir()]

    def _replace(self, name: str, data: bytes) -> None:
        draft = self.path / f"{name}.new"
        draft.write_bytes(data)
        draft.rename(self.path / name)


def _head(branch: str) -> str:
    return f"ref: refs/heads/{branch}\n"

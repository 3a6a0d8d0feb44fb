# SPDX-License-Identifier: Apache-2.0
"""Names that git and a hub accept: of files, by what `git fsck` and checkouts refuse, and of refs.

Paths are kept as written, whatever their Unicode normalisation. Two names in one folder that a file
system may hold for the same (they differ in case or normalisation alone) have one `collision_key`.
"""

import re
import unicodedata

from hubkeep.git.errors import BadPath, BadRef

MAX_PATH = 1024
MAX_SEGMENT = 255
MAX_DEPTH = 64
MAX_REF = 500
_MAX_REF_SEGMENT = 240  # leaves room for `.lock` where a ref becomes a file

# Characters that HFS+ does not see in a name: `.g<U+200C>it` is `.git` there (git's utf8.c).
_INVISIBLE = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)
# 8.3 names of .gitmodules on NTFS: the first ones, and those made of a hash once there are many.
_SHORT_GITMODULES = re.compile(
    r"gitmod~[1-4]|(?=.{8}$)(?:g(?:i(?:7(?:e(?:ba?)?)?)?)?)?~[1-9][0-9]*"
)
# Segments that need no closer look, most of all that there are: without a dot in front, a tilde or
# a space nothing is a disguise of git's own names.
_PLAIN = re.compile(rb"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,254}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_FULL_SHA = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)


def check_path(path: str) -> tuple[bytes, ...]:
    """Return the segments of a path that a file may be put at; BadPath for any other.

    Refused: empty, absolute, `.` and `..`, `.git` and `.gitmodules` in all forms that some file
    system takes for them, control characters, backslashes, what is not UTF-8, more than 1,024 bytes
    in all, 255 in a segment or 64 segments.
    """
    try:
        raw = path.encode()
    except UnicodeEncodeError as bad:
        raise BadPath(f"The path {path!r} is not valid Unicode") from bad
    if not path:
        raise BadPath("A path is empty")
    if len(raw) > MAX_PATH:
        raise BadPath(f"The path {path[:64]!r}... has more than {MAX_PATH} bytes")
    if _CONTROL.search(path) or "\\" in path:
        raise BadPath(f"The path {path!r} has a control character or a backslash")
    segments = path.split("/")
    if len(segments) > MAX_DEPTH:
        raise BadPath(f"The path {path[:64]!r}... is more than {MAX_DEPTH} levels deep")
    parts = tuple(raw.split(b"/"))
    for segment, part in zip(segments, parts, strict=True):
        if not _PLAIN.fullmatch(part):
            _check_segment(path, segment)
    return parts


def _check_segment(path: str, segment: str) -> None:
    plain = _undisguised(segment)
    if not segment or plain in ("", ".", ".."):
        raise BadPath(f"The path {path!r} is absolute, or has an empty, '.' or '..' segment")
    if len(segment.encode()) > MAX_SEGMENT:
        raise BadPath(f"A segment of {path[:64]!r}... has more than {MAX_SEGMENT} bytes")
    stem = _ntfs_stem(plain)
    if stem in (".git", "git~1"):
        raise BadPath(f"The path {path!r} leads into git's own folder")
    if stem == ".gitmodules" or _SHORT_GITMODULES.fullmatch(stem):
        raise BadPath(f"The path {path!r} declares submodules, which are not supported")


def is_attributes(segment: bytes) -> bool:
    """Say whether git may take a file of this name for `.gitattributes`, however disguised."""
    if _PLAIN.fullmatch(segment):
        return False
    stem = _ntfs_stem(_undisguised(segment.decode("utf-8", "replace")))
    return stem == ".gitattributes" or (stem.startswith("gi") and "~" in stem)


def _undisguised(segment: str) -> str:
    return segment.translate(_INVISIBLE).casefold()


def _ntfs_stem(name: str) -> str:
    """What NTFS makes of a name: without a stream (`:x`) and without spaces and dots at its end."""
    return name.partition(":")[0].rstrip(" .")


def collision_key(name: bytes) -> bytes:
    """Return what is equal for names that differ only in case or Unicode normalisation."""
    if name.isascii():
        return name.lower()
    text = unicodedata.normalize("NFD", name.decode("utf-8", "replace")).casefold()
    return unicodedata.normalize("NFC", text).encode()


def check_ref_name(name: str) -> None:
    """Raise BadRef unless `name` may be a full ref name, as `refs/heads/main`.

    The rules are those of `git check-ref-format`, and for branches and tags also: no leading `-`,
    not `HEAD`, not `refs/...` again, and not 40 hex digits, which would hide a commit.
    """
    try:
        size = len(name.encode())
    except UnicodeEncodeError as bad:
        raise BadRef(f"The name {name!r} is not valid Unicode") from bad
    if size > MAX_REF:
        raise BadRef(f"The name {name[:64]!r}... has more than {MAX_REF} bytes")
    if _BAD_IN_REF.search(name) or name.endswith((".", "/")) or not name.startswith("refs/"):
        raise BadRef(f"git does not allow {name!r} as the name of a ref")
    segments = name.split("/")
    for segment in segments:
        if segment.startswith(".") or segment.endswith(".lock") or not segment:
            raise BadRef(f"git does not allow the segment {segment!r} in the name of a ref")
        if len(segment.encode()) > _MAX_REF_SEGMENT:
            raise BadRef(f"A segment of {name[:64]!r}... has more than {_MAX_REF_SEGMENT} bytes")
    if len(segments) < 3:
        raise BadRef(f"{name!r} is not the full name of a ref")
    short = "/".join(segments[2:])
    if segments[1] in ("heads", "tags") and (
        short.startswith(("-", "refs/")) or short == "HEAD" or _FULL_SHA.fullmatch(short)
    ):
        raise BadRef(f"{short!r} could be taken for something else than a branch or tag")

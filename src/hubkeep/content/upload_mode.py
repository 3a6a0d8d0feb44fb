# SPDX-License-Identifier: Apache-2.0
"""How a file is to be uploaded: as part of the commit, or as a large file."""

import codecs

REGULAR_LIMIT = 10 << 20
"""Bytes that a file inside a commit may have; huggingface.co's limit too."""

SAMPLE = 512
"""How many of its first bytes a client sends, and are looked at, to tell what a file is."""


def is_binary(sample: bytes) -> bool:
    """Guess from its first bytes whether a file is binary: it has a NUL, or is not UTF-8.

    A character cut at the end of the sample is no sign. UTF-16 counts as binary, as in git.
    """
    if b"\0" in sample:
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample, final=len(sample) < SAMPLE)
    except UnicodeDecodeError:
        return True
    return False


def upload_mode(size: int, sample: bytes, *, lfs_by_attributes: bool) -> str:
    """Return `lfs` or `regular`, the two words that clients know.

    Large files, those that `.gitattributes` names and binary ones are LFS; empty files never are.
    """
    if size == 0:
        return "regular"
    return "lfs" if lfs_by_attributes or size > REGULAR_LIMIT or is_binary(sample) else "regular"

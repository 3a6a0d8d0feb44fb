# SPDX-License-Identifier: Apache-2.0
"""The refs of a bare repository, in the one file that also says which refs it was made for."""

from collections.abc import Sequence

from hubkeep.git.types import Ref

PACKED_REFS = "packed-refs"
_HEAD = b"# pack-refs with: peeled fully-peeled sorted \n"


def encode_refs(refs: Sequence[Ref]) -> bytes:
    """Return the file; equal refs give equal bytes, in whatever order they come."""
    lines = [_HEAD]
    for name, ref in sorted((ref.name.encode(), ref) for ref in refs):
        lines.append(b"%b %b\n" % (ref.oid.hex().encode(), name))
        if ref.oid != ref.commit:
            lines.append(b"^%b\n" % ref.commit.hex().encode())
    return b"".join(lines)


def decode_refs(data: bytes) -> list[Ref]:
    """Return the refs of a file that `encode_refs` made. ValueError."""
    if not data.startswith(_HEAD):
        raise ValueError("not the refs of a cached repository")
    refs: list[Ref] = []
    for line in data[len(_HEAD) :].split(b"\n")[:-1]:
        if line.startswith(b"^"):
            last = refs.pop()
            refs.append(Ref(last.name, last.oid, bytes.fromhex(line[1:].decode())))
        else:
            oid = bytes.fromhex(line[:40].decode())
            refs.append(Ref(line[41:].decode(), oid, oid))
    return refs

# SPDX-License-Identifier: Apache-2.0
"""Packs and indexes that are written here, against those of git."""

import random
from pathlib import Path

import pytest

from hubkeep.git.errors import ObjectMissing
from hubkeep.git.fetch.packs import _OFFSET, PackWriter, _write_index
from hubkeep.git.fetch.refs import decode_refs, encode_refs
from hubkeep.git.objects import Kind, deflate, object_id
from hubkeep.git.types import Ref
from tests.git.native import git, lines


def test_git_makes_the_same_index(tmp_path: Path) -> None:
    choose = random.Random(3)
    contents = [
        choose.randbytes(choose.choice([0, 1, 15, 16, 2047, 2048, 70_000])) for _ in range(300)
    ]
    unique = {object_id(Kind.BLOB, content): content for content in contents}
    with PackWriter(tmp_path, len(unique)) as writer:
        for oid, content in unique.items():
            writer.add(oid, Kind.BLOB, len(content), deflate(content))
        pack = writer.finish()
    git("index-pack", "--strict", "-o", "theirs.idx", pack.name, cwd=tmp_path)
    assert (tmp_path / "theirs.idx").read_bytes() == pack.with_suffix(".idx").read_bytes()
    assert pack.read_bytes()[-20:].hex() in pack.name


def test_offsets_beyond_two_gigabytes_are_found(tmp_path: Path) -> None:
    choose = random.Random(4)
    where = {choose.randbytes(20): choose.choice([12, 2**31 - 1, 2**31, 2**33]) for _ in range(50)}
    records = sorted(oid + _OFFSET.pack(7, at) for oid, at in where.items())
    _write_index(tmp_path / "far.idx", records, b"c" * 20)
    told = [
        line.split() for line in lines(git("show-index", stdin=(tmp_path / "far.idx").read_bytes()))
    ]
    assert {bytes.fromhex(oid): int(at) for at, oid, _ in told} == where
    assert {crc for *_, crc in told} == {"(00000007)"}


def test_a_pack_with_fewer_objects_than_were_to_come_is_not_kept(tmp_path: Path) -> None:
    with PackWriter(tmp_path, 2) as writer:
        writer.add(object_id(Kind.BLOB, b"a"), Kind.BLOB, 1, deflate(b"a"))
        with pytest.raises(ObjectMissing):
            writer.finish()
    assert list(tmp_path.iterdir()) == []


def test_refs_are_read_as_they_were_written() -> None:
    a, b = b"a" * 20, b"b" * 20
    refs = [Ref("refs/tags/x", a, b), Ref("refs/heads/\u2028", b, b), Ref("refs/heads/a", a, a)]
    assert sorted(map(repr, decode_refs(encode_refs(refs)))) == sorted(map(repr, refs))
    assert encode_refs(refs[::-1]) == encode_refs(refs)
    with pytest.raises(ValueError, match="not the refs"):
        decode_refs(b"")

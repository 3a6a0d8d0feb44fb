# SPDX-License-Identifier: Apache-2.0
"""Which store a setting names."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hubkeep.blobs import S3Credentials, open_store
from hubkeep.blobs.local import LocalStore
from hubkeep.blobs.memory import MemoryStore
from tests.blobs.bodies import body, python

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
async def test_a_folder(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "some where" / "blobs"
    store = open_store(form.format(folder))
    assert isinstance(store, LocalStore)
    await store.put("a", body(b"x"), size=1, sha256=None)
    assert store.local_path("a") == folder / "blobs" / "a"
    await store.close()


async def test_a_folder_named_with_escapes(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/a%20b")
    assert store.local_path("k") == tmp_path / "a b" / "blobs" / "k"
    await store.close()


async def test_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("data")
    assert store.local_path("k") == tmp_path / "data" / "blobs" / "k"
    await store.close()


def test_memory() -> None:
    assert isinstance(open_store("memory:"), MemoryStore)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/path",
        "file://otherhost/path",
        "s3://",
        "s3://bucket?direct=maybe",
        "s3://bucket?acces_key=x",
        "s3://bucket?endpoint",
    ],
)
def test_what_it_does_not_understand(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        open_store(url, credentials=S3Credentials("a", "b"))


def test_s3_needs_credentials() -> None:
    with pytest.raises(ValueError, match="needs credentials"):
        open_store("s3://bucket")


def test_secrets_are_not_shown() -> None:
    assert "hidden" not in repr(S3Credentials("id", "hidden", "hidden too"))


def test_s3_libraries_are_not_loaded_for_a_folder(tmp_path: Path) -> None:
    script = (
        "import sys; from hubkeep.blobs import open_store; open_store(sys.argv[1]);"
        "print([name for name in ('boto3', 'botocore', 'obstore') if name in sys.modules])"
    )
    command, environment = python(script, tmp_path)
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert child.stdout == "[]\n"

# SPDX-License-Identifier: Apache-2.0
"""Archives of revisions, as browsers and curl ask for them."""

import io
import tarfile
import zipfile

import pytest

from tests.harness.hub import LiveHub
from tests.transfer.smart.native import Remote, make_client, make_remote


@pytest.fixture(scope="module")
def remote(live_hub: LiveHub, tmp_path_factory: pytest.TempPathFactory) -> Remote:
    remote = make_remote(live_hub, empty=True)
    git = make_client(live_hub, tmp_path_factory.mktemp("archive"), live_hub.token)
    copy = git.begin(remote)
    padding = b"$Format:" + b"%<(16000)%an" * 2000 + b"$"
    copy.commit(
        {
            ".gitattributes": b"huge.txt export-subst\ninternal export-ignore\n",
            "internal/notes.txt": b"notes\n",
            "huge.txt": padding,
            "deep/er.txt": b"deep\n",
            "ü.txt": b"umlaut\n",
        }
    )
    copy.run("tag", "v1.0")
    copy.run("branch", "feature/x.zip")
    copy.push("main", "feature/x.zip", "--tags")
    return remote


def names(remote: Remote, file: str) -> set[str]:
    """The files in an archive, by its address' last part."""
    content = remote.call("GET", f"{remote.web}/archive/{file}").raise_for_status().content
    if file.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name for name in archive.namelist() if not name.endswith("/")}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {member.name for member in archive.getmembers() if member.isfile()}


def inside(folder: str) -> set[str]:
    """What an archive of the repository holds."""
    files = (".gitattributes", "huge.txt", "deep/er.txt", "ü.txt")
    return {f"{folder}/{file}" for file in files}


@pytest.mark.parametrize("suffix", ["tar.gz", "tgz", "zip", "tar"])
def test_an_archive_has_the_files_in_a_folder_of_its_own(remote: Remote, suffix: str) -> None:
    name = remote.path.partition("/")[2]
    assert names(remote, f"main.{suffix}") == inside(f"{name}-main")


@pytest.mark.parametrize(
    ("written", "short"),
    [
        ("v1.0", "v1.0"),
        ("refs/tags/v1.0", "v1.0"),
        ("refs%2Fheads%2Fmain", "main"),
        ("feature/x.zip", "feature-x.zip"),
        ("refs/heads/feature%2Fx.zip", "feature-x.zip"),
        ("HEAD", "HEAD"),
    ],
)
def test_revisions_of_all_kinds_are_named(remote: Remote, written: str, short: str) -> None:
    name = remote.path.partition("/")[2]
    assert names(remote, f"{written}.tar.gz") == inside(f"{name}-{short}")


def test_a_commit_is_named_by_its_id(remote: Remote) -> None:
    name = remote.path.partition("/")[2]
    oid = remote.refs()["refs/heads/main"]
    assert names(remote, f"{oid}.tar") == inside(f"{name}-{oid}")


def test_what_would_be_computed_into_files_is_left_as_it_is(remote: Remote) -> None:
    content = remote.call("GET", f"{remote.web}/archive/main.tar").content
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        huge = next(member for member in archive if member.name.endswith("huge.txt"))
        assert huge.size == len(b"$Format:") + 2000 * len(b"%<(16000)%an") + 1


def test_the_headers_name_file_type_and_commit(remote: Remote) -> None:
    name = remote.path.partition("/")[2]
    oid = remote.refs()["refs/heads/main"]
    path = f"{remote.web}/archive/feature/x.zip.tar.gz"
    got = remote.call("GET", path)
    assert got.headers["content-type"] == "application/gzip"
    disposition = f"attachment; filename*=UTF-8''{name}-feature-x.zip.tar.gz"
    assert got.headers["content-disposition"] == disposition
    assert got.headers["x-repo-commit"] == oid
    told = remote.call("HEAD", path)
    assert (told.status_code, told.content) == (200, b"")
    for header in ("content-type", "content-disposition", "etag", "cache-control"):
        assert told.headers[header] == got.headers[header]


def test_an_archive_that_is_known_is_not_sent_again(remote: Remote) -> None:
    path = f"{remote.web}/archive/main.zip"
    etag = remote.call("HEAD", path).headers["etag"]
    known = {"If-None-Match": etag}
    assert remote.call("GET", path, headers=known).status_code == 304
    other = f"{remote.web}/archive/main.tar"
    assert remote.call("GET", other, headers=known).status_code == 200


@pytest.mark.parametrize("file", ["main.rar", "main", ".zip", "missing.zip", "main.zip/x"])
def test_what_is_not_there_is_404(remote: Remote, file: str) -> None:
    got = remote.call("GET", f"{remote.web}/archive/{file}")
    assert got.status_code == 404
    assert got.json()["error"]


def test_what_was_taken_back_is_not_archived(live_hub: LiveHub) -> None:
    remote = make_remote(live_hub)
    gone = remote.commit({"secret.txt": b"secret\n"}).json()["commitOid"]
    assert remote.call("GET", f"{remote.web}/archive/{gone}.zip").status_code == 200
    body = {"message": "once more"}
    remote.call("POST", f"{remote.api}/super-squash/main", json=body).raise_for_status()
    got = remote.call("GET", f"{remote.web}/archive/{gone}.zip")
    assert (got.status_code, got.headers["x-error-code"]) == (404, "RevisionNotFound")


def test_an_archive_of_a_private_repository_is_for_who_may_read_it(live_hub: LiveHub) -> None:
    remote = make_remote(live_hub, "datasets", private=True)
    path = f"{remote.web}/archive/main.zip"
    assert remote.call("GET", path).headers["cache-control"] == "private, no-cache"
    assert remote.call("GET", path, "").status_code == 401
    assert remote.call("GET", path, live_hub.tokens.bob).status_code == 404

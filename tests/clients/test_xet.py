# SPDX-License-Identifier: Apache-2.0
"""The stock client as it comes, with large files by Xet: up, down, shared, private, in parts."""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi, HfFileSystem
from huggingface_hub.errors import RepositoryNotFoundError

from tests.clients import stock
from tests.clients.stored import KiB, MiB, edited, stored, weights, xet_hash
from tests.harness.hub import LiveHub

pytestmark = stock

Fresh = Callable[[str], HfApi]


def read(api: HfApi, repo: str, path: str, tmp_path: Path) -> bytes:
    """Download into a cache that has nothing yet."""
    cache = tmp_path / f"cache-{os.urandom(4).hex()}"
    return Path(api.hf_hub_download(repo, path, cache_dir=cache)).read_bytes()


@pytest.fixture
def fresh(live_hub: LiveHub, client_home: Path, monkeypatch: pytest.MonkeyPatch) -> Fresh:
    """Make a client of another user, or of the same on another machine: it remembers nothing."""

    def make(token: str) -> HfApi:
        monkeypatch.setenv("HF_XET_CACHE", str(client_home / f"xet-{os.urandom(4).hex()}"))
        return HfApi(endpoint=live_hub.url, token=token)

    return make


@pytest.mark.parametrize("size", [0, 1, 64 * KiB, 5 * MiB], ids=["none", "1", "64KiB", "5MiB"])
def test_a_file_comes_back_as_it_went(
    api: HfApi, repo: str, live_hub: LiveHub, tmp_path: Path, size: int
) -> None:
    content = os.urandom(size)
    before = stored(live_hub)
    api.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=repo)
    assert (stored(live_hub) - before).xorbs == (1 if size else 0)
    assert bool(xet_hash(api, repo, "w.bin")) == bool(size)
    assert read(api, repo, "w.bin", tmp_path) == content
    live_hub.command("worker", "--once")  # the hub computes the sha256 itself
    assert bool(xet_hash(api, repo, "w.bin")) == bool(size)
    assert read(api, repo, "w.bin", tmp_path) == content
    [info] = api.get_paths_info(repo, ["w.bin"])
    assert info.size == size


def test_a_file_of_several_xorbs(api: HfApi, repo: str, live_hub: LiveHub, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    content = weights(30 * MiB) + os.urandom(MiB) * 2 + os.urandom(68 * MiB)
    path.write_bytes(content)
    before = stored(live_hub)
    api.upload_file(path_or_fileobj=path, path_in_repo="w.safetensors", repo_id=repo)
    sent = stored(live_hub) - before
    assert sent.xorbs >= 2
    assert sent.size < len(content) - 5 * MiB  # tensors are compressed, and repetition is not sent
    assert read(api, repo, "w.safetensors", tmp_path) == content


def test_a_folder_of_many_files(api: HfApi, repo: str, live_hub: LiveHub, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    files = {
        f"{number % 10}/{number:03}.bin": os.urandom(1 + number * 300) for number in range(200)
    }
    files |= {f"notes/{number}.txt": str(number).encode() for number in range(10)}
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    before = stored(live_hub)
    api.upload_folder(repo_id=repo, folder_path=folder)
    assert (stored(live_hub) - before).xorbs < 10  # many files share a xorb
    down = Path(api.snapshot_download(repo))
    assert {name: (down / name).read_bytes() for name in files} == files
    api.upload_folder(repo_id=repo, folder_path=folder)
    assert len(api.list_repo_files(repo)) == len(files) + 1


def test_of_an_edited_copy_the_edits_are_sent(
    api: HfApi, repo: str, live_hub: LiveHub, fresh: Fresh, tmp_path: Path
) -> None:
    # Clients ask about the first chunk, and one in a thousand: most files of this size have none.
    # This one has, 20 MiB from its start.
    content = Random(18).randbytes(40 * MiB)
    api.upload_file(path_or_fileobj=content, path_in_repo="a.bin", repo_id=repo)
    changed = edited(content, MiB, 12 * MiB, 20 * MiB)
    # From this machine, which remembers what it has sent, and from one that asks the hub.
    for number, client in enumerate((api, fresh(live_hub.token))):
        before = stored(live_hub)
        changed = edited(changed, 6 * MiB + number)
        client.upload_file(path_or_fileobj=changed, path_in_repo=f"{number}.bin", repo_id=repo)
        assert (stored(live_hub) - before).size < MiB
        assert read(api, repo, f"{number}.bin", tmp_path) == changed
    before = stored(live_hub)
    longer = os.urandom(MiB) + content
    other = fresh(live_hub.token)
    other.upload_file(path_or_fileobj=longer, path_in_repo="longer.bin", repo_id=repo)
    assert (stored(live_hub) - before).size < 30 * MiB
    assert read(api, repo, "longer.bin", tmp_path) == longer


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
@pytest.mark.parametrize("checked", [False, True], ids=["at-once", "checked"])
def test_one_file_of_two_users(
    api: HfApi,
    repo_id: str,
    live_hub: LiveHub,
    fresh: Fresh,
    tmp_path: Path,
    private: bool,
    checked: bool,
) -> None:
    content = os.urandom(3 * MiB)
    api.create_repo(repo_id, private=private)
    api.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=repo_id)
    if checked:
        live_hub.command("worker", "--once")
    bob = fresh(live_hub.tokens.bob)
    theirs = bob.create_repo(repo_id.replace("alice/", "bob/"), private=True).repo_id
    before = stored(live_hub)
    bob.upload_file(path_or_fileobj=content, path_in_repo="same.bin", repo_id=theirs)
    assert stored(live_hub) == before  # kept once, whether it had to be sent again or not
    live_hub.command("worker", "--once")
    assert read(bob, theirs, "same.bin", tmp_path) == content
    api.delete_repo(repo_id)
    live_hub.command("worker", "--once")
    assert read(bob, theirs, "same.bin", tmp_path) == content
    assert xet_hash(bob, theirs, "same.bin")


def test_what_is_private_cannot_be_had_by_its_hash(
    api: HfApi, repo_id: str, live_hub: LiveHub, fresh: Fresh
) -> None:
    api.create_repo(repo_id, private=True)
    api.upload_file(path_or_fileobj=os.urandom(MiB), path_in_repo="w.bin", repo_id=repo_id)
    secret = xet_hash(api, repo_id, "w.bin")
    bob = fresh(live_hub.tokens.bob)
    with pytest.raises(RepositoryNotFoundError):
        bob.hf_hub_download(repo_id, "w.bin")
    theirs = bob.create_repo(repo_id.replace("alice/", "bob/")).repo_id
    with httpx.Client(trust_env=False) as http:
        headers = {"Authorization": f"Bearer {live_hub.tokens.bob}"}

        def token(repo: str) -> httpx.Response:
            url = f"{live_hub.url}/api/models/{repo}/xet-read-token/main"
            return http.get(url, headers=headers)

        assert token(repo_id).status_code == 404
        got = token(theirs).json()
        for version in ("v1", "v2"):
            url = f"{got['casUrl']}/{version}/reconstructions/{secret}"
            answer = http.get(url, headers={"Authorization": f"Bearer {got['accessToken']}"})
            assert answer.status_code == 404


def test_the_file_system_reads_parts(api: HfApi, repo: str, live_hub: LiveHub) -> None:
    content = weights(4 * MiB)
    api.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=repo)
    fs = HfFileSystem(endpoint=live_hub.url, token=live_hub.token, skip_instance_cache=True)
    with fs.open(f"{repo}/w.bin", "rb", block_size=100_000) as file:
        for at in (0, 1, 65_535, 65_536, 3_999_999, len(content) - 10):
            file.seek(at)
            assert file.read(70_000) == content[at : at + 70_000]
    assert (
        fs.cat_file(f"{repo}/w.bin", start=1_000_000, end=1_000_010) == content[10**6 : 10**6 + 10]
    )


def test_a_duplicate_and_a_moved_repository_keep_their_chunks(
    api: HfApi, repo: str, live_hub: LiveHub, tmp_path: Path
) -> None:
    content = os.urandom(MiB)
    api.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=repo)
    before = stored(live_hub)
    copy = api.duplicate_repo(repo, f"{repo}-copy").repo_id
    api.move_repo(repo, f"{repo}-moved")
    assert stored(live_hub) == before
    for name in (copy, f"{repo}-moved"):
        assert xet_hash(api, name, "w.bin")
        assert read(api, name, "w.bin", tmp_path) == content


def test_what_was_deleted_can_be_sent_again_by_who_remembers_it(
    api: HfApi, repo: str, live_hub: LiveHub, tmp_path: Path
) -> None:
    content = os.urandom(2 * MiB)
    api.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=repo)
    api.delete_repo(repo)
    live_hub.command("worker", "--once")
    before = stored(live_hub)
    api.create_repo(repo)
    api.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=repo)
    assert stored(live_hub) == before  # the client has sent nothing
    assert read(api, repo, "w.bin", tmp_path) == content


def test_who_remembers_what_it_may_not_have_any_more_is_told_to_forget(
    api: HfApi, repo: str, live_hub: LiveHub, fresh: Fresh, tmp_path: Path
) -> None:
    content = os.urandom(2 * MiB)
    api.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=repo)
    bob = fresh(live_hub.tokens.bob)
    theirs = bob.create_repo(repo.replace("alice/", "bob/")).repo_id
    bob.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=theirs)
    bob.delete_repo(theirs)
    api.update_repo_settings(repo, private=True)
    bob.create_repo(theirs)
    with pytest.raises(RuntimeError, match="remove the folder 'xet'"):
        bob.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=theirs)
    forgetful = fresh(live_hub.tokens.bob)
    forgetful.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=theirs)
    assert read(forgetful, theirs, "w.bin", tmp_path) == content

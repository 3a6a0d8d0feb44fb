# SPDX-License-Identifier: Apache-2.0
"""What every supported client must be able to do; run by an old client's own interpreter.

It speaks only what `huggingface_hub` 0.24 and all later ones have.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import huggingface_hub
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
)
from huggingface_hub.utils import EntryNotFoundError, RepositoryNotFoundError

WEIGHTS = os.urandom(2_000_000)


def main(repo: str, by_xet: bool) -> None:
    """Make, fill, list, read, move and delete the repository `repo`."""
    api = HfApi()
    assert api.whoami()["name"] == "alice"
    url = api.create_repo(repo, private=True)
    assert url.repo_id == repo
    assert api.create_repo(repo, private=True, exist_ok=True).repo_id == repo
    api.create_commit(
        repo,
        [CommitOperationAdd("config.json", b"{}"), CommitOperationAdd("gone.txt", b"gone")],
        commit_message="small files",
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "model.safetensors").write_bytes(WEIGHTS)
        (Path(folder) / "dir").mkdir()
        (Path(folder) / "dir" / "notes.txt").write_text("notes")
        api.upload_folder(repo_id=repo, folder_path=folder, commit_message="a folder")
    sent = get_hf_file_metadata(hf_hub_url(repo, "model.safetensors"))
    # 0.24 does not know what that is.
    assert bool(getattr(sent, "xet_file_data", None)) == by_xet
    api.create_commit(repo, [CommitOperationDelete("gone.txt")], commit_message="delete")
    api.create_branch(repo, branch="dev")
    api.create_tag(repo, tag="v1")
    read_back(api, repo)
    moved = f"{repo}-moved"
    api.move_repo(from_id=repo, to_id=moved)
    read_back(api, moved)
    read_back(api, repo)  # by its old name
    api.delete_repo(moved)
    expect(RepositoryNotFoundError, api.model_info, moved)


def read_back(api: HfApi, repo: str) -> None:
    """Look at everything that `main` has put there, from an empty cache."""
    files = {".gitattributes", "config.json", "model.safetensors", "dir/notes.txt"}
    info = api.model_info(repo, files_metadata=True)
    assert {each.rfilename for each in info.siblings} == files
    assert set(api.list_repo_files(repo)) == files
    assert {each.name for each in api.list_repo_refs(repo).branches} == {"main", "dev"}
    assert api.list_repo_commits(repo)[0].title == "delete"
    assert info.id in {each.id for each in api.list_models(author="alice")}
    with tempfile.TemporaryDirectory() as cache:
        weights = hf_hub_download(repo, "model.safetensors", cache_dir=cache)
        assert Path(weights).read_bytes() == WEIGHTS
        folder = Path(api.snapshot_download(repo, revision="v1", cache_dir=cache))
        assert (folder / "dir" / "notes.txt").read_text() == "notes"
        expect(EntryNotFoundError, hf_hub_download, repo, "no.txt", cache_dir=cache)
    expect(RepositoryNotFoundError, api.model_info, f"{repo}-other")


def read_chunked(repo: str, sha256: str) -> None:
    """Read what another client has sent by Xet."""
    with tempfile.TemporaryDirectory() as cache:
        path = hf_hub_download(repo, "w.safetensors", cache_dir=cache)
        assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == sha256


def expect(error: type[Exception], call, *arguments, **named) -> None:
    """Call, and be content with this error alone."""
    try:
        call(*arguments, **named)
    except error:
        return
    raise AssertionError(f"{call.__name__} did not raise {error.__name__}")


if __name__ == "__main__":
    version, way, repo, chunked, sha256 = sys.argv[1:]
    assert huggingface_hub.__version__.startswith(version)
    main(repo, way == "xet")
    read_chunked(chunked, sha256)

# SPDX-License-Identifier: Apache-2.0
"""The stock client and its command against a live hub: accounts and the life of repositories."""

import json
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.harness.hub import LiveHub

HF = Path(sys.executable).with_name("hf")


@pytest.fixture
def api(live_hub: LiveHub) -> HfApi:
    return HfApi(live_hub.url, token=live_hub.token)


@pytest.fixture
def bob(live_hub: LiveHub) -> HfApi:
    return HfApi(live_hub.url, token=live_hub.tokens.bob)


@pytest.fixture
def path() -> str:
    """A name that no other test uses."""
    return f"alice/repo-{uuid4().hex[:12]}"


def test_whoami_and_overviews(api: HfApi):
    me = api.whoami()
    assert (me["name"], me["fullname"]) == ("alice", "Alice")
    assert [org["name"] for org in me["orgs"]] == ["acme"]
    assert me["auth"]["accessToken"]["role"] == "write"
    user = api.get_user_overview("alice")
    assert (user.username, user.user_type, user.is_pro) == ("alice", "user", False)
    assert api.get_organization_overview("acme").num_users >= 1  # other tests add some
    members = [member.username for member in api.list_organization_members("acme")]
    assert "alice" in members  # other tests add some
    assert list(api.list_user_followers("alice")) == []
    with pytest.raises(HfHubHTTPError):
        HfApi(api.endpoint, token="hf_wrong_wrong_wrong_wrong").whoami()


@pytest.mark.parametrize("kind", ["model", "dataset", "space", "kernel"])
def test_creating_finding_and_deleting(api: HfApi, path: str, kind: str):
    sdk = "static" if kind == "space" else None
    url = api.create_repo(path, repo_type=kind, space_sdk=sdk)
    assert (url.repo_id, url.repo_type, url.endpoint) == (path, kind, api.endpoint)
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo(path, repo_type=kind, space_sdk=sdk)
    again = api.create_repo(path, repo_type=kind, space_sdk=sdk, exist_ok=True)
    assert again.repo_id == path
    assert api.repo_exists(path, repo_type=kind)
    assert api.repo_info(path, repo_type=kind).sha
    api.delete_repo(path, repo_type=kind)
    assert not api.repo_exists(path, repo_type=kind)
    with pytest.raises(RepositoryNotFoundError):
        api.delete_repo(path, repo_type=kind)
    api.delete_repo(path, repo_type=kind, missing_ok=True)


def test_a_name_without_namespace_is_the_callers(api: HfApi, path: str):
    name = path.partition("/")[2]
    assert api.create_repo(name).repo_id == path
    api.delete_repo(name)


def test_what_is_private_is_missing_to_others(api: HfApi, bob: HfApi, path: str):
    api.create_repo(path, visibility="private")
    assert api.model_info(path, expand=["private"]).private is True
    for stranger in (bob, HfApi(api.endpoint, token=False)):
        assert not stranger.repo_exists(path)
        with pytest.raises(RepositoryNotFoundError):
            stranger.auth_check(path)
    api.update_repo_settings(path, visibility="public")
    bob.auth_check(path)
    with pytest.raises(HfHubHTTPError, match="403"):
        bob.update_repo_settings(path, private=True)
    api.delete_repo(path)


def test_exist_ok_without_the_right_to_create(live_hub: LiveHub, api: HfApi, path: str):
    """By the command: here the client looks at HF_ENDPOINT alone, whatever HfApi was told."""
    api.create_repo(path, repo_type="dataset")
    create = ("repos", "create", path, "--type", "dataset", "--token", live_hub.tokens.bob)
    assert hf(live_hub, *create, "--exist-ok").returncode == 0
    assert hf(live_hub, *create).returncode != 0
    api.delete_repo(path, repo_type="dataset")


def test_a_moved_repository_is_found_by_both_names(api: HfApi, path: str):
    api.create_repo(path)
    new = path.replace("alice/", "acme/")
    api.move_repo(path, new)
    assert api.model_info(path).id == api.model_info(new).id == new
    api.update_repo_settings(path, private=True)
    assert api.model_info(new).private is True
    api.create_repo(path)
    with pytest.raises(HfHubHTTPError, match=r"A model repository called .* already exists"):
        api.move_repo(new, path)
    for one in (path, new):
        api.delete_repo(one)


def test_infos(api: HfApi, path: str):
    api.create_repo(path)
    card = b"---\nlicense: mit\ntags: [x]\n---\n# Hello\n"
    first = api.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id=path)
    info = api.model_info(path, files_metadata=True, securityStatus=True)
    assert info.card_data is not None
    assert info.card_data.license == "mit"
    assert info.sha == first.oid
    readme = next(one for one in info.siblings or [] if one.rfilename == "README.md")
    assert readme.size == len(card)
    assert info.author == "alice"
    assert info.created_at is not None
    expanded = api.model_info(path, expand=["author", "downloadsAllTime"])
    assert (expanded.author, expanded.downloads_all_time) == ("alice", 0)
    assert (expanded.downloads, expanded.created_at) == (None, None)
    with pytest.raises(BadRequestError, match="must be one of"):
        api.model_info(path, expand=["nonsense"])
    with pytest.raises(RevisionNotFoundError):
        api.model_info(path, revision="nope")
    api.delete_repo(path)


def test_likes(api: HfApi, path: str):
    api.create_repo(path)
    from huggingface_hub.utils import get_session

    like = f"{api.endpoint}/api/models/{path}/like"
    assert get_session().post(like, headers=api._build_hf_headers()).status_code == 200
    assert api.model_info(path).likes == 1
    assert [user.username for user in api.list_repo_likers(path)] == ["alice"]
    assert path in api.list_liked_repos().models
    assert path in api.list_liked_repos("alice", token=False).models
    api.unlike(path)
    assert api.model_info(path).likes == 0
    assert path not in api.list_liked_repos().models
    with pytest.raises(RepositoryNotFoundError):
        api.unlike("alice/missing-one")
    api.delete_repo(path)


def test_duplicating(api: HfApi, path: str):
    api.create_repo(path, repo_type="dataset")
    api.upload_file(
        path_or_fileobj=b"a,b\n", path_in_repo="a.csv", repo_id=path, repo_type="dataset"
    )
    new = path.replace("alice/", "acme/")
    copy = api.duplicate_repo(path, new, repo_type="dataset")
    assert copy.repo_id == new
    assert copy.files_copy_pending is False
    assert api.duplicate_repo(path, new, repo_type="dataset", exist_ok=True).repo_id == new
    source = api.list_repo_commits(path, repo_type="dataset")
    assert [one.commit_id for one in api.list_repo_commits(new, repo_type="dataset")] == [
        one.commit_id for one in source
    ]
    api.delete_repo(path, repo_type="dataset")
    assert "a.csv" in api.list_repo_files(new, repo_type="dataset")
    stored = {one.id: one for one in api.list_user_repos("acme")}
    assert stored[new].type == "dataset"
    assert stored[new].storage > 0
    api.delete_repo(new, repo_type="dataset")


def hf(hub: LiveHub, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HF, *arguments],
        env=hub.client_env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command(live_hub: LiveHub, path: str):
    who = hf(live_hub, "auth", "whoami", "--format", "json")
    assert json.loads(who.stdout)["user"] == "alice", who.stderr
    new = f"{path}-moved"
    for arguments in (
        ("create", path),
        ("create", path, "--exist-ok"),
        ("settings", path, "--private"),
        ("move", path, new),
        ("duplicate", new, f"{new}-copy"),
        ("list",),
        ("delete", new, "--yes"),
        ("delete", f"{new}-copy", "--yes"),
    ):
        done = hf(live_hub, "repos", *arguments)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    assert hf(live_hub, "repos", "delete", new, "--yes").returncode != 0

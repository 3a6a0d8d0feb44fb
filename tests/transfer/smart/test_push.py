# SPDX-License-Identifier: Apache-2.0
"""What people push with the real git, and what they see in their terminal and on the hub."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfer.smart.native import GitClient, Remote, WorkCopy

CARD = b"---\nlicense: mit\npipeline_tag: text-generation\ntags:\n- pushed\n---\n# Hi\n"


@pytest.fixture
def copy(git: GitClient, remote: Remote) -> WorkCopy:
    """A work copy whose `main` grows out of what is on the hub, without having fetched it."""
    copy = git.begin(remote)
    copy.commit({".gitattributes": remote.read(".gitattributes")}, "begin")
    copy.push("--force", "main")
    return copy


def test_what_is_pushed_is_what_the_api_shows(copy: WorkCopy, remote: Remote):
    first = copy.commit({"README.md": CARD, "data/a.txt": b"1\n"}, "a card\n\nand data")
    second = copy.commit({"data/b.txt": b"22\n"}, "more data")
    copy.push("main")
    assert remote.refs() == {"refs/heads/main": second}
    info = remote.info()
    assert (info["sha"], info["pipeline_tag"]) == (second, "text-generation")
    assert {"pushed", "license:mit"} <= set(info["tags"])
    assert [s["rfilename"] for s in info["siblings"]] == [
        ".gitattributes",
        "README.md",
        "data/a.txt",
        "data/b.txt",
    ]
    assert info["usedStorage"] >= len(CARD) + 5
    listed = remote.call("GET", "/api/models?filter=pushed&limit=1000").json()
    assert remote.path in [each["id"] for each in listed]
    assert remote.read("data/b.txt") == b"22\n"
    log = remote.call("GET", f"{remote.api}/commits/main").json()
    assert [each["title"] for each in log] == ["more data", "a card", "begin"]
    assert log[1]["message"] == "and data"
    assert [each["user"] for each in log[0]["authors"]] == ["Alice"]
    tree = remote.tree(expand="true")
    assert tree["data/a.txt"]["lastCommit"]["id"] == first
    assert tree["data"]["lastCommit"]["id"] == second
    assert remote.commit({"c.txt": b"3"}).status_code == 200
    assert remote.tree(expand="true")["data/b.txt"]["lastCommit"]["id"] == second


def test_branches_and_tags_of_all_kinds_in_one_push(copy: WorkCopy, remote: Remote):
    tip = copy.tip()
    copy.run("tag", "light")
    copy.run("tag", "-a", "annotated", "-m", "one")
    copy.run("tag", "-a", "of-a-tag", "-m", "two", "annotated")
    copy.run("branch", "feature/one")
    side = copy.commit({"a": b"1"})
    copy.push("HEAD:refs/heads/side", "feature/one", "--tags")
    assert remote.refs() == {
        "refs/heads/feature/one": tip,
        "refs/heads/main": tip,
        "refs/heads/side": side,
        "refs/tags/annotated": tip,
        "refs/tags/light": tip,
        "refs/tags/of-a-tag": tip,
    }
    assert remote.info("of-a-tag")["sha"] == tip
    copy.run("tag", "-f", "-a", "annotated", "-m", "moved")
    assert "already exists" in copy.refused("annotated").err
    copy.push("--force", "annotated")
    assert remote.refs()["refs/tags/annotated"] == side


def test_history_is_rewritten_only_by_force(copy: WorkCopy, remote: Remote):
    old = copy.commit({"a": b"1"})
    copy.push("main")
    copy.run("reset", "-q", "--hard", "HEAD^")
    new = copy.commit({"b": b"2"})
    assert "non-fast-forward" in copy.refused("main").err
    copy.push("--force", "main")
    assert remote.info()["sha"] == new
    assert set(remote.tree()) == {".gitattributes", "b"}
    assert remote.info(old)["sha"] == old


def test_others_come_first(copy: WorkCopy, remote: Remote):
    """What the client does not know it does not overwrite."""
    assert remote.commit({"theirs": b"1"}).status_code == 200
    copy.commit({"mine": b"2"})
    assert "fetch first" in copy.refused("main").err


def test_refs_are_deleted_but_not_the_default_branch(copy: WorkCopy, remote: Remote):
    copy.run("tag", "-a", "v1", "-m", "one")
    copy.push("main:side", "v1")
    copy.push("--delete", "side", "v1")
    refused = copy.refused("--delete", "main")
    assert "[remote rejected] main (deletion of the current branch prohibited)" in refused.err
    assert remote.refs() == {"refs/heads/main": copy.tip()}


def test_all_or_nothing_where_that_is_asked(copy: WorkCopy, remote: Remote):
    tip = copy.tip()
    new = copy.commit({"a": b"1"})
    refs = ["main", "HEAD:refs/heads/side", "HEAD:refs/notes/x"]
    refused = copy.refused("--atomic", *refs).err
    assert "refs/notes/x (only branches and tags are taken)" in refused
    assert refused.count("(atomic push failure)") == 2
    assert remote.refs() == {"refs/heads/main": tip}
    refused = copy.refused(*refs)
    assert "refs/notes/x: push to refs/heads/ and refs/tags/ alone" in refused.remote
    assert remote.refs() == {"refs/heads/main": new, "refs/heads/side": new}


def test_pull_requests_are_not_made_by_pushing(copy: WorkCopy, remote: Remote):
    refused = copy.refused("main:refs/pr/1")
    assert "pull requests are not made or deleted by pushing" in refused.err
    assert "refs/pr/ belongs to pull requests" in refused.remote


def test_a_branch_cannot_stand_where_another_has_its_folder(copy: WorkCopy, remote: Remote):
    copy.push("main:refs/heads/a")
    refused = copy.refused("main:refs/heads/a/b", "main:refs/heads/c")
    assert "(failed to update ref)" in refused.err
    assert "refs/heads/a is in the way of refs/heads/a/b" in refused.remote
    assert set(remote.refs()) == {"refs/heads/a", "refs/heads/c", "refs/heads/main"}
    copy.push(":refs/heads/a", "main:refs/heads/a/b")


@pytest.mark.parametrize("plural", ["models", "datasets", "spaces"])
def test_the_first_push_to_an_empty_repository(
    git: GitClient, new_remote: Callable[..., Remote], plural: str
):
    fields = {"sdk": "static"} if plural == "spaces" else {}
    remote = new_remote(plural, empty=True, private=True, **fields)
    copy = git.begin(remote)
    tip = copy.commit({"README.md": CARD})
    pushed = copy.push("-u", "main")
    assert "new branch" in pushed.err
    info = remote.info()
    assert (info["sha"], info["cardData"]["license"]) == (tip, "mit")


def test_another_repository_is_mirrored(git: GitClient, new_remote: Callable[..., Remote]):
    remote = new_remote(empty=True)
    source = git.begin()
    for number in range(5):
        source.commit({f"file{number}": b"%d" % number})
        source.run("branch", f"branch{number}")
        source.run("tag", "-a", f"v{number}", "-m", "x")
    source.run("checkout", "-q", "--orphan", "pages")
    source.commit({"index.html": b"<p>"})
    mirror = git.home / "mirror.git"
    git.run("clone", "-q", "--mirror", str(source.folder), str(mirror))
    git.run("push", "--mirror", git.url(remote), cwd=mirror)
    listed = git.run("for-each-ref", "--format=%(refname) %(*objectname)%(objectname)", cwd=mirror)
    here = dict(each.split(" ") for each in listed.out.splitlines())
    assert {name: oid[:40] for name, oid in here.items()} == remote.refs()
    back = git.home / "back.git"
    git.run("clone", "-q", "--mirror", git.url(remote), str(back))
    git.run("fsck", "--full", "--strict", cwd=back)
    listing = ("for-each-ref", "--format=%(refname) %(objectname)")
    assert git.run(*listing, cwd=back).out == git.run(*listing, cwd=mirror).out
    git.run("branch", "-q", "-D", "branch0", cwd=mirror)
    git.run("push", "--mirror", git.url(remote), cwd=mirror)
    assert "refs/heads/branch0" not in remote.refs()


def test_a_push_from_a_clone_with_a_cut_history(git: GitClient, copy: WorkCopy, remote: Remote):
    for number in range(5):
        copy.commit({"a": b"%d" % number})
    copy.push("main")
    shallow = git.clone(remote, "--depth", "2")
    assert shallow.run("rev-list", "--count", "HEAD").out == "2\n"
    tip = shallow.commit({"b": b"2"})
    shallow.push("main")
    assert remote.info()["sha"] == tip
    assert len(remote.call("GET", f"{remote.api}/commits/main").json()) == 7


def test_what_is_not_offered_is_refused_clearly(copy: WorkCopy):
    copy.commit({"a": b"1"})
    assert "does not support --signed push" in copy.refused("--signed", "main").err
    options = copy.refused("--push-option=ci.skip", "main").err
    assert "does not support push options" in options


def test_a_large_push_comes_in_chunks(copy: WorkCopy, remote: Remote, git: GitClient):
    """git asks with an empty request whether it may, then sends chunks as it packs."""
    blobs = {f"f{number}": bytes([number]) * 40_000 + git.token.encode() for number in range(90)}
    random = Path("/dev/urandom").open("rb")  # noqa: SIM115
    with random:
        blobs |= {f"r{number}": random.read(100_000) for number in range(20)}
    tip = copy.commit(blobs)
    copy.run("-c", "http.postBuffer=65536", "push", "-q", "origin", "main")
    assert remote.info()["sha"] == tip
    assert remote.read("r7") == blobs["r7"]


def test_a_quiet_push_says_nothing(copy: WorkCopy):
    copy.commit({"a": b"1"})
    assert "Checking 3 objects" in copy.push("--progress", "main").remote
    copy.commit({"a": b"2"})
    quiet = copy.push("-q", "main")
    assert (quiet.out, quiet.err) == ("", "")


def _file(copy: WorkCopy, path: str, mode: str = "100644", content: bytes = b"x") -> None:
    """Commit one more file under a name that a work tree might not take."""
    oid = copy.run("hash-object", "-w", "--stdin", stdin=content).out.strip()
    copy.run("update-index", "--add", "--index-info", stdin=f"{mode} {oid}\t{path}\n".encode())
    copy.run("commit", "-q", "-m", "a file")


@pytest.mark.parametrize(
    ("path", "mode", "said"),
    [
        (".gitmodules", "100644", "declares submodules"),
        ("a/.GitModules ", "100644", "declares submodules"),
        ("a\x7fb", "100644", "control character"),
        ("back\\slash", "100644", "backslash"),
        (".GITATTRIBUTES", "100644", "are one file where case"),
        ("n" * 256, "100644", "more than 255 bytes"),
        ("/".join("d" * 70), "100644", "64 levels"),
    ],
)
def test_names_that_the_api_refuses_are_refused_with_the_reason(
    copy: WorkCopy, remote: Remote, path: str, mode: str, said: str
):
    tip = copy.tip()
    copy.run("config", "core.protectNTFS", "false")
    _file(copy, path, mode)
    refused = copy.refused("main")
    assert "[remote rejected] main -> main (pre-receive hook declined)" in refused.err
    assert said in refused.remote
    assert remote.refs() == {"refs/heads/main": tip}


def test_what_git_forbids_is_refused_with_its_words(copy: WorkCopy, remote: Remote):
    tree = copy.run("mktree", "--missing", stdin=b"").out.strip()
    evil = f"40000 tree {tree}\t..\n".encode()
    bad = copy.run("mktree", "--missing", stdin=evil).out.strip()
    commit = copy.run("commit-tree", "-m", "x", bad).out.strip()
    refused = copy.refused(f"{commit}:refs/heads/bad")
    assert "unpacker error" in refused.err
    assert "hasDotdot" in refused.remote


def test_a_submodule_is_refused_and_said_how_to_mend(copy: WorkCopy):
    copy.run("update-index", "--add", "--cacheinfo", f"160000,{copy.tip()},sub")
    copy.run("commit", "-q", "-m", "sub")
    refused = copy.refused("main")
    assert "'sub' is a submodule" in refused.remote
    assert 'git rm --cached "sub"' in refused.remote


def test_a_push_against_a_commit_of_the_api(copy: WorkCopy, remote: Remote):
    """The commit lands between what the client was told and what it sends."""
    before = copy.tip()
    lines = (
        {"key": "header", "value": {"summary": "quicker"}},
        {"key": "file", "value": {"path": "theirs", "content": "eA=="}},
    )
    body = "\n".join(map(json.dumps, lines)).encode()
    script = (
        "import urllib.request as u; u.urlopen(u.Request("
        f"{remote.hub.url + remote.api + '/commit/main'!r}, data={body!r}, headers={{"
        f"'Authorization': 'Bearer {remote.hub.token}'"
        "}))"
    )
    hook = copy.folder / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    (hook.parent / "race.py").write_text(script)
    hook.write_text(f'#!/bin/sh\nexec {sys.executable} "$(dirname "$0")/race.py"\n')
    hook.chmod(0o755)
    copy.commit({"mine": b"1"})
    refused = copy.refused("main")
    assert "[remote rejected] main -> main (failed to update ref)" in refused.err
    assert "somebody else has pushed. Fetch first, then push again" in refused.remote
    assert set(remote.tree()) == {".gitattributes", "theirs"}
    hook.unlink()
    copy.push("--force", "main")
    late = remote.commit({"late": b"1"}, parentCommit=before)
    assert late.status_code == 412


def test_a_repository_is_pushed_to_by_its_old_name(copy: WorkCopy, remote: Remote):
    renamed = f"{remote.path}-renamed"
    body = {"fromRepo": remote.path, "toRepo": renamed, "type": "model"}
    assert remote.call("POST", "/api/repos/move", json=body).status_code == 200
    tip = copy.commit({"a": b"1"})
    copy.push("main")
    assert Remote(remote.hub, renamed).info()["sha"] == tip

# SPDX-License-Identifier: Apache-2.0
"""The real git against a live hub, as somebody who has nothing else configured uses it."""

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote
from uuid import uuid4

import httpx2 as httpx
from sqlalchemy import Connection, delete, select, update

from hubkeep.db import Database
from hubkeep.db.tables import git_refs, repos
from tests.harness.hub import LiveHub

SignIn = Literal["header", "url", "helper"]

CONFIG = """
[user]
	name = Alice
	email = alice@example.org
[init]
	defaultBranch = main
[advice]
	detachedHead = false
[gc]
	auto = 0
[maintenance]
	auto = false
"""
_HELPER = '!f() { test "$1" = get && echo username=anyone && echo password="$HUB_TOKEN"; }; f'


@dataclass(frozen=True)
class Ran:
    """What became of a command."""

    code: int
    out: str
    err: str

    @property
    def remote(self) -> str:
        """What the server said to the user, without git's `remote: `."""
        lines = [line for line in self.err.replace("\r", "\n").split("\n") if line]
        return "\n".join(
            line.removeprefix("remote: ").rstrip() for line in lines if line.startswith("remote: ")
        )


@dataclass(frozen=True)
class Remote:
    """A repository of a live hub, over git and over the API."""

    hub: LiveHub
    path: str
    plural: str = "models"

    @property
    def web(self) -> str:
        """Its path on the hub: `/datasets/alice/x`."""
        prefix = "" if self.plural == "models" else f"/{self.plural}"
        return f"{prefix}/{self.path}"

    @property
    def url(self) -> str:
        """What git is given."""
        return f"{self.hub.url}{self.web}"

    @property
    def api(self) -> str:
        """Its path in the API."""
        return f"/api/{self.plural}/{self.path}"

    def call(self, method: str, path: str, token: str | None = None, **how: Any) -> httpx.Response:
        """Send a request, as alice unless another token is given ("" for nobody's)."""
        token = self.hub.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= how.pop("headers", {})
        url = self.hub.url + path
        return httpx.request(method, url, headers=headers, timeout=120, trust_env=False, **how)

    def commit(
        self,
        files: Mapping[str, bytes],
        *,
        rev: str = "main",
        delete: tuple[str, ...] = (),
        **header: Any,
    ) -> httpx.Response:
        """Commit small files through the API."""
        lines: list[dict[str, Any]] = [
            {"key": "header", "value": {"summary": "by the API", "description": "", **header}}
        ]
        for path, content in files.items():
            encoded = base64.b64encode(content).decode()
            value = {"path": path, "content": encoded, "encoding": "base64"}
            lines.append({"key": "file", "value": value})
        lines += [{"key": "deletedFile", "value": {"path": path}} for path in delete]
        body = "\n".join(json.dumps(line) for line in lines)
        where = f"{self.api}/commit/{quote(rev, safe='')}"
        return self.call(
            "POST", where, content=body, headers={"Content-Type": "application/x-ndjson"}
        )

    def info(self, rev: str | None = None, **params: Any) -> dict[str, Any]:
        """What the API says of the repository."""
        path = self.api if rev is None else f"{self.api}/revision/{quote(rev, safe='')}"
        return self.call("GET", path, params=params).raise_for_status().json()

    def tree(self, rev: str = "main", **params: Any) -> dict[str, dict[str, Any]]:
        """The entries of all its folders at a revision, by path."""
        path = f"{self.api}/tree/{quote(rev, safe='')}"
        params = {"recursive": "true", **params}
        listed = self.call("GET", path, params=params).raise_for_status().json()
        return {entry["path"]: entry for entry in listed}

    def read(self, path: str, rev: str = "main") -> bytes:
        """The content of a file."""
        where = f"{self.web}/resolve/{quote(rev, safe='')}/{quote(path)}"
        return self.call("GET", where).raise_for_status().content

    def refs(self) -> dict[str, str]:
        """The commits of its branches, tags and pull requests by the refs' full names."""
        found = self.call("GET", f"{self.api}/refs", params={"include_prs": "true"})
        lists = found.raise_for_status().json()
        return {
            ref["ref"]: ref["targetCommit"]
            for refs in lists.values()
            if isinstance(refs, list)
            for ref in refs
        }


@dataclass(frozen=True)
class GitClient:
    """One person's git: a home of its own, nothing of this machine's configuration."""

    hub: LiveHub
    home: Path
    token: str = ""
    sign_in: SignIn = "header"
    more: Mapping[str, str] = field(default_factory=dict)
    """What else is in its environment."""

    def signed_in(self, token: str, by: SignIn = "header") -> "GitClient":
        """The same client with another token; "" for a stranger's."""
        return replace(self, token=token, sign_in=by)

    def with_env(self, **more: str) -> "GitClient":
        """The same client with more in its environment."""
        return replace(self, more={**self.more, **more})

    @property
    def env(self) -> dict[str, str]:
        """All that it has in its environment."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LFS_FORCE_PROGRESS": "0",
            "HUB_TOKEN": self.token,
            **self.more,
        }

    def command(self, *arguments: str) -> list[str]:
        """The words that run git so that it signs in."""
        options: list[str] = []
        if self.token and self.sign_in == "header":
            # For this hub alone: a token is not shown to others.
            options += [f"http.{self.hub.url}/.extraHeader=Authorization: Bearer {self.token}"]
        if self.token and self.sign_in == "helper":
            options += [f"credential.helper={_HELPER}"]
        return ["git", *(word for one in options for word in ("-c", one)), *arguments]

    def url(self, remote: Remote) -> str:
        """What this client gives git as the repository's address."""
        if self.token and self.sign_in == "url":
            return remote.url.replace("://", f"://anyone:{self.token}@", 1)
        return remote.url

    def run(
        self,
        *arguments: str,
        cwd: Path | None = None,
        stdin: bytes = b"",
        check: bool = True,
        timeout: float = 120,
    ) -> Ran:
        """Run git; where it fails the test does, unless told that it may."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=cwd or self.home,
            env=self.env,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        ran = Ran(
            done.returncode,
            done.stdout.decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"),
        )
        if check and ran.code:
            raise AssertionError(f"git {arguments} ended with {ran.code}:\n{ran.err}{ran.out}")
        return ran

    def start(self, *arguments: str, cwd: Path | None = None) -> "subprocess.Popen[bytes]":
        """Run git beside the test."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=cwd or self.home,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def clone(self, remote: Remote, *options: str, to: str | None = None) -> "WorkCopy":
        """Clone a repository into a folder of the home."""
        folder = self.home / (to or f"{remote.path.rpartition('/')[2]}-{uuid4().hex[:6]}")
        self.run("clone", "-q", *options, self.url(remote), str(folder))
        return WorkCopy(self, folder)

    def begin(self, remote: Remote | None = None, *options: str) -> "WorkCopy":
        """Make a repository without commits, whose `origin` is the remote."""
        folder = self.home / f"new-{uuid4().hex[:6]}"
        self.run("init", "-q", *options, str(folder))
        copy = WorkCopy(self, folder)
        if remote is not None:
            copy.run("remote", "add", "origin", self.url(remote))
        return copy

    def set_up_lfs(self) -> None:
        """Have git hand large files to git-lfs, as `git lfs install` does once for a person."""
        self.run("lfs", "install", "--skip-repo")


@dataclass(frozen=True)
class WorkCopy:
    """A folder that git knows."""

    git: GitClient
    folder: Path

    def run(self, *arguments: str, **how: Any) -> Ran:
        """Run git in it; see GitClient.run."""
        return self.git.run(*arguments, cwd=self.folder, **how)

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files."""
        for path, content in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def commit(self, files: Mapping[str, bytes], message: str = "a change") -> str:
        """Write files and commit all that is there; return the commit's id."""
        self.write(files)
        self.run("add", "-A")
        self.run("commit", "-q", "--allow-empty", "-m", message)
        return self.tip()

    def tip(self, rev: str = "HEAD") -> str:
        """The id of what a revision names."""
        return self.run("rev-parse", "--verify", rev).out.strip()

    def push(self, *arguments: str, **how: Any) -> Ran:
        """Push to `origin`, by default what is checked out."""
        return self.run("push", "origin", *(arguments or ("HEAD",)), **how)

    def refused(self, *arguments: str) -> Ran:
        """Push what must be refused, and return what the user saw."""
        ran = self.push(*arguments, check=False)
        assert ran.code != 0, f"the push went through:\n{ran.err}"
        return ran


def make_client(hub: LiveHub, home: Path, token: str = "") -> GitClient:
    """Make a home with the least that git wants to know of a person."""
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gitconfig").write_text(CONFIG)
    return GitClient(hub, home, token)


def make_remote(
    hub: LiveHub, plural: str = "models", *, empty: bool = False, **fields: Any
) -> Remote:
    """Make a repository of alice's through the API, by a name that no other has.

    Its first commit holds `.gitattributes`; with `empty` it has no commit at all.
    """
    remote = Remote(hub, f"alice/r{uuid4().hex[:12]}", plural)
    body = {"name": remote.path.partition("/")[2], "type": plural[:-1], **fields}
    made = remote.call("POST", "/api/repos/create", json=body)
    assert made.status_code == 200, made.text
    if empty:
        with closing(Database(hub.database_url)) as db:
            db.write_now(lambda conn: _without_refs(conn, remote))
    return remote


def _without_refs(conn: Connection, remote: Remote) -> None:
    mine = select(repos.c.id).where(repos.c.type == remote.plural[:-1], repos.c.path == remote.path)
    repo_id = conn.execute(mine).scalar_one()
    conn.execute(delete(git_refs).where(git_refs.c.repo_id == repo_id))
    conn.execute(update(repos).where(repos.c.id == repo_id).values(head=None, facts_id=None))

# SPDX-License-Identifier: Apache-2.0
"""Lines that bring files into a repository, and out of it, ready to be copied."""

import shlex
from collections.abc import Sequence

import msgspec

from hubkeep.repos.types import Repo, RepoType


class Way(msgspec.Struct, rename="camel"):
    """What it is done with, and the lines of a shell that do it."""

    name: str
    text: str


def ways_in(repo: Repo, base: str) -> Sequence[Way]:
    """Return how to put the first files into a repository without any."""
    branch = shlex.quote(repo.default_branch)
    address = f"{base}/{repo.web_path}"
    found = [
        Way(
            "Upload a folder with hf",
            f"export HF_ENDPOINT={base}\n"
            "hf auth login\n"
            f"hf upload {repo.path} ./folder{_option(repo)}",
        ),
        Way(
            "Commit files with git",
            f"git clone {address}\n"
            f"cd {shlex.quote(repo.path.rpartition('/')[2])}\n"
            "cp -r ../folder/. .\n"
            "git add .\n"
            'git commit -m "First files"\n'
            f"git push origin HEAD:{branch}",
        ),
    ]
    if repo.head is None:
        there = f"git remote add origin {address}\ngit push -u origin HEAD:{branch}"
        found.append(Way("Push a git repository that you have", there))
    return found


def ways_up(repo: Repo, branch: str, folder: str, base: str) -> Sequence[Way]:
    """Return how to put files into a folder of a branch."""
    is_default = branch == repo.default_branch
    at = "" if is_default else f" --revision {shlex.quote(branch)}"
    into = f" {shlex.quote(folder)}" if folder else ""
    clone = f"{base}/{repo.web_path}"
    if not is_default:
        clone = f"--branch {shlex.quote(branch)} {clone}"
    name, inside = repo.path.rpartition("/")[2], shlex.quote(folder or ".")
    return [
        Way(
            "Upload a folder with hf",
            f"export HF_ENDPOINT={base}\n"
            "hf auth login\n"
            f"hf upload {repo.path} ./folder{into}{_option(repo)}{at}",
        ),
        Way(
            "Commit files with git",
            f"git clone {clone}\n"
            f"cd {shlex.quote(name)}\n"
            + (f"mkdir -p {inside}\n" if folder else "")
            + f"cp -r ../folder/. {inside}\n"
            "git add .\n"
            'git commit -m "Add files"\n'
            "git push",
        ),
    ]


def ways_out(repo: Repo, rev: str, base: str) -> Sequence[Way]:
    """Return how to get all files of a revision."""
    is_default = rev in (repo.default_branch, "HEAD")
    at = "" if is_default else f" --revision {shlex.quote(rev)}"
    clone = f"git clone {base}/{repo.web_path}"
    if not is_default:
        folder = shlex.quote(repo.path.rpartition("/")[2])
        clone += f"\ngit -C {folder} checkout {shlex.quote(rev)}"
    return [
        Way(
            "hf",
            f"export HF_ENDPOINT={base}\nhf download {repo.path}{_option(repo)}{at}",
        ),
        Way("git", clone),
    ]


def _option(repo: Repo) -> str:
    return "" if repo.type is RepoType.MODEL else f" --repo-type {repo.type.value}"

# SPDX-License-Identifier: Apache-2.0
"""A revision's files as one archive.

It holds what git has: of a large file that is its pointer. What `.gitattributes` marks as
`export-ignore` is left out; `export-subst` has no effect.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.content.reading import revision_of
from hubkeep.git.ancestry import commits_beyond
from hubkeep.git.program import GitMissing, find_git
from hubkeep.git.store import BRANCHES, TAGS, Revision, refs
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit
from hubkeep.repos.types import Repo
from hubkeep.transfer.sending import is_unchanged
from hubkeep.transfer.smart.serving import Task, served

if TYPE_CHECKING:
    from hubkeep.app import App

_TYPES = {
    ".tar.gz": "application/gzip",
    ".tgz": "application/gzip",
    ".zip": "application/zip",
    ".tar": "application/x-tar",
}
_POLICY = "default-src 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class _Wanted:
    repo: Repo
    commit: str
    name: str
    """Of the folder that all is in, and of the file up to its suffix: `NAME-REVISION`."""


async def archive(app: "App", request: Request) -> Response:
    """Send the files of `/archive/REVISION.SUFFIX`; HEAD and a known ETag do not run git."""
    rev, suffix = _split(request.path_params["file"])
    try:
        find_git()
    except GitMissing as missing:
        raise errors.not_implemented("Archives (git is not installed here)") from missing
    wanted = await app.db.read(lambda conn: _find(conn, app, request, rev))
    headers = _headers(wanted, suffix)
    if is_unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        return Response(headers=headers)
    form = "tar.gz" if suffix == ".tgz" else suffix[1:]
    words = ("archive", f"--format={form}", f"--prefix={wanted.name}/", wanted.commit)
    return await served(app, request, wanted.repo, Task(words), headers)


def _split(file: str) -> tuple[str, str]:
    """Return revision and suffix; a revision may end in what looks like one (`v1.zip.tar`)."""
    for suffix in _TYPES:
        if file.endswith(suffix) and file != suffix:
            return file.removesuffix(suffix), suffix
    raise errors.not_found(f"An archive's name ends in one of {', '.join(_TYPES)}")


def _find(conn: Connection, app: "App", request: Request, rev: str) -> _Wanted:
    repo = visit(conn, request, Action.READ, app.clock()).repo
    revision = revision_of(conn, repo, rev)
    if not _is_led_to(conn, repo.id, revision):
        raise errors.revision_not_found(rev)
    name = repo.path.rpartition("/")[2]
    short = rev.removeprefix(BRANCHES).removeprefix(TAGS).replace("/", "-")
    return _Wanted(repo, revision.commit.hex(), f"{name}-{short}")


def _is_led_to(conn: Connection, repo_id: int, revision: Revision) -> bool:
    """Whether some ref leads to it: what was taken back is found by its id for a while."""
    if revision.ref is not None:
        return True
    tips = [ref.commit for ref in refs(conn, repo_id)]
    return not commits_beyond(conn, repo_id, [revision.commit], tips)


def _headers(wanted: _Wanted, suffix: str) -> MutableHeaders:
    name = quote(wanted.name + suffix, safe="")
    return MutableHeaders(
        {
            "X-Repo-Commit": wanted.commit,
            # Another git may write the same files in other bytes.
            "ETag": f'W/"{wanted.commit}{suffix}"',
            "Content-Type": _TYPES[suffix],
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "Content-Security-Policy": _POLICY,
            "Cache-Control": "private, no-cache" if wanted.repo.private else "no-cache",
        }
    )

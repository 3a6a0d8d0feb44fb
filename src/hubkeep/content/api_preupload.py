# SPDX-License-Identifier: Apache-2.0
"""Before a commit: how each file is to be uploaded, and whether the card is in order."""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hubkeep import errors
from hubkeep.cards.validate import validate_card
from hubkeep.content import attributes
from hubkeep.content.commits import branch_named
from hubkeep.content.patterns import IgnoreRules, TooMuchWork, check_work
from hubkeep.content.reading import rules_text
from hubkeep.content.upload_mode import upload_mode
from hubkeep.content.wire import (
    CardToValidate,
    CardVerdict,
    Message,
    PreuploadAnswer,
    PreuploadFile,
    PreuploadRequest,
    PreuploadVerdict,
    WriteQuery,
)
from hubkeep.git import store
from hubkeep.git.store import Entry
from hubkeep.http import json_answer, read_json, read_query
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit
from hubkeep.repos.types import Repo

if TYPE_CHECKING:
    from hubkeep.app import App

_BODY_LIMIT = 8 << 20


async def preupload(app: "App", request: Request) -> Response:
    """Say for each file: inside the commit or as LFS, ignored or not, and what is there already."""
    query = read_query(request, WriteQuery)
    if query.create_pr:
        raise errors.not_implemented("Opening a pull request")
    wanted = await read_json(request, PreuploadRequest, _BODY_LIMIT)

    def work(conn: Connection) -> PreuploadAnswer:
        repo = visit(conn, request, Action.WRITE, app.clock()).repo
        tree, commit = _place(conn, repo, request.path_params["rev"])
        paths = {file.path for file in wanted.files} | {attributes.FILE, ".gitignore"}
        there = {entry.path: entry for entry in store.entries(conn, repo.id, tree, sorted(paths))}
        rules, ignored = wanted.git_attributes, wanted.git_ignore
        if rules is None:
            rules = rules_text(conn, repo.id, there.get(attributes.FILE))
        if ignored is None:
            ignored = rules_text(conn, repo.id, there.get(".gitignore"))
        lfs = attributes.LfsRules(rules)
        ignore = IgnoreRules(ignored)
        _check_work(lfs.work + ignore.work, wanted.files)
        verdicts = [_verdict(file, there.get(file.path), lfs, ignore) for file in wanted.files]
        return PreuploadAnswer(verdicts, commit)

    return json_answer(await app.db.read(work))


def _place(conn: Connection, repo: Repo, name: str) -> tuple[bytes, str | None]:
    """Return the root folder and the commit of a revision: the empty one, and no commit, of the
    branch that a repository's first commit will make. revision_not_found.
    """
    found = store.resolve(conn, repo.id, name, default_branch=repo.default_branch)
    if found is not None:
        return found.tree, found.commit.hex()
    branch_named(conn, repo, name)
    return store.EMPTY_TREE, None


def _verdict(
    file: PreuploadFile, entry: Entry | None, lfs: attributes.LfsRules, ignore: IgnoreRules
) -> PreuploadVerdict:
    try:
        sample = base64.b64decode(file.sample, validate=True)
    except ValueError as bad:
        raise errors.bad_request(f"The sample of {file.path!r} is not base64") from bad
    return PreuploadVerdict(
        path=file.path,
        upload_mode=upload_mode(file.size, sample, lfs_by_attributes=lfs.is_lfs(file.path)),
        should_ignore=ignore.is_ignored(file.path),
        oid=_known_oid(entry),
    )


def _check_work(of_patterns: int, files: Sequence[PreuploadFile]) -> None:
    try:
        check_work(of_patterns, [file.path for file in files])
    except TooMuchWork as bad:
        raise errors.bad_request(str(bad)) from bad


def _known_oid(entry: Entry | None) -> str | None:
    """What clients compare with the local file: the sha256 of an LFS file, else the blob's sha1."""
    if entry is None or entry.kind != "file":
        return None
    return entry.lfs.sha256.hex() if entry.lfs else entry.oid.hex()


async def validate_yaml(_app: "App", request: Request) -> Response:
    """Check a card; JSON, since clients that upload parse the body before they see the status.

    400 where the card has errors, as on huggingface.co; to clients that accept text alone, as text
    (`RepoCard.validate` raises it as it is).
    """
    card = await read_json(request, CardToValidate)
    check = validate_card(card.content, card.repo_type)
    if request.headers.get("accept") == "text/plain":
        lines = [f"- Error: {text}" for text in check.errors]
        lines += [f"- Warning: {text}" for text in check.warnings]
        return PlainTextResponse("\n".join(lines), 400 if check.errors else 200)
    verdict = CardVerdict(
        [Message(text) for text in check.errors], [Message(text) for text in check.warnings]
    )
    return json_answer(verdict, 400 if check.errors else 200)

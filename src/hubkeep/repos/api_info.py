# SPDX-License-Identifier: Apache-2.0
"""Handlers that tell what a repository is: its info, at the head and at any revision."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.cards.facts import Facts
from hubkeep.content.describing import describe_tree
from hubkeep.content.queries import revision_facts
from hubkeep.content.reading import revision_of
from hubkeep.git import store
from hubkeep.git.objects import pointer_bytes
from hubkeep.git.store import Entry
from hubkeep.http import empty_answer, json_answer, read_query
from hubkeep.identity.rules import Action
from hubkeep.kit.cache import ByteCache
from hubkeep.repos.access import visit
from hubkeep.repos.info import at_revision, info_of, read_facts
from hubkeep.repos.info_fields import SHOWN, expanded_fields
from hubkeep.repos.queries_info import load_facts
from hubkeep.repos.types import InfoRow, Repo, RepoType
from hubkeep.repos.wire import InfoQuery, Sibling, SiblingLfs

if TYPE_CHECKING:
    from hubkeep.app import App

# Nothing is scanned yet, and nothing is said to be safe.
_NOT_SCANNED = {"scansDone": False, "filesWithIssues": []}


async def info(app: "App", request: Request) -> Response:
    """Describe a repository as its head is."""
    return await _answer(app, request, None)


async def info_at(app: "App", request: Request) -> Response:
    """Describe a repository as a revision is: its commit, files and card."""
    return await _answer(app, request, request.path_params["rev"])


async def check_read(app: "App", request: Request) -> Response:
    """200 for who may read the repository."""
    await app.db.read(lambda conn: visit(conn, request, Action.READ, app.clock()))
    return empty_answer()


async def check_write(app: "App", request: Request) -> Response:
    """200 for who may write to the repository."""
    await app.db.read(lambda conn: visit(conn, request, Action.WRITE, app.clock()))
    return empty_answer()


async def _answer(app: "App", request: Request, rev: str | None) -> Response:
    query = read_query(request, InfoQuery)
    if query.expand and (query.blobs or query.security_status):
        raise errors.bad_request('"expand" cannot be used with "blobs" or "securityStatus"')
    kind = RepoType(request.path_params["type"])
    fields = expanded_fields(kind, query.expand) if query.expand else SHOWN[kind]

    def work(conn: Connection) -> dict[str, object]:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        commit = repo.head if rev is None else revision_of(conn, repo, rev).commit
        facts = _facts(conn, app.cache, repo, commit)
        row: InfoRow = repo
        if commit is not None and commit != repo.head:
            row = at_revision(repo, commit, facts)
        siblings = None
        if commit is not None and "siblings" in fields:
            siblings = _siblings(conn, app.cache, repo, commit, query.blobs)
        return info_of(row, facts, fields=fields, siblings=siblings, expanded=bool(query.expand))

    answer = await app.db.read(work)
    if query.security_status:
        answer["securityRepoStatus"] = _NOT_SCANNED
    return json_answer(answer)


def _facts(conn: Connection, cache: ByteCache, repo: Repo, commit: bytes | None) -> Facts | None:
    """What a revision says of itself; None where there is none."""
    facts_id = repo.facts_id
    if commit is not None and commit != repo.head:
        facts_id, _ = revision_facts(conn, repo.id, commit)
    # The number alone may be given again once these facts are gone.
    cache_key = ("facts", repo.id, facts_id or 0, commit)
    encoded = cache.get(cache_key)
    if encoded is None:
        if facts_id is not None:
            encoded = load_facts(conn, facts_id)
        elif commit is not None:
            encoded = _described(conn, repo, commit)
        else:
            return None
        cache.put(cache_key, encoded)
    return read_facts(encoded)


def _described(conn: Connection, repo: Repo, commit: bytes) -> bytes:
    """Look at a commit that no branch was moved to, as those in the middle of a push."""
    tree = revision_of(conn, repo, commit.hex()).tree
    return msgspec.json.encode(describe_tree(conn, repo.id, repo.type, repo.path, tree))


def _siblings(
    conn: Connection, cache: ByteCache, repo: Repo, commit: bytes, blobs: bool
) -> msgspec.Raw:
    """The encoded list of a commit's files. It never changes, so it is encoded once."""
    cache_key = ("siblings", repo.id, commit, blobs)
    encoded = cache.get(cache_key)
    if encoded is None:
        files = store.all_files(conn, repo.id, revision_of(conn, repo, commit.hex()).tree)
        encoded = msgspec.json.encode(list(_shown(files, blobs)))
        cache.put(cache_key, encoded)
    return msgspec.Raw(encoded)


def _shown(files: Iterable[Entry], blobs: bool) -> Iterable[Sibling]:
    for file in files:
        if blobs:
            yield Sibling(file.path, file.shown_size, file.oid.hex(), _lfs(file))
        else:
            yield Sibling(file.path)


def _lfs(file: Entry) -> SiblingLfs | None:
    if file.lfs is None:
        return None
    pointer = pointer_bytes(file.lfs.sha256, file.lfs.size)
    return SiblingLfs(file.lfs.sha256.hex(), file.lfs.size, len(pointer))

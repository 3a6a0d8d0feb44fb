# SPDX-License-Identifier: Apache-2.0
"""SQL of uploads: those in parts that are under way, and whether a signed address still holds."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, bindparam, delete, select, update

from hubkeep import errors
from hubkeep.db.tables import accounts, repos, sessions, tokens, uploads
from hubkeep.db.upserts import insert_for
from hubkeep.errors import HubError
from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.passwords import fingerprint
from hubkeep.identity.queries import ACCOUNT_COLUMNS, account_of, role_in
from hubkeep.identity.rules import Action, RepoResource, can
from hubkeep.kit.batches import batches
from hubkeep.kit.ids import new_id
from hubkeep.kit.time import Millis
from hubkeep.repos.types import DELETED

_COLUMNS = (
    uploads.c.id,
    uploads.c.sha256,
    uploads.c.size,
    uploads.c.part_size,
    uploads.c.store_upload,
)
_BY_OIDS = select(*_COLUMNS).where(
    uploads.c.repo_id == bindparam("repo"),
    uploads.c.sha256.in_(bindparam("oids", expanding=True)),
)
_REPO = select(repos.c.owner_id, repos.c.creator_id, repos.c.private, repos.c.disabled).where(
    repos.c.id == bindparam("repo"), repos.c.type != DELETED
)
_ACCOUNT = select(*ACCOUNT_COLUMNS).where(
    accounts.c.id == bindparam("user"), accounts.c.disabled.is_(False)
)
_PASSWORD = select(accounts.c.password_hash).where(accounts.c.id == bindparam("user"))
_TOKEN = select(tokens.c.id).where(
    tokens.c.public_id == bindparam("public_id"), tokens.c.user_id == bindparam("user")
)
_SESSION = select(sessions.c.id).where(
    sessions.c.public_id == bindparam("public_id"), sessions.c.user_id == bindparam("user")
)


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """An upload in parts that is under way; `store_upload` is the blob store's name for it."""

    id: str
    sha256: bytes
    size: int
    part_size: int
    store_upload: str


@dataclass(frozen=True, slots=True)
class NewUpload:
    """An upload in parts that the blob store has just begun."""

    sha256: bytes
    size: int
    part_size: int
    store_upload: str


class Right(Protocol):
    """What a signed address or token was made for: a repository, and who asked, by which token,
    password or session of a browser; all but `user_id` are never given again.
    """

    @property
    def repo_id(self) -> int: ...
    @property
    def user_id(self) -> int | None: ...
    @property
    def user(self) -> str | None: ...
    @property
    def token(self) -> str | None: ...
    @property
    def password(self) -> str | None: ...
    @property
    def session(self) -> str | None: ...


def check_grant(conn: Connection, grant: Right, action: Action) -> Actor:
    """Check that who was given a signed address may still do what it is for; return who that is.

    The address outlives neither the account, nor the password, the browser's session or the token
    (one that was deleted; one that expired meanwhile still finishes what it began), nor the
    account's right to the repository. Raises forbidden, or repo_not_found where the repository is
    gone.
    """
    actor = check_right(conn, grant.repo_id, grant.user_id, action)
    if actor.user is not None:
        _check_sign_in(conn, grant, actor.user)
    return actor


def check_right(conn: Connection, repo_id: int, user_id: int | None, action: Action) -> Actor:
    """Check that an account, or nobody, may do something to a repository; return who that is.
    Nobody may do anything by an address to one that is disabled.

    Raises as `check_grant` does.
    """
    repo = conn.execute(_REPO, {"repo": repo_id}).first()
    if repo is None:
        raise errors.repo_not_found(anonymous=False)
    user = None
    if user_id is not None:
        row = conn.execute(_ACCOUNT, {"user": user_id}).first()
        user = account_of(row) if row else None
        if user is None:
            raise _account_gone()
    role = role_in(conn, repo.owner_id, user_id)
    resource = RepoResource(repo.owner_id, repo.creator_id, repo.private, repo.disabled, role)
    actor = Actor(user)
    if repo.disabled:
        raise errors.forbidden("Access to this resource is disabled.")  # in huggingface.co's words
    if not can(actor, action, resource):
        raise errors.forbidden("The right that this address was made for is gone")
    return actor


def _check_sign_in(conn: Connection, grant: Right, user: Account) -> None:
    if grant.user != user.public_id:
        raise _account_gone()
    if grant.password is not None:
        stored = conn.execute(_PASSWORD, {"user": user.id}).scalar()
        if grant.password != fingerprint(stored or ""):
            raise errors.forbidden("The password that this address was made for was changed")
    for what, query, public_id in (
        ("token that this address was made for was revoked", _TOKEN, grant.token),
        ("session that this address was made for was ended", _SESSION, grant.session),
    ):
        wanted = {"user": user.id, "public_id": public_id}
        if public_id is not None and conn.execute(query, wanted).first() is None:
            raise errors.forbidden(f"The {what}")


def _account_gone() -> HubError:
    return errors.forbidden("The account that this address was made for is gone")


def open_uploads(
    conn: Connection, repo_id: int, oids: Collection[bytes]
) -> dict[bytes, OpenUpload]:
    """Return the uploads in parts of these files to the repository, by sha256."""
    found: dict[bytes, OpenUpload] = {}
    for some in batches(oids):
        for row in conn.execute(_BY_OIDS, {"repo": repo_id, "oids": some}):
            found[row.sha256] = OpenUpload(*row)
    return found


def continue_uploads(
    conn: Connection, repo_id: int, oids: Collection[bytes], now: Millis
) -> dict[bytes, OpenUpload]:
    """Like `open_uploads`, and keep them from being swept: their clients are back."""
    found = open_uploads(conn, repo_id, oids)
    for some in batches([upload.id for upload in found.values()]):
        conn.execute(update(uploads).where(uploads.c.id.in_(some)).values(created_at=now))
    return found


def add_uploads(
    conn: Connection, repo_id: int, user_id: int, begun: Sequence[NewUpload], now: Millis
) -> dict[bytes, OpenUpload]:
    """Remember uploads and return those that hold now, by sha256.

    A file has one upload in a repository: where somebody was quicker, theirs is returned.
    """
    rows = [
        {
            "id": new_id(),
            "repo_id": repo_id,
            "user_id": user_id,
            "sha256": upload.sha256,
            "size": upload.size,
            "part_size": upload.part_size,
            "store_upload": upload.store_upload,
            "created_at": now,
        }
        for upload in begun
    ]
    conn.execute(
        insert_for(conn, uploads).on_conflict_do_nothing(index_elements=["repo_id", "sha256"]), rows
    )
    return open_uploads(conn, repo_id, [upload.sha256 for upload in begun])


def upload_by_id(conn: Connection, upload_id: str) -> OpenUpload | None:
    """Return an upload that is under way, None if it is over."""
    row = conn.execute(select(*_COLUMNS).where(uploads.c.id == upload_id)).first()
    return OpenUpload(*row) if row else None


def forget_uploads(conn: Connection, ids: Collection[str]) -> None:
    """Forget uploads that are over."""
    for some in batches(ids):
        conn.execute(delete(uploads).where(uploads.c.id.in_(some)))


def take_stale_uploads(conn: Connection, before: Millis, limit: int) -> list[str]:
    """Forget at most `limit` uploads last asked for before a time; give the store's names."""
    stale = conn.execute(
        select(uploads.c.id, uploads.c.store_upload)
        .where(uploads.c.created_at < before)
        .order_by(uploads.c.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    forget_uploads(conn, [row.id for row in stale])
    return [row.store_upload for row in stale]


def known_store_uploads(conn: Connection, names: Collection[str]) -> set[str]:
    """Return which of the store's uploads are under way here."""
    known: set[str] = set()
    for some in batches(names):
        query = select(uploads.c.store_upload).where(uploads.c.store_upload.in_(some))
        known.update(conn.execute(query).scalars())
    return known

# SPDX-License-Identifier: Apache-2.0
"""Fills the demonstration's gallery: people, organisations, and what they made in three months.

The stock client cannot work in the past, so this writes to the database by the functions that
requests end in.
"""

import hashlib
import math
import random
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hubkeep.blobs import whole_key
from hubkeep.cli.demo_files import card_of, files_of, text_named
from hubkeep.cli.demo_shelf import EXHIBITS, ORGANISATIONS, PEOPLE, Exhibit
from hubkeep.content.commits import signature_of, write_files
from hubkeep.git import store
from hubkeep.git.objects import pointer_bytes
from hubkeep.identity import commands
from hubkeep.identity.actor import Account, Actor, Role
from hubkeep.identity.queries import account
from hubkeep.identity.queries_admin import update_account
from hubkeep.kit.time import DAY, Millis, day_of
from hubkeep.repos.creating import NewRepo, create_repo
from hubkeep.repos.queries_counting import add_downloads
from hubkeep.repos.queries_likes import like
from hubkeep.repos.queries_scores import active_repos, score_repos
from hubkeep.repos.search_index import reindex
from hubkeep.repos.types import Repo, RepoType
from hubkeep.transfer.grants import grant_for
from hubkeep.transfer.headers import stored_header
from hubkeep.transfer.queries import add_file

if TYPE_CHECKING:
    from hubkeep.app import App

BASE = "harbourlight/kittiwake-9m"
_MORNING = 8 * 3_600_000
_LARGE = (".safetensors", ".gguf", ".parquet", ".pkl")


async def fill(app: "App", now: Millis) -> int:
    """Make everything, as of a time; return how many repositories. Nothing where it is there.

    The database has all of it or nothing.
    """
    if await app.db.read(lambda conn: account(conn, ORGANISATIONS[0].name)) is not None:
        return 0
    held = [
        {path: await _stored(app, path, content) for path, content in files_of(each).items()}
        for each in EXHIBITS
    ]

    def work(conn: Connection) -> int:
        people = _make_people(conn, now)
        for exhibit, files in zip(EXHIBITS, held, strict=True):
            repo = _make_repo(conn, exhibit, files, people[exhibit.by], now)
            _make_known(conn, exhibit, repo, people, now)
        today = day_of(now)
        score_repos(conn, active_repos(conn, today), today)
        return len(EXHIBITS)

    return await app.db.write(work)


@dataclass(frozen=True, slots=True)
class _Large:
    """A file in the blob store, with its header as JSON if it has one."""

    sha256: bytes
    size: int
    header: str | None


async def _stored(app: "App", path: str, content: bytes) -> bytes | _Large:
    """Put a large file where large files are; a small one is for the repository itself."""
    if not path.endswith(_LARGE):
        return content

    async def body() -> AsyncGenerator[bytes]:
        yield content

    digest = hashlib.sha256(content)
    key = whole_key(digest.hexdigest())
    await app.blobs.put(key, body(), size=len(content), sha256=digest.hexdigest())
    return _Large(digest.digest(), len(content), await stored_header(app, key, len(content)))


def _make_people(conn: Connection, now: Millis) -> dict[str, Account]:
    start = now - 90 * DAY
    people = {}
    for name, (fullname, details) in PEOPLE.items():
        made = commands.create_user(conn, name, start, fullname=fullname)
        update_account(conn, made.id, details=details)
        people[name] = made
    for each in ORGANISATIONS:
        made = commands.create_org(
            conn, each.name, start, fullname=each.fullname, org_type=each.kind
        )
        update_account(conn, made.id, details=each.details)
        for number, member in enumerate(each.members):
            role = Role.WRITE if number else Role.ADMIN
            commands.add_member(conn, each.name, member, role, start)
    return people


def _make_repo(
    conn: Connection,
    exhibit: Exhibit,
    files: Mapping[str, bytes | _Large],
    author: Account,
    now: Millis,
) -> Repo:
    """A repository with three commits: the files, the card, and the end of the card."""
    owner, _, name = exhibit.path.partition("/")
    actor = Actor(author)
    made_at = now - exhibit.days * DAY + _MORNING
    kind = RepoType(exhibit.kind)
    new = NewRepo(kind, owner, name, private=False, files={})
    repo = create_repo(conn, actor, author, new, "", made_at)
    small = {path: _linked(conn, repo, actor, each, made_at) for path, each in files.items()}
    card = card_of(exhibit)
    shorter = card.rpartition("\n## ")[0] or card.partition("\n\n")[0]

    def commit(part: float, title: str, files: Mapping[str, bytes]) -> Millis:
        at = made_at + round(part * (now - made_at - _MORNING))
        write_files(conn, repo, actor, title, files, at)
        return at

    commit(0.01, "Add the files", small)
    commit(0.3, "Say what it is", {"README.md": f"{shorter.rstrip()}\n".encode()})
    at = commit(0.8, "Say how it was made and where it fails", {"README.md": card.encode()})
    if exhibit.path == BASE:
        head = store.resolve(conn, repo.id, repo.default_branch)
        assert head is not None, "it was committed to just now"
        signature = signature_of(author)
        release = "First release"
        store.create_tag(
            conn, repo.id, "v1.0", head.commit, message=release, tagger=signature, at=at
        )
        store.create_branch(conn, repo.id, "longer-context", head.commit, at)
        commit(0.9, "Show how to train it further", {"train.py": _script("train")})
    reindex(conn, repo.id)
    return repo


def _linked(conn: Connection, repo: Repo, actor: Actor, file: bytes | _Large, at: Millis) -> bytes:
    """What a commit says of a file: its content, or for a large one the pointer to it."""
    if isinstance(file, bytes):
        return file
    add_file(conn, grant_for(actor, repo.id, file.sha256.hex(), file.size), file.header, at)
    return pointer_bytes(file.sha256, file.size)


def _script(name: str) -> bytes:
    return text_named(f"{name}.py.txt").encode()


def _make_known(
    conn: Connection, exhibit: Exhibit, repo: Repo, people: dict[str, Account], now: Millis
) -> None:
    """Downloads of 30 days, more of them on working days, and likes of the last weeks."""
    chance = random.Random(exhibit.path)
    days: Counter[tuple[int, int]] = Counter()
    for ago in range(min(exhibit.days, 30)):
        day = day_of(now) - ago
        is_weekend = (day + 4) % 7 in (0, 6)
        wave = 1 + 0.3 * math.sin(ago / 4) - 0.012 * ago
        some = exhibit.downloads * wave * chance.uniform(0.7, 1.3) * (0.45 if is_weekend else 1)
        if some >= 1:
            days[repo.id, day] = round(some)
    if days:
        add_downloads(conn, days)
    for number, name in enumerate(chance.sample(sorted(people), exhibit.likes)):
        ago = min(exhibit.days, number * 3 + chance.randrange(3))
        like(conn, repo.id, people[name].id, now - ago * DAY - number * 60_000)

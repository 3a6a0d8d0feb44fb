# SPDX-License-Identifier: Apache-2.0
"""Pictures for links to the hub, to accounts and to repositories, for who may see what they show.

A picture is drawn apart from the thread that serves requests, once for the same words, and asked
for again by its ETag.
"""

import hashlib
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.cards.facts import Facts
from hubkeep.identity.access import actor_of
from hubkeep.identity.queries import account
from hubkeep.identity.queries_overviews import count_repos
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit
from hubkeep.repos.info import read_facts
from hubkeep.repos.queries_info import load_facts
from hubkeep.repos.types import Repo, RepoType
from hubkeep.web import words
from hubkeep.web.kept import NotYet
from hubkeep.web.social_drawing import VERSION, Drawn, draw

if TYPE_CHECKING:
    from hubkeep.app import App

_WORDS = {"user": "User", "org": "Organisation", "hub": "Model hub"}


async def of_repo(app: "App", request: Request) -> Response:
    """Answer with the picture of a repository that the visitor may see."""

    def work(conn: Connection) -> tuple[Repo, Facts | None]:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        return repo, read_facts(load_facts(conn, repo.facts_id)) if repo.facts_id else None

    repo, facts = await app.db.read(work)
    return await _answer(app, request, _repo_drawn(repo, facts, _place(app, request)))


async def of_account(app: "App", request: Request) -> Response:
    """Answer with the picture of a user or an organisation; it counts what is public."""
    name = request.path_params["user"]

    def work(conn: Connection) -> Drawn:
        actor_of(conn, request, app.clock())
        owner = account(conn, name)
        if owner is None:
            raise errors.not_found(f"Nobody here is called {name[:100]}")
        counts = count_repos(conn, owner.id, with_private=False)
        facts = [_counted(counts[kind], kind.value) for kind in RepoType if counts.get(kind)]
        full = owner.fullname if owner.fullname != owner.name else ""
        about = owner.details or ""
        return Drawn(
            owner.kind,
            _WORDS[owner.kind],
            owner.name if full else "",
            full or owner.name,
            about,
            tuple(facts),
            _place(app, request),
        )

    return await _answer(app, request, await app.db.read(work))


async def of_hub(app: "App", request: Request) -> Response:
    """Answer with the picture of the hub."""
    about = "Models, datasets and Spaces"
    drawn = Drawn("hub", _WORDS["hub"], "", "Hubkeep", about, (), _place(app, request))
    return await _answer(app, request, drawn)


async def _answer(app: "App", request: Request, drawn: Drawn) -> Response:
    said = msgspec.json.encode((VERSION, drawn))
    etag = f'"{hashlib.sha256(said).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    try:
        png = await app.kept.get(("social", said), partial(draw, drawn), is_long=True)
    except NotYet as late:
        raise errors.picture_busy() from late
    return Response(png, headers=headers, media_type="image/png")


def _repo_drawn(repo: Repo, facts: Facts | None, place: str) -> Drawn:
    owner, _, name = repo.path.rpartition("/")
    said = [
        (repo.pipeline_tag or "").replace("-", " "),
        facts.license or "" if facts else "",
        f"{words.count(repo.num_parameters)} parameters" if repo.num_parameters else "",
        f"{words.count(repo.downloads)} downloads" if repo.downloads else "",
        _counted(repo.likes, "like") if repo.likes else "",
    ]
    if repo.type is RepoType.DATASET and facts:
        said[0] = ", ".join(one.replace("-", " ") for one in facts.task_categories[:2])
    elif repo.type is RepoType.SPACE:
        said[0] = repo.sdk or ""
    return Drawn(
        repo.type.value,
        repo.type.value.capitalize(),
        owner,
        name,
        about_repo(facts),
        tuple(filter(None, said)),
        place,
    )


def about_repo(facts: Facts | None) -> str:
    """Return what a repository says of itself in a line or two; empty where it says nothing."""
    if facts is None:
        return ""
    return facts.short_description or facts.description or facts.pretty_name or facts.title or ""


def _counted(number: int, what: str) -> str:
    return f"{words.count(number)} {what}{'' if number == 1 else 's'}"


def _place(app: "App", request: Request) -> str:
    """Where the hub is, if that is set: else each name that a caller makes up for a hub on loopback
    would be a picture of its own to draw and to keep.
    """
    app.base_url(request)  # refuses a host that is not allowed
    return urlsplit(app.config.base_url).netloc

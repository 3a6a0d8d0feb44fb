# SPDX-License-Identifier: Apache-2.0
"""Pages as answers: a struct, which is the page's data, and the template that shows it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.identity.actor import Actor
from hubkeep.identity.sessions import (
    session_in_use,
    session_secret,
    set_form_secret,
    set_session,
)
from hubkeep.web import words
from hubkeep.web.assets import Assets
from hubkeep.web.origin.bundle import Bundle
from hubkeep.web.policy import NOWHERE, Elsewhere, policy
from hubkeep.web.wants import wants_json

if TYPE_CHECKING:
    from hubkeep.app import App

_TEMPLATES = Path(__file__).parent / "templates"
_DIAGRAMS = Path(__file__).parent / "diagrams"

# What stands in the HTML of a page that frames something from the content origin: what draws its
# diagrams, or a Space.
_FRAMING = re.compile('data-(?:diagram|space)="')


@dataclass(frozen=True, slots=True)
class Preview:
    """How other sites show a link to a page, besides its title: a text, and a picture's path."""

    text: str = "A hub of models, datasets and Spaces"
    picture: str = "/social"


class Page(msgspec.Struct, kw_only=True, rename="camel"):
    """The data of a page, which is also its JSON; `template` is the file that shows it."""

    template: ClassVar[str]
    title: str

    @property
    def preview(self) -> Preview:
        """How a link to the page is shown: pages of a repository have its picture."""
        found = getattr(self, "repo", None)
        return found.preview if found is not None else Preview()


@dataclass(frozen=True, slots=True)
class Shell:
    """What stands around every page, and is no part of its data."""

    base: str
    path: str
    actor: Actor
    now: int
    csrf: str = ""
    """What each form carries in the field `csrf`."""
    fresh_secret: str | None = None
    """What that is made from, where the browser does not have it yet."""
    theme: str = ""
    json_href: str = "?format=json"
    """Where the page's data is."""
    content: str = ""
    """The origin on which what users wrote may run; empty where there is none."""


class Site:
    """Templates and assets, loaded once."""

    def __init__(self) -> None:
        self.assets = Assets()
        self.diagrams = Bundle(_DIAGRAMS)
        self._env = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        shared = cast("dict[str, object]", self._env.globals)
        shared.update(static=self.assets.url, ago=words.ago)
        for written in (words.size, words.count, words.exactly, words.day, words.moment):
            self._env.filters[written.__name__] = written
        self._env.filters["plain"] = words.plain

    def html(self, page: Page, shell: Shell) -> str:
        """Return a page as HTML."""
        return self._env.get_template(page.template).render(page=page, shell=shell)


def shown(
    app: "App",
    request: Request,
    page: Page,
    shell: Shell,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    elsewhere: Elsewhere = NOWHERE,
) -> Response:
    """Answer with a page, or with its data where the client asks for JSON.

    `elsewhere` says what the page loads that is not the hub's own.
    """
    own = {"Vary": "Accept, Cookie", "Cache-Control": "private, no-cache", **(headers or {})}
    if wants_json(request):
        return Response(msgspec.json.encode(page), status, own, "application/json")
    html = app.site.html(page, shell)
    if shell.content and _FRAMING.search(html):
        elsewhere = replace(elsewhere, frames=(*elsewhere.frames, shell.content))
    own |= {"Content-Security-Policy": policy(elsewhere), "Referrer-Policy": "same-origin"}
    answer = Response(html, status, own, "text/html; charset=utf-8")
    if shell.fresh_secret is not None:
        set_form_secret(request, answer, shell.fresh_secret)
    secret = session_secret(request)
    if secret is not None and session_in_use(request) is not None:
        set_session(request, answer, secret)  # the browser keeps it for as long as the hub does
    return answer

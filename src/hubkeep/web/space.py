# SPDX-License-Identifier: Apache-2.0
"""The app of a Space: a frame where it runs, or how to run it where this hub does not."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request

from hubkeep.cards.facts import Facts
from hubkeep.content.reading import revision_of
from hubkeep.git import store
from hubkeep.repos.types import Repo, RepoType
from hubkeep.web.origin.answers import SANDBOX
from hubkeep.web.origin.grants import SECONDS, space_token
from hubkeep.web.origin.spaces import INDEX
from hubkeep.web.visits import PageVisit
from hubkeep.web.ways import Way

if TYPE_CHECKING:
    from hubkeep.app import App

SpaceState = Literal["runs", "no_page", "no_origin", "not_here"]
"""Whether it runs. Its `app_file` is missing; this hub has no origin for it; or it needs a server
of its own, which this hub does not run.
"""

_REQUIREMENTS = "requirements.txt"
_APP = "app.py"
_PORT = 7860
_VERSION = re.compile(r"[0-9][0-9A-Za-z.]{0,31}")
_NAMES = {"gradio": "Gradio", "docker": "Docker", "streamlit": "Streamlit"}


@dataclass(frozen=True, slots=True)
class SpaceFound:
    """What its card and its files say of how a Space is run."""

    sdk: str | None
    version: str | None
    app_file: str
    port: int
    has_app: bool
    has_requirements: bool


class SpaceShown(msgspec.Struct, rename="camel"):
    """A Space as its page shows it."""

    sdk: str | None
    state: SpaceState
    app_file: str
    href: str | None
    """Where it runs: for `seconds`, and whoever knows the address can read the Space."""
    seconds: int
    ways: Sequence[Way]
    """How to run it on one's own machine."""

    @property
    def sandbox(self) -> str:
        """What the frame may do."""
        return SANDBOX

    @property
    def sdk_name(self) -> str:
        """What people call the SDK."""
        return _NAMES.get(self.sdk or "", self.sdk or "")


def find_space(conn: Connection, repo: Repo, facts: Facts | None) -> SpaceFound | None:
    """Look how a Space is run; None for another repository, and for one that is empty or closed."""
    if repo.type is not RepoType.SPACE or repo.head is None or repo.disabled:
        return None
    sdk = facts.sdk if facts else None
    app_file = _app_file(facts, INDEX if sdk == "static" else _APP)
    tree = revision_of(conn, repo, repo.head.hex()).tree
    there = {one.path for one in store.entries(conn, repo.id, tree, (app_file, _REQUIREMENTS))}
    card = (facts.card_data if facts else None) or {}
    port, version = card.get("app_port"), facts.sdk_version if facts else None
    return SpaceFound(
        sdk=sdk,
        version=version if version and _VERSION.fullmatch(version) else None,
        app_file=app_file,
        port=port if isinstance(port, int) and 0 < port < 65_536 else _PORT,
        has_app=app_file in there,
        has_requirements=_REQUIREMENTS in there,
    )


def _app_file(facts: Facts | None, usual: str) -> str:
    given = (facts.app_file if facts else None) or usual
    segments = given.split("/")
    return usual if any(one in ("", ".", "..") for one in segments) else given


def space_shown(
    app: "App", request: Request, visitor: PageVisit, found: SpaceFound | None
) -> SpaceShown | None:
    """Return what the page shows of a Space that the visitor may see."""
    if found is None:
        return None
    origin, state, href = app.addresses.content_url(request), _state(found), None
    if state == "runs" and origin is None:
        state = "no_origin"
    elif state == "runs":
        assert visitor.repo.head is not None
        token = space_token(app, visitor.actor, visitor.repo, visitor.repo.head)
        href = f"{origin}/space/{token}/{quote(found.app_file)}"
    return SpaceShown(
        sdk=found.sdk,
        state=state,
        app_file=found.app_file,
        href=href,
        seconds=SECONDS if href else 0,
        ways=_ways(visitor.repo, found, app.base_url(request)) if state != "runs" else [],
    )


def _state(found: SpaceFound) -> SpaceState:
    if found.sdk != "static":
        return "not_here"
    return "runs" if found.has_app else "no_page"


def _ways(repo: Repo, found: SpaceFound, base: str) -> list[Way]:
    """Lines of a shell. What the card says goes into them as words that a shell leaves alone."""
    name = repo.path.rpartition("/")[2]
    file = shlex.quote(f"./{found.app_file}" if found.app_file.startswith("-") else found.app_file)
    packages = shlex.quote(f"{found.sdk}=={found.version}" if found.version else f"{found.sdk}")
    if found.has_requirements:
        packages += f" -r {_REQUIREMENTS}"
    last = {
        "gradio": [f"pip install {packages}", f"python {file}"],
        "streamlit": [f"pip install {packages}", f"streamlit run {file}"],
        "docker": [
            "docker build --tag space .",
            f"docker run --rm --publish {found.port}:{found.port} space",
        ],
        "static": ["python -m http.server --bind 127.0.0.1"] if found.has_app else [],
    }.get(found.sdk or "", [])
    if not last:
        return []
    first = [f"git clone {base}/{repo.web_path}", f"cd {shlex.quote(name)}"]
    return [Way("Run it on your machine", "\n".join([*first, *last]))]

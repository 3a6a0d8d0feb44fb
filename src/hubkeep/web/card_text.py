# SPDX-License-Identifier: Apache-2.0
"""The text of a repository's card: where it lies, what is to be said where there is none."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from sqlalchemy import Connection

from hubkeep.content.reading import revision_of
from hubkeep.git import store
from hubkeep.repos.types import Repo
from hubkeep.web.kept import NotYet
from hubkeep.web.markdown import Place
from hubkeep.web.rendered import RenderedText, rendered

if TYPE_CHECKING:
    from hubkeep.app import App

README = "README.md"
README_LIMIT = 1 << 20

CardState = Literal["shown", "none", "empty", "too_large", "not_yet"]
"""Whether there is a card to show; of an empty repository nobody has put anything in."""

# What a repository gets when it is made.
_MADE_WITH = frozenset({".gitattributes"})
# Files of which one is a good example to fetch, the best first.
_EXAMPLES = ("model.safetensors", "config.json", README)


@dataclass(frozen=True, slots=True)
class CardFound:
    """What was read of a card: its blob with its content, unless it is missing or too large."""

    state: CardState
    oid: bytes = b""
    content: bytes = b""
    example: str | None = None
    """A file of the repository's root."""


def find_card(conn: Connection, repo: Repo) -> CardFound:
    """Read the card of a repository at its head."""
    if repo.head is None:
        return CardFound("empty")
    tree = revision_of(conn, repo, repo.head.hex()).tree
    found = {one.path: one for one in store.entries(conn, repo.id, tree, _EXAMPLES)}
    files = [path for path in _EXAMPLES if path in found and found[path].kind == "file"]
    example = files[0] if files else None
    if README not in files:
        first = store.walk(conn, repo.id, tree, "", recursive=False, after=None, limit=2)
        is_empty = _MADE_WITH.issuperset(one.path for one in first)
        return CardFound("empty" if is_empty else "none", example=example)
    entry = found[README]
    if entry.lfs is not None or entry.size > README_LIMIT:
        return CardFound("too_large", example=example)
    content = store.blob(conn, repo.id, entry.oid, README_LIMIT)
    return CardFound("shown", entry.oid, content, example)


async def card_shown(
    app: "App", repo: Repo, found: CardFound
) -> tuple[CardState, RenderedText | None]:
    """Render a card. A text that takes long is `not_yet` there, and is when one comes back."""
    if found.state != "shown":
        return found.state, None
    try:
        text = await rendered(app, found.oid, found.content, _place(app, repo))
    except NotYet:
        return "not_yet", None
    return ("shown", text) if text.html else ("none", None)


def _place(app: "App", repo: Repo) -> Place:
    """Where a card is. Where the hub knows how it is called, a card may show what it draws of
    itself, such as badges.
    """
    root, at = f"/{repo.web_path}", quote(repo.default_branch, safe="")
    return Place(
        links=f"{root}/blob/{at}/",
        images=f"{root}/preview/{at}/",
        root_links=f"{root}/blob/{at}/",
        root_images=f"{root}/preview/{at}/",
        origin=app.config.base_url or None,
    )

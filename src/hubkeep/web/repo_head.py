# SPDX-License-Identifier: Apache-2.0
"""The head of every page of a repository: what it is called, its tags, and where one can go."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

import msgspec

from hubkeep.repos.types import Repo, RepoType
from hubkeep.web.site import Preview
from hubkeep.web.visits import PageVisit

MAX_TAGS = 24

_CARD_NAMES = {
    RepoType.MODEL: "Model card",
    RepoType.DATASET: "Dataset card",
    RepoType.SPACE: "Space",
    RepoType.KERNEL: "Kernel card",
}
# What the hub adds for programs alone is not shown.
_HIDDEN_TAGS = (
    "region:",
    "endpoints_compatible",
    "autotrain_compatible",
    "model-index",
    "co2_eq_emissions",
)
# Kinds of tags whose value says enough by itself.
_CLEAR = (
    "task_categories:",
    "task_ids:",
    "language:",
    "size_categories:",
    "modality:",
    "format:",
    "library:",
)


class Link(msgspec.Struct, rename="camel"):
    """A name that leads somewhere; `count` is how many are there, null where nobody counted."""

    name: str
    href: str
    is_current: bool = False
    count: int | None = None


class RepoHead(msgspec.Struct, rename="camel"):
    """A repository as its pages begin."""

    id: str
    kind: str
    owner: str
    name: str
    web_path: str
    api: str
    """Where the API has it."""
    private: bool
    gated: str
    disabled: bool
    likes: int
    is_liked: bool
    """By who looks at it."""
    tags: Sequence[Link]
    tabs: Sequence[Link]
    feed: str
    """Of the commits that lead to what is looked at."""

    @property
    def preview(self) -> Preview:
        """How links to the pages of the repository are shown."""
        return Preview(f"A {self.kind} by {self.owner}", f"/social/{self.web_path}")


def repo_head(visitor: PageVisit, current: str, revision: str | None = None) -> RepoHead:
    """Return the head of a page that belongs under the tab `current`: card, files, commits, refs
    or settings. Links keep the revision that is looked at.
    """
    repo = visitor.repo
    owner, _, name = repo.path.rpartition("/")
    at = quote(revision or repo.default_branch, safe="")
    root = f"/{repo.web_path}"
    tabs = [
        Link(_CARD_NAMES[repo.type], root, current == "card"),
        Link("Files", f"{root}/tree/{at}", current == "files"),
        Link("Commits", f"{root}/commits/{at}", current == "commits"),
        Link("Branches and tags", f"{root}/refs", current == "refs"),
    ]
    if visitor.may_administer:
        tabs.append(Link("Settings", f"{root}/settings", current == "settings"))
    return RepoHead(
        id=repo.path,
        kind=repo.type.value,
        owner=owner,
        name=name,
        web_path=repo.web_path,
        api=f"/api/{repo.type.plural}/{repo.path}",
        private=repo.private,
        gated=repo.gated,
        disabled=repo.disabled,
        likes=repo.likes,
        is_liked=visitor.is_liked,
        tags=[_tag(repo.type, tag) for tag in _shown_tags(repo)],
        tabs=tabs,
        feed=f"{root}/commits/{at}/rss.xml",
    )


def _shown_tags(repo: Repo) -> list[str]:
    tags = msgspec.json.decode(repo.tags, type=list[str])
    return [tag for tag in tags if not tag.startswith(_HIDDEN_TAGS)][:MAX_TAGS]


def _tag(kind: RepoType, tag: str) -> Link:
    said = next((tag.removeprefix(known) for known in _CLEAR if tag.startswith(known)), tag)
    return Link(said, f"/{kind.plural}?{urlencode({'filter': tag})}")

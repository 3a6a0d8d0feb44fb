# SPDX-License-Identifier: Apache-2.0
"""An example of each page: who opens which address. A page of the table without one fails a test.

Where a page looks different in several states, it has several examples.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tests.browser.content import Content


@dataclass(frozen=True)
class Example:
    """Who opens a page, and at which address; `{model}` and the like are names of `Content`."""

    path: str
    user: str | None = None
    status: int = 200
    needs_script: bool = False
    """Whether the page says so, instead of what it shows, where scripts are off."""

    def address(self, content: Content) -> str:
        """The address in a hub with this content."""
        return self.path.format_map(vars(content))


Examples: TypeAlias = Mapping[str, Sequence[Example]]

# GET addresses beside the pages that answer with something else than a page.
NOT_PAGES = {
    "/static/{file*}": "files",
    "/{T}/rss.xml": "a feed",
    "/{web}{repo}/commits/{rev}/rss.xml": "a feed",
    "/search/suggest": "a list of suggestions",
    "/social": "a picture",
    "/social/{user}": "a picture",
    "/social/{web}{ns}/{name}": "a picture",
    "/insights/badge/{kind}/{subject*}": "a picture",
    "/{web}{ns}/{name}/preview/{rev}/{path*}": "a part of the editor's page",
    "/settings": "leads to the first of the settings",
}

REPO = "/{web}{ns}/{name}"

EXAMPLES: Examples = {
    "/": [Example("/"), Example("/", "alice")],
    "/{T}": [
        Example("/models"),
        Example("/models?license=apache-2.0&search=light", "alice"),
        Example("/models?search=nothing-like-it"),
        Example("/datasets"),
        Example("/spaces"),
        Example("/kernels"),
    ],
    "/users": [Example("/users"), Example("/users?search=nobody-like-it")],
    "/{user}": [Example("/alice"), Example("/alice", "alice"), Example("/acme"), Example("/bob")],
    "/{user}/activity/likes": [Example("/alice/activity/likes"), Example("/bob/activity/likes")],
    REPO: [
        Example("/{model}"),
        Example("/{model}", "alice"),
        Example("/{dataset}"),
        Example("/{space}"),
        Example("/{empty}", "alice"),
        Example("/{private}", "alice"),
        Example("/{private}", status=404),
        Example("/{private}", "bob", status=404),
    ],
    f"{REPO}/tree/{{rev}}": [Example("/{model}/tree/main"), Example("/{model}/tree/main", "alice")],
    f"{REPO}/tree/{{rev}}/{{path*}}": [Example("/{model}/tree/main/notes")],
    f"{REPO}/blob/{{rev}}/{{path*}}": [
        Example("/{model}/blob/main/src/read.py", "alice"),
        Example("/{model}/blob/main/README.md"),
        Example("/{model}/blob/main/config.json"),
        Example("/{model}/blob/main/look.ipynb"),
        Example("/{model}/blob/main/table.csv"),
        Example("/{model}/blob/main/picture.png"),
        Example("/{model}/blob/main/model.safetensors"),
        Example("/{model}/blob/main/data.bin"),
        Example("/{model}/blob/main/no-such-file", status=404),
    ],
    f"{REPO}/commits/{{rev}}": [Example("/{model}/commits/main")],
    f"{REPO}/commits/{{rev}}/{{path*}}": [Example("/{model}/commits/main/src/read.py")],
    f"{REPO}/commit/{{rev}}": [Example("/{model}/commit/{last}", "alice")],
    f"{REPO}/compare": [Example("/{model}/compare")],
    f"{REPO}/compare/{{revs}}": [Example("/{model}/compare/{first}...main")],
    f"{REPO}/blame/{{rev}}/{{path*}}": [Example("/{model}/blame/main/src/read.py")],
    f"{REPO}/upload/{{rev}}": [
        Example("/{model}/upload/main", "alice", needs_script=True),
        Example("/{model}/upload/main", status=404),
    ],
    f"{REPO}/upload/{{rev}}/{{path*}}": [
        Example("/{model}/upload/main/notes", "alice", needs_script=True),
        Example("/{model}/upload/main/README.md", "alice", status=400),
    ],
    f"{REPO}/derivatives": [Example("/{model}/derivatives")],
    f"{REPO}/likers": [Example("/{model}/likers"), Example("/{dataset}/likers")],
    f"{REPO}/settings": [Example("/{model}/settings", "alice")],
    f"{REPO}/settings/storage": [Example("/{model}/settings/storage", "alice")],
    f"{REPO}/edit/{{rev}}/{{path*}}": [
        Example("/{model}/edit/main/README.md", "alice"),
        Example("/{model}/edit/main/data.bin", "alice", status=422),
        Example("/{model}/edit/main/README.md", "bob", status=403),
    ],
    f"{REPO}/new/{{rev}}": [Example("/{model}/new/main", "alice")],
    f"{REPO}/new/{{rev}}/{{path*}}": [Example("/{model}/new/main/notes", "alice")],
    f"{REPO}/delete/{{rev}}/{{path*}}": [Example("/{model}/delete/main/table.csv", "alice")],
    f"{REPO}/revert/{{rev}}": [Example("/{model}/revert/main?commit={last}", "alice")],
    f"{REPO}/refs": [Example("/{model}/refs"), Example("/{model}/refs", "alice")],
    "/insights": [Example("/insights"), Example("/insights?snapshot=2024-01", status=404)],
    "/insights/{figure}": [
        Example("/insights/s2"),
        Example("/insights/F1?flagged=drop&scale=linear", "alice"),
        Example("/insights/s4?k=many", status=400),
        Example("/insights/z9", status=404),
    ],
    "/insights/compare": [
        Example("/insights/compare"),
        Example("/insights/compare?with=google/small&with=meta-llama/llm-7b&scale=log"),
        Example("/insights/compare?with=google/small&with=no/such", "alice"),
        Example("/insights/compare?" + "&".join(f"with=a/m{at}" for at in range(6)), status=400),
    ],
    "/insights/movers": [
        Example("/insights/movers"),
        Example("/insights/movers?days=30&least=1", "alice"),
        Example("/insights/movers?snapshot=20240111"),
    ],
    "/insights/console": [
        Example("/insights/console", "alice"),
        Example("/insights/console?sql=SELECT+1", "alice"),
    ],
    "/insights/{kind}/{subject*}": [
        Example("/insights/models/google/small"),
        Example("/insights/models/bert-base-uncased?measure=rank&scale=log", "alice"),
        Example("/insights/models/google/small?measure=likes"),
        Example("/insights/accounts/someone"),
        Example("/insights/models/google/nothing-like-it", status=404),
    ],
    "/design": [Example("/design")],
    "/login": [Example("/login")],
    "/join": [Example("/join")],
    "/settings/profile": [Example("/settings/profile", "alice")],
    "/settings/password": [Example("/settings/password", "alice")],
    "/settings/sessions": [Example("/settings/sessions", "alice")],
    "/settings/tokens": [Example("/settings/tokens", "alice")],
    "/new": [Example("/new", "alice")],
    "/organizations/new": [Example("/organizations/new", "alice")],
    "/organizations/{org}/settings": [Example("/organizations/acme/settings", "alice")],
    "/admin": [Example("/admin", "root"), Example("/admin", "alice", status=404)],
    "/admin/users": [Example("/admin/users", "root")],
    "/admin/users/new": [Example("/admin/users/new", "root")],
    "/admin/users/{user}": [Example("/admin/users/alice", "root")],
    "/admin/organisations": [Example("/admin/organisations", "root")],
    "/admin/organisations/new": [Example("/admin/organisations/new", "root")],
    "/admin/organisations/{org}": [Example("/admin/organisations/acme", "root")],
    "/admin/repositories": [Example("/admin/repositories", "root")],
    "/admin/storage": [Example("/admin/storage", "root")],
    "/admin/jobs": [Example("/admin/jobs", "root")],
    "/admin/invitations": [Example("/admin/invitations", "root")],
    "/admin/settings": [Example("/admin/settings", "root")],
}


def all_examples() -> list[tuple[str, Example]]:
    """Every example with a name for it."""
    found = [one for each in EXAMPLES.values() for one in each]
    return [(f"{one.path}-{one.user or 'nobody'}", one) for one in found]


Checked: TypeAlias = Callable[[Example], None]

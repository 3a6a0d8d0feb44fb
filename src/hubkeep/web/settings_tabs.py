# SPDX-License-Identifier: Apache-2.0
"""What pages have in common that stand under tabs, and the tabs of one's own settings."""

from collections.abc import Sequence

from starlette.requests import Request

from hubkeep.web.repo_head import Link
from hubkeep.web.site import Page

HEADING = "Settings"
_TABS = (
    ("Profile", "profile"),
    ("Password", "password"),
    ("Sessions", "sessions"),
    ("Access tokens", "tokens"),
)


class TabbedPage(Page, kw_only=True):
    """A page under tabs with a heading of theirs; without tabs its own title heads it.

    `done` says that the form before was taken, `error` what is wrong with all of this one.
    """

    heading: str = HEADING
    tabs: Sequence[Link] = ()
    done: str = ""
    error: str = ""


def settings_tabs(current: str) -> Sequence[Link]:
    """Return the tabs of the settings, with the page that is looked at marked."""
    return [Link(name, f"/settings/{page}", page == current) for name, page in _TABS]


def said(request: Request, **texts: str) -> str:
    """Return what is to be said where a form led on to, by the name that it put into the query."""
    return next((text for name, text in texts.items() if name in request.query_params), "")

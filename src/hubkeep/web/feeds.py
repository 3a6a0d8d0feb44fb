# SPDX-License-Identifier: Apache-2.0
"""RSS 2.0: what is new, for feed readers."""

import re
from collections.abc import Sequence
from email.utils import formatdate
from typing import TYPE_CHECKING, ClassVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.identity.actor import ANONYMOUS
from hubkeep.kit.time import Millis
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.wants import wants_json

if TYPE_CHECKING:
    from hubkeep.app import App

# What no XML document may hold, however it is written.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class FeedItem(msgspec.Struct, rename="camel"):
    """One entry: `link` is absolute, and is its id too; `date` as RSS has it."""

    title: str
    link: str
    date: str
    text: str = ""
    author: str = ""


class Feed(Page, kw_only=True):
    """A feed; `link` is the page that it follows, `itself` its own address."""

    template: ClassVar[str] = "feed.xml"
    link: str
    itself: str
    text: str
    items: Sequence[FeedItem]


def feed_date(at: Millis) -> str:
    """Return a time as RSS has it: `Sat, 21 Nov 2026 06:00:00 GMT`."""
    return formatdate(at / 1000, usegmt=True)


def xml_safe(text: str) -> str:
    """Return text with what XML cannot hold replaced."""
    return _NO_XML.sub("\ufffd", text)


def feed_answer(app: "App", request: Request, feed: Feed) -> Response:
    """Answer with a feed, or with its data where the client asks for JSON."""
    shell = shell_for(app, request, ANONYMOUS)
    if wants_json(request):
        return shown(app, request, feed, shell)
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept, Cookie"}
    content = app.site.html(feed, shell)
    return Response(content, 200, headers, "application/rss+xml; charset=utf-8")

# SPDX-License-Identifier: Apache-2.0
"""What every answer of the content origin says, errors among them."""

from html import escape
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.errors import HubError
from hubkeep.web.wants import wants_html

if TYPE_CHECKING:
    from hubkeep.app import App

SANDBOX = "allow-scripts allow-forms allow-popups allow-modals allow-downloads allow-pointer-lock"
"""What what users wrote may do. Without `allow-same-origin` each page is an origin of its own: it
has no cookies and no storage, and no two of them can look into each other. Windows that it opens
are held by the same.
"""

_ERROR = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{status}</title>
<h1>{status}</h1>
<p>{message}</p>
</html>
"""


def content_headers(app: "App", request: Request, policy: str) -> dict[str, str]:
    """Return the headers of an answer: what it may do, also in a window of its own, who may frame
    it, and that it tells nobody the address that it was asked for at.
    """
    return {
        "Content-Security-Policy": f"{policy}; frame-ancestors {app.addresses.framers(request)}",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }


def content_error(app: "App", request: Request, error: HubError) -> Response:
    """Return an error: a page that runs nothing for a browser, else as the API says it."""
    own = content_headers(app, request, "default-src 'none'; sandbox") | {
        "Cache-Control": "no-store"
    }
    if wants_html(request):
        page = _ERROR.format(status=error.status, message=escape(error.message))
        return Response(page, error.status, own, "text/html; charset=utf-8")
    answer = errors.render(error)
    answer.headers.update(own)
    return answer

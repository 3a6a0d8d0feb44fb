# SPDX-License-Identifier: Apache-2.0
"""Where Mermaid draws: a page that pages of the hub frame, send texts to, and get pictures from.

Mermaid writes styles into what it draws, and reads what users wrote. It does so here, in an origin
of its own that may load nothing but its scripts and may talk to nobody but the page that frames it.
"""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.web.apart import apart
from hubkeep.web.origin.answers import content_headers
from hubkeep.web.pages_static import asset_response

if TYPE_CHECKING:
    from hubkeep.app import App

_POLICY = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; sandbox allow-scripts"

_FRAME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Diagrams</title>
<script type="module" src="/diagrams/{digest}/draw.js"></script>
</html>
"""


async def frame(app: "App", request: Request) -> Response:
    """Answer with the page that draws."""
    digest = await apart(app, lambda: app.site.diagrams.digest)
    headers = content_headers(app, request, _POLICY) | {"Cache-Control": "no-cache"}
    return Response(_FRAME.format(digest=digest), 200, headers, "text/html; charset=utf-8")


async def part(app: "App", request: Request) -> Response:
    """Answer with one of its scripts."""
    params = request.path_params
    asset = await apart(app, lambda: app.site.diagrams.find(params["digest"], params["file"]))
    if asset is None:
        raise errors.not_found("No such file: reload the page, the hub was brought up to date")
    answer = asset_response(request, asset)
    answer.headers.update(content_headers(app, request, "default-src 'none'; sandbox"))
    return answer

# SPDX-License-Identifier: Apache-2.0
"""The files that pages need, kept by browsers for ever: their names change with their content."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.web.assets import Asset

if TYPE_CHECKING:
    from hubkeep.app import App

_KEPT = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


async def static(app: "App", request: Request) -> Response:
    """Answer with a style sheet, script or font by its hashed name."""
    asset = app.site.assets.find(request.path_params["file"])
    if asset is None:
        raise errors.not_found("No such file: reload the page, the hub was brought up to date")
    return asset_response(request, asset)


def asset_response(request: Request, asset: Asset) -> Response:
    """Return the answer that sends a file of the program, to be kept for ever."""
    if asset.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers = {**_KEPT, "Content-Encoding": "gzip"}
        return Response(asset.gzipped, 200, headers, asset.media_type)
    return Response(asset.content, 200, _KEPT, asset.media_type)

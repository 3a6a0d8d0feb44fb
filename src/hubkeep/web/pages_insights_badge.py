# SPDX-License-Identifier: Apache-2.0
"""The badge of a repository, for cards and for pages elsewhere."""

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import raw_path
from hubkeep.observatory.reader.process import NoAnswer
from hubkeep.web.insights import scene_of, unless_known
from hubkeep.web.insights_badge import POINTS, badge
from hubkeep.web.insights_history import subject_of, told_of
from hubkeep.web.insights_history_chart import value_of

if TYPE_CHECKING:
    from hubkeep.app import App

# Nobody's page may run anything that it brings, not even where it is opened by itself; its own
# colours are all that it may bring.
_HEADERS: Final = {
    "Cache-Control": "public, max-age=3600",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


async def badge_of(app: "App", request: Request) -> Response:
    """Answer with a badge: the same for everybody, from what is public. It may be an hour old.

    The answer of the process that reads snapshots is kept, and it is not asked again until there is
    a new snapshot, or something more is hidden.
    """
    kind, path = request.path_params["kind"], request.path_params["subject"]
    name = path.removesuffix(".svg")
    if kind == "accounts" or name == path:
        raise errors.nothing_at(raw_path(request))
    subject = subject_of(kind, name)
    scene = await scene_of(app, request, "", "", POINTS)
    try:
        told = await told_of(app, scene, [subject])
    except NoAnswer as none:
        raise errors.HubError(none.status, str(none)) from none
    if not told.is_known:
        raise errors.not_found(f"No snapshot has the {kind[:-1]} {name[:100]}")
    course = told.courses[0]
    known = [
        snapshot.taken_at
        for snapshot, point in zip(told.history, course.points, strict=True)
        if point is not None
    ]
    values = [value_of(point, "downloads_30d") for point in course.points]
    svg = badge(course.name, values, known[-1][:10])
    return unless_known(request, Response(svg, headers=_HEADERS, media_type="image/svg+xml"))

# SPDX-License-Identifier: Apache-2.0
"""The table of addresses of the content origin: all that is there. None of it is on the hub's own
host, and nothing of the hub is here.
"""

from collections.abc import Iterator

from hubkeep.identity.rules import Action
from hubkeep.route import Route
from hubkeep.web.origin import diagrams, spaces


def content_routes() -> Iterator[Route]:
    """Return the table; spelled as in `routes.py`."""
    area, file = "content origin", spaces.space_file
    yield Route("GET", "/space/{grant}", file, Action.SIGNED, area)
    yield Route("GET", "/space/{grant}/{path*}", file, Action.SIGNED, area)
    yield Route("GET", "/diagrams", diagrams.frame, Action.ANYONE, area)
    yield Route("GET", "/diagrams/{digest}/{file*}", diagrams.part, Action.ANYONE, area)

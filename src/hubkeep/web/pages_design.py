# SPDX-License-Identifier: Apache-2.0
"""The page of the design system: what all other pages are made of, in light and in dark."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import read_query
from hubkeep.web.design import Colour, Contrast, TextSize, colours, contrasts, text_sizes
from hubkeep.web.lost import who_is_lost
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown

if TYPE_CHECKING:
    from hubkeep.app import App

SPACES = (4, 8, 12, 16, 24, 32, 48, 64)


class DesignQuery(msgspec.Struct, frozen=True):
    """The page takes no parameter but its form."""

    format: Literal["html", "json"] | None = None


class DesignPage(Page, kw_only=True):
    """Sizes of text, colours and spaces; `spaces` are in pixels."""

    template: ClassVar[str] = "design.html"
    text_sizes: Sequence[TextSize]
    colours: Sequence[Colour]
    contrasts: Sequence[Contrast]
    spaces: Sequence[int]


async def design(app: "App", request: Request) -> Response:
    """Show what pages are made of, to everybody: nothing of it is of this hub."""
    read_query(request, DesignQuery)
    page = DesignPage(
        title="Design",
        text_sizes=text_sizes(),
        colours=colours(),
        contrasts=contrasts(),
        spaces=SPACES,
    )
    return shown(app, request, page, shell_for(app, request, await who_is_lost(app, request)))

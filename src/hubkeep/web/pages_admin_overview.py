# SPDX-License-Identifier: Apache-2.0
"""The first page of administration: what to see to, how the hub fares, how much there is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.identity.access import administrator
from hubkeep.identity.actor import Actor
from hubkeep.repos.queries_figures import Figures, latest_figures
from hubkeep.transfer.cas.queries_storage import Totals, latest_totals
from hubkeep.transfer.cas.storage import HubStorage, hub_storage
from hubkeep.web.admin_health import Health, health_of
from hubkeep.web.admin_warnings import Concern, warnings_of
from hubkeep.web.pages_admin import AdminPage, admin_tabs, for_administrators
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App


class OverviewPage(AdminPage, kw_only=True):
    """How the hub fares. `figures` and `storage` were counted within the last hour; null before
    that.
    """

    template: ClassVar[str] = "admin.html"
    warnings: Sequence[Concern]
    health: Health
    figures: Figures | None
    storage: HubStorage | None


@for_administrators
async def overview(app: "App", request: Request) -> Response:
    """Show what to see to, how the hub fares, and how much there is."""

    def work(conn: Connection) -> tuple[Actor, Figures | None, Totals | None]:
        actor, _ = administrator(conn, request, app.clock())
        return actor, latest_figures(conn), latest_totals(conn)

    actor, figures, totals = await app.db.read(work)
    health = await health_of(app)
    page = OverviewPage(
        title="Administration",
        tabs=admin_tabs(""),
        warnings=warnings_of(health, totals, app.config, app.clock()),
        health=health,
        figures=figures,
        storage=hub_storage(totals) if totals else None,
    )
    return shown(app, request, page, shell_for(app, request, actor))

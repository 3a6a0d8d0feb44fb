# SPDX-License-Identifier: Apache-2.0
"""Addresses for those who run the hub: is it alive, is it ready, what does it count."""

import hmac
import ipaddress
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import json_answer
from hubkeep.transfer.cas.queries_storage import latest_totals
from hubkeep.transfer.cas.storage import figures

if TYPE_CHECKING:
    from hubkeep.app import App


async def healthz(_app: "App", _request: Request) -> Response:
    """The process answers; says nothing of what is behind it."""
    return json_answer({"status": "ok"})


async def readyz(app: "App", _request: Request) -> Response:
    """The database answers, so requests can be served; 503 otherwise."""
    await app.db.ping()
    return json_answer({"status": "ready"})


async def metrics(app: "App", request: Request) -> Response:
    """Prometheus' text format; for loopback callers, or for those with the configured token.

    What is stored is what a job counted within the last hour.
    """
    wanted = app.config.metrics_token
    if wanted:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise errors.bad_credentials()
    elif not _is_loopback(app.addresses.client_address(request)):
        raise errors.forbidden("Set HUBKEEP_METRICS_TOKEN to read metrics from another machine")
    totals = await app.db.read(latest_totals)
    text = app.metrics.text(figures(totals) if totals else ())
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False

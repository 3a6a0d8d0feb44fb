# SPDX-License-Identifier: Apache-2.0
"""Small answers that clients ask for: what is known of tasks and of agents, telemetry."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep.cards.tasks import TASKS
from hubkeep.http import json_answer

if TYPE_CHECKING:
    from hubkeep.app import App


async def agent_harnesses(_app: "App", _request: Request) -> Response:
    """The registry of coding agents that clients ask for at their start: this hub knows none.

    An answer in the registry's shape is remembered by clients for a day; a 404 is asked for again
    by every process.
    """
    return json_answer({"standardEnvVars": [], "harnesses": {}})


async def telemetry(_app: "App", _request: Request) -> Response:
    """Clients report usage here; nothing is kept."""
    return Response(status_code=204)


async def tasks(_app: "App", _request: Request) -> Response:
    """The tasks that models are tagged with, by name, with their modality."""
    return json_answer(
        {
            name: {"id": name, "label": name.replace("-", " ").capitalize(), "type": modality}
            for name, modality in TASKS.items()
        }
    )

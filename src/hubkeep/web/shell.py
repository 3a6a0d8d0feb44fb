# SPDX-License-Identifier: Apache-2.0
"""What stands around a page, from the request that asks for it."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request

from hubkeep.identity.actor import Actor
from hubkeep.identity.sessions import form_secret, form_token, new_session_secret
from hubkeep.web.site import Shell

if TYPE_CHECKING:
    from hubkeep.app import App

_THEMES = ("light", "dark")


def shell_for(app: "App", request: Request, actor: Actor) -> Shell:
    """Return the frame of a page for who looks at it."""
    secret = form_secret(request)
    fresh = None if secret else new_session_secret()
    theme = request.cookies.get("theme", "")
    return Shell(
        base=app.base_url(request),
        path=request.url.path,
        actor=actor,
        now=app.clock(),
        csrf=form_token(secret or fresh or ""),
        fresh_secret=fresh,
        theme=theme if theme in _THEMES else "",
        content=app.addresses.content_url(request) or "",
        json_href=f"?{urlencode([*request.query_params.multi_items(), ('format', 'json')])}",
    )

# SPDX-License-Identifier: Apache-2.0
"""Which of its two forms a page is asked for in."""

from starlette.requests import Request

_MAX_RANGES = 20


def wants_json(request: Request) -> bool:
    """Whether JSON is asked for: by `?format=json`, or because `Accept` likes it better than HTML.

    Who accepts anything gets the page, as browsers and curl expect.
    """
    asked = request.query_params.get("format")
    if asked is not None:
        return asked == "json"
    likes = _likes(request.headers.get("accept", ""))
    html = max(likes.get("text/html", 0.0), likes.get("text/*", 0.0), likes.get("*/*", 0.0))
    return likes.get("application/json", 0.0) > html


def _likes(accept: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in accept.split(",")[:_MAX_RANGES]:
        kind, _, rest = one.partition(";")
        weight = rest.strip().removeprefix("q=")
        try:
            found[kind.strip().lower()] = float(weight) if weight else 1.0
        except ValueError:
            found[kind.strip().lower()] = 0.0
    return found


def wants_html(request: Request) -> bool:
    """Whether a browser asks for a page to look at: it names HTML, as no other client does."""
    if request.query_params.get("format") == "json":
        return False
    return request.method in ("GET", "HEAD", "POST") and "text/html" in _likes(
        request.headers.get("accept", "")
    )

# SPDX-License-Identifier: Apache-2.0
"""Sessions of browsers: a cookie that nobody else can set or read, and when it counts.

A cookie travels with whatever a page of somebody else has the browser send. So it counts for
reading, and for changing something only together with a proof that the request comes from a page of
the hub: a token in the form or in a header, which is made from the cookie and is in no cookie.
"""

import hashlib
import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

from hubkeep.kit.time import DAY, Millis

LASTS: Millis = 30 * DAY
NOTED_EVERY: Millis = 3_600_000
"""How old the note may be of when a session was last in use: to write it each time costs much."""
FORM_FIELD = "csrf"
FORM_HEADER = "x-csrf-token"

_READING = frozenset({"GET", "HEAD"})
_PROVEN = "hubkeep.from-own-page"
_TO_PROVE = "hubkeep.gives-a-right"
_IN_USE = "hubkeep.session-in-use"


def new_session_secret() -> str:
    """Return what goes into the cookie of a new session."""
    return secrets.token_urlsafe(32)


def session_secret(request: Request) -> str | None:
    """Return what the browser's cookie says, whether it counts or not."""
    return request.cookies.get(_name(request)) or None


def counted_session(request: Request) -> str | None:
    """Return the cookie's secret if it counts for this request."""
    secret = session_secret(request)
    only_reads = request.method in _READING and not request.scope.get(_TO_PROVE)
    if secret is None or only_reads or request.scope.get(_PROVEN):
        return secret
    given = request.headers.get(FORM_HEADER, "")
    return secret if is_form_token(secret, given) else None


def prove_own_page(request: Request) -> None:
    """Note that the request's form carried the token: its cookie counts from here on."""
    request.scope[_PROVEN] = True


def ask_for_proof(request: Request) -> None:
    """Have a cookie count only together with the header, whatever the method: for what is read and
    gives a right to change something.
    """
    request.scope[_TO_PROVE] = True


def note_use(request: Request, session: str) -> None:
    """Note that it is time to write down that a session is in use."""
    request.scope[_IN_USE] = session


def session_in_use(request: Request) -> str | None:
    """Return the session whose use has to be written down; None where that was done of late."""
    return request.scope.get(_IN_USE)


def form_token(secret: str) -> str:
    """Return what forms carry that are shown to the owner of a cookie."""
    return hmac.new(secret.encode(), b"hubkeep form", hashlib.sha256).hexdigest()[:40]


def is_form_token(secret: str, given: str) -> bool:
    """Say whether a form's token is the one of a cookie."""
    return hmac.compare_digest(form_token(secret).encode(), given.encode())


def form_secret(request: Request) -> str | None:
    """Return what the forms of this browser are proven by: its session, or for who is not signed in
    a cookie of its own.
    """
    return session_secret(request) or request.cookies.get(_form_name(request)) or None


def set_form_secret(request: Request, response: Response, secret: str) -> None:
    """Have a browser without a session keep what its forms are proven by, while it is open."""
    response.set_cookie(
        _form_name(request),
        secret,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="strict",
    )


def set_session(request: Request, response: Response, secret: str) -> None:
    """Have the browser keep a secret: for 30 days, for this host alone, unseen by scripts."""
    response.set_cookie(
        _name(request),
        secret,
        max_age=LASTS // 1000,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="lax",
    )


def drop_session(request: Request, response: Response) -> None:
    """Have the browser forget it."""
    response.delete_cookie(
        _name(request), path="/", secure=_is_secure(request), httponly=True, samesite="lax"
    )


def _is_secure(request: Request) -> bool:
    return request.scope.get("hubkeep.scheme", request.url.scheme) == "https"


def _form_name(request: Request) -> str:
    return f"{_name(request)}-form"


def _name(request: Request) -> str:
    # The prefix makes browsers refuse the cookie unless it came over TLS, from this very host.
    return "__Host-hubkeep" if _is_secure(request) else "hubkeep"

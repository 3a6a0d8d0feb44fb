# SPDX-License-Identifier: Apache-2.0
"""Forms of pages: read into structs, and only where they come from a page of the hub."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import TypeVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hubkeep import errors
from hubkeep.http import convert_pairs, read_body, split_pairs
from hubkeep.identity.sessions import FORM_FIELD, form_secret, is_form_token, prove_own_page

T = TypeVar("T")

FORM_LIMIT = 256 << 10


async def read_form(
    request: Request, kind: type[T], limit: int = FORM_LIMIT, threads: Executor | None = None
) -> T:
    """Decode a form into the struct `kind`; 400 that names the field where it does not fit.

    Its token is checked first, 403; from then on the browser's session counts for this request.
    A long form is taken apart in one of `threads`: a megabyte takes a tenth of a second.
    """
    body = (await read_body(request, limit)).decode("utf-8", "replace")
    if threads is None:
        pairs = split_pairs(body)
    else:
        pairs = await asyncio.get_running_loop().run_in_executor(threads, split_pairs, body)
    return proven(request, pairs, kind)


def proven(request: Request, pairs: Sequence[tuple[str, str]], kind: type[T]) -> T:
    """Decode the fields of a form as `read_form` does, its token first."""
    given = dict(pairs).get(FORM_FIELD, "")
    secret = form_secret(request)
    if secret is None or not is_form_token(secret, given):
        raise errors.forbidden("This page was open for too long: go back, reload it and try again")
    prove_own_page(request)
    return convert_pairs([pair for pair in pairs if pair[0] != FORM_FIELD], kind)


def own_path(target: str | None, otherwise: str = "/") -> str:
    """Return a path of this hub to go on to; `otherwise` for anything that could lead elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return otherwise
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or any(ord(sign) < 33 or sign == "\\" for sign in target):
        return otherwise
    return target


def go_to(path: str) -> Response:
    """Answer a form that did its work: the browser asks for the next page."""
    return RedirectResponse(path, 303)

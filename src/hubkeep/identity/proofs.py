# SPDX-License-Identifier: Apache-2.0
"""What a request says of who sends it: `Authorization: Basic`, and a password that was looked at.

A password takes too long to be checked in a unit of work. It is checked before; what that came to
travels with the request, and each unit of work looks whether it still holds.
"""

import base64
from dataclasses import dataclass

from starlette.requests import Request

from hubkeep.errors import HubError

_GIVEN = "hubkeep.password"


@dataclass(frozen=True, slots=True)
class Basic:
    """What is in a header of the scheme Basic: the second part is a token or a password."""

    user: str
    secret: str


@dataclass(frozen=True, slots=True)
class PasswordProof:
    """That somebody gave an account's password, and which one it was."""

    user_id: int
    fingerprint: str


def read_basic(authorization: str | None) -> Basic | None:
    """Read a header; None for one of another scheme, or of none that can be read."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, or no UTF-8 in it
        return None
    return Basic(user, secret)


def give_password(request: Request, proof: PasswordProof | HubError) -> None:
    """Note on a request what became of its password: that it is right, or why it is refused."""
    request.scope[_GIVEN] = proof


def given_password(request: Request) -> PasswordProof | HubError | None:
    """Return what was noted; None for a request without a password."""
    return request.scope.get(_GIVEN)

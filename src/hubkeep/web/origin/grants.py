# SPDX-License-Identifier: Apache-2.0
"""The right to the files of one Space at one commit, in the address at which the Space runs.

The scripts of a Space can read the address that they run at, and tell it to whoever they like. So
it holds for an hour and for this Space alone, and that of a public one says nothing of who looks.
"""

from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request

from hubkeep import errors
from hubkeep.errors import HubError
from hubkeep.identity.actor import ANONYMOUS, Actor
from hubkeep.repos.types import Repo
from hubkeep.transfer.signing import BadSignature, sign_in_of

if TYPE_CHECKING:
    from hubkeep.app import App

SECONDS = 3600
"""How long the address of a Space holds."""

_PURPOSE = "space"


class SpaceGrant(msgspec.Struct, frozen=True, array_like=True):
    """The right to read a Space at a commit, as who looked at its page had it."""

    repo_id: int
    commit: str
    user_id: int | None
    user: str | None
    token: str | None
    password: str | None
    session: str | None


def space_token(app: "App", actor: Actor, repo: Repo, commit: bytes) -> str:
    """Return the segment of an address that lets its bearer read a Space that `actor` may read."""
    who = actor if repo.private else ANONYMOUS
    grant = SpaceGrant(repo.id, commit.hex(), who.user_id, *sign_in_of(who))
    return app.signer.sign(_PURPOSE, grant, seconds=SECONDS)


def space_grant(app: "App", request: Request) -> SpaceGrant:
    """Return what the request's address allows; not_found for one that does not hold (any more)."""
    try:
        return app.signer.open(_PURPOSE, request.path_params["grant"], SpaceGrant)
    except BadSignature as bad:
        raise space_gone() from bad


def space_gone() -> HubError:
    """Return the error of an address that leads to no Space, whatever the reason."""
    return errors.not_found(
        "This address of a Space does not hold any more. Open the Space again from its page on the "
        "hub"
    )

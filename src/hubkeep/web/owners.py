# SPDX-License-Identifier: Apache-2.0
"""Where somebody may make repositories, as forms offer it."""

from collections.abc import Sequence

from sqlalchemy import Connection

from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.queries import organisations_of
from hubkeep.identity.rules import Action, NamespaceResource, can


def namespaces_of(conn: Connection, actor: Actor, user: Account) -> Sequence[str]:
    """Return the namespaces that the actor may make something in: its own, then organisations'."""
    orgs = [
        org.name
        for org, role in organisations_of(conn, user.id)
        if can(actor, Action.CREATE_IN, NamespaceResource(org.id, role))
    ]
    return [user.name, *orgs]

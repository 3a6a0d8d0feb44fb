# SPDX-License-Identifier: Apache-2.0
"""Large files on their way out, at the signed addresses that batch answers give."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.identity.rules import Action
from hubkeep.transfer.grants import Purpose, granted
from hubkeep.transfer.queries import LinkedFile, linked_files
from hubkeep.transfer.queries_uploads import check_grant
from hubkeep.transfer.sending_files import file_response
from hubkeep.transfer.speech import speaking_lfs

if TYPE_CHECKING:
    from hubkeep.app import App


@speaking_lfs
async def get_object(app: "App", request: Request) -> Response:
    """Send a file, whole or a range, while the repository has it and the bearer may read it."""
    grant = granted(app, request, Purpose.GET)

    def work(conn: Connection) -> LinkedFile | None:
        check_grant(conn, grant, Action.READ)
        return linked_files(conn, grant.repo_id, [grant.sha256]).get(grant.sha256)

    held = await app.db.read(work)
    if held is None:
        raise errors.not_found("This repository has no such file any more")
    headers = {"ETag": f'"{grant.oid}"', "Cache-Control": "private, no-store"}
    return await file_response(app, request, grant.oid, held, headers=headers)

# SPDX-License-Identifier: Apache-2.0
"""A file of a revision, ready to be sent: at hand where git has it, else in the blob store."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.content.upload_mode import REGULAR_LIMIT
from hubkeep.git import store
from hubkeep.git.store import Entry, Revision
from hubkeep.transfer.queries import LinkedFile, linked_files
from hubkeep.transfer.sending import Redirect, bytes_response
from hubkeep.transfer.sending_files import file_response

if TYPE_CHECKING:
    from hubkeep.app import App


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that was looked up; exactly one of `content` and `file` is there."""

    entry: Entry
    content: bytes | None
    """The blob in git; None where the file itself lies in the blob store."""
    file: LinkedFile | None
    """What the repository holds of a large file, where that is what was asked for."""

    @property
    def etag(self) -> str:
        """The hash of what is sent, in hex."""
        lfs = self.entry.lfs
        return self.entry.oid.hex() if self.file is None or lfs is None else lfs.sha256.hex()


def open_file(
    conn: Connection, repo_id: int, revision: Revision, entry: Entry, *, raw: bool = False
) -> OpenFile:
    """Look up what is sent of a file; with `raw` that is the pointer of a large one.

    A large file is reached by its link and never by its hash; one that was deleted for good leaves
    its pointer: entry_not_found.
    """
    if raw or entry.lfs is None:
        return OpenFile(entry, store.blob(conn, repo_id, entry.oid, REGULAR_LIMIT), None)
    file = linked_files(conn, repo_id, [entry.lfs.sha256]).get(entry.lfs.sha256)
    if file is None:
        raise errors.entry_not_found(entry.path, revision.commit.hex())
    return OpenFile(entry, None, file)


async def sent_file(
    app: "App",
    request: Request,
    opened: OpenFile,
    headers: Mapping[str, str],
    *,
    redirect: Redirect | None = None,
    by_proxy: bool = True,
) -> Response:
    """Return the answer that sends a file, whole or in part; see `blob_response`."""
    if opened.content is not None:
        return bytes_response(request, opened.content, headers)
    lfs, file = opened.entry.lfs, opened.file
    assert lfs is not None
    assert file is not None
    return await file_response(
        app, request, lfs.sha256.hex(), file, headers=headers, redirect=redirect, by_proxy=by_proxy
    )

# SPDX-License-Identifier: Apache-2.0
"""The batch address of git-lfs: which files a client must send, and where they go or come from."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.blobs import whole_key
from hubkeep.http import read_json
from hubkeep.identity.rules import Action
from hubkeep.repos.access import Visit, visit
from hubkeep.transfer.cas.access import store_access
from hubkeep.transfer.cas.queries_epoch import current_epoch
from hubkeep.transfer.grants import DOWNLOAD_SECONDS, Grant, Purpose, grant_for
from hubkeep.transfer.offers import Actions, Offers
from hubkeep.transfer.queries import LinkedFile, link_present, linked_files
from hubkeep.transfer.queries_uploads import OpenUpload, continue_uploads
from hubkeep.transfer.rules import refused
from hubkeep.transfer.speech import lfs_answer, speaking_lfs
from hubkeep.transfer.wire import (
    BatchAction,
    BatchAnswer,
    BatchRequest,
    ObjectAnswer,
    ObjectError,
    ObjectSpec,
)

if TYPE_CHECKING:
    from hubkeep.app import App

# JavaScript's client writes the second.
_HASHES = ("sha256", "sha_256")
# Named by git-lfs alone, which hands all files of an answer to one program. That of `multipart` is
# huggingface_hub's (`hf lfs-enable-largefiles`) and can send nothing in one piece.
_GIT_LFS = "lfs-standalone-file"
_OTHER_SIZE = ObjectError(422, "This file has another size")


@dataclass(frozen=True, slots=True)
class _Looked:
    """What has been looked up for an upload, by whichever way it is to come."""

    visitor: Visit
    present: dict[bytes, LinkedFile]
    under_way: dict[bytes, OpenUpload] = field(default_factory=dict)
    epoch: str = ""


@speaking_lfs
async def batch(app: "App", request: Request) -> Response:
    """Say what to do for each file: nothing, PUT it, send it in parts or by Xet, or GET it.

    By Xet if the client knows it, since then no more is sent than is needed.

    Nothing has to be sent only of a file that this repository holds undamaged, or that the sender
    can read in another one (and which is linked here then): knowing its hash is not enough.
    """
    wanted = await read_json(request, BatchRequest)
    if wanted.hash_algo not in _HASHES:
        raise errors.conflict(f"The hash must be sha256, not {wanted.hash_algo!r}")
    # Once each, and without what is refused: the answers are put together at the end.
    good = {spec.oid: spec for spec in wanted.objects if refused(spec) is None}
    if wanted.operation == "download":
        return lfs_answer(await _download(app, request, wanted, good.values()))
    return lfs_answer(await _upload(app, request, wanted, good.values()))


async def _download(
    app: "App", request: Request, wanted: BatchRequest, good: Collection[ObjectSpec]
) -> BatchAnswer:
    oids = [bytes.fromhex(spec.oid) for spec in good]

    def work(conn: Connection) -> tuple[Visit, dict[bytes, LinkedFile]]:
        visitor = visit(conn, request, Action.READ, app.clock())
        return visitor, linked_files(conn, visitor.repo.id, oids)

    visitor, held = await app.db.read(work)
    objects: list[ObjectAnswer] = []
    for spec in wanted.objects:
        error = refused(spec)
        found = held.get(bytes.fromhex(spec.oid)) if error is None else None
        if found is None:
            error = error or ObjectError(404, "This repository has no such file")
            objects.append(ObjectAnswer(spec.oid, spec.size, error=error))
            continue
        grant = grant_for(visitor.actor, visitor.repo.id, spec.oid, found.size)
        action = await _download_action(app, request, grant, found)
        objects.append(ObjectAnswer(spec.oid, found.size, True, {"download": action}))
    return BatchAnswer("basic", objects)


async def _download_action(
    app: "App", request: Request, grant: Grant, file: LinkedFile
) -> BatchAction:
    href = None
    if file.whole and not file.is_damaged:
        href = await app.blobs.signed_get(whole_key(grant.oid), seconds=DOWNLOAD_SECONDS)
    if href is None:
        token = app.signer.sign(Purpose.GET, grant, seconds=DOWNLOAD_SECONDS)
        href = f"{app.base_url(request)}/lfs/objects/{token}"
    return BatchAction(href, expires_in=DOWNLOAD_SECONDS)


async def _upload(
    app: "App", request: Request, wanted: BatchRequest, good: Collection[ObjectSpec]
) -> BatchAnswer:
    oids = [bytes.fromhex(spec.oid) for spec in good]
    by_xet = "xet" in wanted.transfers

    def work(conn: Connection) -> _Looked:
        visitor = visit(conn, request, Action.WRITE, app.clock())
        present = link_present(conn, visitor.repo.id, visitor.actor, oids, app.clock())
        if by_xet:
            return _Looked(visitor, present, epoch=current_epoch(conn))
        under_way = continue_uploads(conn, visitor.repo.id, oids, app.clock())
        return _Looked(visitor, present, under_way)

    looked = await app.db.write(work)
    absent = [spec for spec in good if _is_wanted(spec, looked.present)]
    repo, actor = looked.visitor.repo, looked.visitor.actor
    offers = Offers(app, app.base_url(request), actor, repo.id)
    if by_xet:
        access = store_access(app, request, actor, repo.id, looked.epoch, may_write=True)
        actions = offers.by_xet(absent, repo, access)
    else:
        in_parts, alike = "multipart" in wanted.transfers, _GIT_LFS in wanted.transfers
        # Parts that are joined do not take the place of what is damaged.
        broken = {oid.hex() for oid, file in looked.present.items() if file.is_damaged}
        actions = await offers.make(
            absent, looked.under_way, in_parts=in_parts, alike=alike, whole=broken
        )
    offered = {spec.oid: spec.size for spec in good}
    objects = [_answer(spec, offered, looked.present, actions) for spec in wanted.objects]
    whole = "multipart" if offers.any_in_parts else "basic"
    return BatchAnswer("xet" if by_xet else whole, objects)


def _is_wanted(spec: ObjectSpec, present: dict[bytes, LinkedFile]) -> bool:
    held = present.get(bytes.fromhex(spec.oid))
    return held is None or (held.is_damaged and held.size == spec.size)


def _answer(
    spec: ObjectSpec,
    offered: dict[str, int],
    present: dict[bytes, LinkedFile],
    actions: dict[str, Actions],
) -> ObjectAnswer:
    error = refused(spec)
    if error is not None:
        return ObjectAnswer(spec.oid, spec.size, error=error)
    held = present.get(bytes.fromhex(spec.oid))
    if spec.size != (held.size if held else offered[spec.oid]):
        return ObjectAnswer(spec.oid, spec.size, error=_OTHER_SIZE)
    return ObjectAnswer(spec.oid, spec.size, True, actions.get(spec.oid))

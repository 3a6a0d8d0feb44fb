# SPDX-License-Identifier: Apache-2.0
"""Where a client sends its files to: signed addresses, in one piece or in parts, or by Xet."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.blobs import UploadMissing, whole_key
from hubkeep.identity.actor import Actor
from hubkeep.repos.types import Repo
from hubkeep.transfer.cas.access import TOKEN_SECONDS, access_headers
from hubkeep.transfer.cas.wire import StoreAccess
from hubkeep.transfer.grants import UPLOAD_SECONDS, Purpose, grant_for
from hubkeep.transfer.queries_uploads import NewUpload, OpenUpload, add_uploads, forget_uploads
from hubkeep.transfer.rules import (
    MOST_PARTS_AT_ONCE,
    PART_SIZE,
    number_of_parts,
    part_size_for,
)
from hubkeep.transfer.wire import BatchAction, ObjectSpec

if TYPE_CHECKING:
    from hubkeep.app import App

Actions: TypeAlias = dict[Literal["upload", "verify", "download"], BatchAction]


class Offers:
    """Makes the actions of one batch answer, for one actor who may write to one repository."""

    def __init__(self, app: "App", base_url: str, actor: Actor, repo_id: int) -> None:
        self._app = app
        self._base = base_url
        self._actor = actor
        self._repo_id = repo_id
        self.any_in_parts = False

    async def make(
        self,
        specs: Sequence[ObjectSpec],
        under_way: Mapping[bytes, OpenUpload],
        *,
        in_parts: bool,
        alike: bool = False,
        whole: Collection[str] = (),
    ) -> dict[str, Actions]:
        """Return the actions for each file, by oid; `in_parts` if the client knows `multipart`.

        With `alike` all come in parts if one does, or none do. Those that are in `whole` are to
        come in one piece all the same.
        An upload in parts that is `under_way` goes on: parts that came stay. 413 for more parts
        in all than one answer holds.
        """
        candidates = specs if in_parts else ()
        large = [spec for spec in candidates if spec.size > PART_SIZE and spec.oid not in whole]
        if alike and large:
            large = [] if any(spec.oid in whole or not spec.size for spec in specs) else specs
        if sum(number_of_parts(spec.size) for spec in large) > MOST_PARTS_AT_ONCE:
            raise errors.too_large(
                f"These files have more than {MOST_PARTS_AT_ONCE} parts; ask for fewer at once"
            )
        uploads = await self._uploads(large, under_way) if large else {}
        # Another size: somebody is sending what they say is the same file. One of them errs.
        fitting = {
            spec.oid: uploads[spec.oid]
            for spec in large
            if spec.oid in uploads and uploads[spec.oid].size == spec.size
        }
        if alike and len(fitting) < len(specs):
            fitting = {}
        actions: dict[str, Actions] = {}
        for spec in specs:
            upload = fitting.get(spec.oid)
            if upload is None:
                put = self._signed(Purpose.PUT, "objects", spec)
            else:
                put = await self._in_parts(spec, upload)
            actions[spec.oid] = {"upload": put, "verify": self._verify(spec)}
        return actions

    def by_xet(
        self, specs: Sequence[ObjectSpec], repo: Repo, access: StoreAccess
    ) -> dict[str, Actions]:
        """Return the actions for files that come in chunks, all to the same place."""
        href = f"{self._base}/api/{repo.type.plural}/{repo.path}/xet-write-token"
        send = BatchAction(href, access_headers(access), TOKEN_SECONDS)
        return {spec.oid: {"upload": send, "verify": self._verify(spec)} for spec in specs}

    def _verify(self, spec: ObjectSpec) -> BatchAction:
        return self._signed(Purpose.VERIFY, "verify", spec)

    def _signed(
        self, purpose: Purpose, where: str, spec: ObjectSpec, upload: str | None = None
    ) -> BatchAction:
        grant = grant_for(self._actor, self._repo_id, spec.oid, spec.size, upload)
        token = self._app.signer.sign(purpose, grant, seconds=UPLOAD_SECONDS)
        return BatchAction(f"{self._base}/lfs/{where}/{token}", expires_in=UPLOAD_SECONDS)

    async def _in_parts(self, spec: ObjectSpec, upload: OpenUpload) -> BatchAction:
        self.any_in_parts = True
        completion = self._signed(Purpose.PARTS, "parts", spec, upload.id)
        header = {"chunk_size": str(upload.part_size)}
        for number in range(1, -(-upload.size // upload.part_size) + 1):
            signed = await self._app.blobs.signed_part(
                upload.store_upload, number, seconds=UPLOAD_SECONDS
            )
            header[f"{number:05d}"] = signed or f"{completion.href}/{number}"
        return BatchAction(completion.href, header, UPLOAD_SECONDS)

    async def _uploads(
        self, specs: Sequence[ObjectSpec], under_way: Mapping[bytes, OpenUpload]
    ) -> dict[str, OpenUpload]:
        """Go on with the uploads that the store still has, and begin the others."""
        held: dict[bytes, OpenUpload] = {}
        begun: list[NewUpload] = []
        for spec in specs:
            oid = bytes.fromhex(spec.oid)
            upload = under_way.get(oid)
            if upload is not None and upload.size == spec.size and await self._is_open(upload):
                held[oid] = upload
            else:
                begun.append(await self._begin(spec))
        if begun:
            held |= await self._remember(begun, under_way)
        return {oid.hex(): upload for oid, upload in held.items()}

    async def _is_open(self, upload: OpenUpload) -> bool:
        try:
            await self._app.blobs.parts(upload.store_upload)
        except UploadMissing:
            return False
        return True

    async def _begin(self, spec: ObjectSpec) -> NewUpload:
        part_size = part_size_for(spec.size)
        store_upload = await self._app.blobs.begin_upload(
            whole_key(spec.oid), size=spec.size, part_size=part_size
        )
        return NewUpload(bytes.fromhex(spec.oid), spec.size, part_size, store_upload)

    async def _remember(
        self, begun: Sequence[NewUpload], under_way: Mapping[bytes, OpenUpload]
    ) -> dict[bytes, OpenUpload]:
        replaced = [under_way[new.sha256] for new in begun if new.sha256 in under_way]
        user_id = self._actor.user_id
        assert user_id is not None, "who may write is signed in"

        def work(conn: Connection) -> dict[bytes, OpenUpload]:
            forget_uploads(conn, [upload.id for upload in replaced])
            return add_uploads(conn, self._repo_id, user_id, begun, self._app.clock())

        held = await self._app.db.write(work)
        kept = {upload.store_upload for upload in held.values()}
        unused = [upload.store_upload for upload in (*replaced, *begun)]
        for store_upload in unused:
            if store_upload not in kept:
                await self._app.blobs.abort_upload(store_upload)
        return held

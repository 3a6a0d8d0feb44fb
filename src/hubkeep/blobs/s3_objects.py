# SPDX-License-Identifier: Apache-2.0
"""Whole objects on S3, through obstore. Imported by `s3` alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store as Bucket

from hubkeep.blobs.errors import BlobMissing, StoreUnavailable
from hubkeep.blobs.s3_place import S3Credentials, S3Place
from hubkeep.blobs.store import PIECE, StoredKey

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import S3Credential


@contextmanager
def obstore_errors(path: str) -> Generator[None]:
    """obstore's errors of the block as BlobMissing or StoreUnavailable."""
    try:
        yield
    except FileNotFoundError:
        raise BlobMissing(path) from None
    except BaseError as error:
        # The first line says it all; the rest is a dump of Rust structures.
        raise StoreUnavailable(str(error).partition("\n")[0]) from error


class S3Objects:
    """Objects in a place, by their path within its prefix."""

    def __init__(self, place: S3Place, credentials: S3Credentials) -> None:
        def provider() -> S3Credential:
            # Given as a callback, since obstore mixes plain settings with the environment's.
            return {
                "access_key_id": credentials.access_key,
                "secret_access_key": credentials.secret_key,
                "token": credentials.session_token,
                "expires_at": None,
            }

        plain = place.url.startswith("http:")
        self._bucket = Bucket(
            place.bucket,
            prefix=place.prefix or None,
            endpoint=place.url,
            # The environment's AWS_ENDPOINT_URL_S3 would go before `endpoint`.
            aws_endpoint_url_s3=place.url,
            region=place.region,
            virtual_hosted_style_request=False,
            disable_bulk_delete=True,
            unsigned_payload=not plain,
            credential_provider=provider,
            client_options={
                "allow_http": plain,
                "connect_timeout": timedelta(seconds=5),
                "read_timeout": timedelta(seconds=60),
                # The time of a whole request, which for a large blob is the client's to take.
                "timeout": timedelta(days=1),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=15)},
        )

    def blob(self, key: str) -> str:
        """The path of a key."""
        return f"blobs/{key}"

    async def size(self, path: str) -> int | None:
        """Bytes in the object, None if it is not there."""
        try:
            with obstore_errors(path):
                return (await obstore.head_async(self._bucket, path))["size"]
        except BlobMissing:
            return None

    async def create(self, path: str, content: bytes) -> bool:
        """Store a new object; False if there was one, which stays."""
        try:
            with obstore_errors(path):
                await obstore.put_async(
                    self._bucket, path, content, mode="create", use_multipart=False
                )
        except StoreUnavailable as error:
            if isinstance(error.__cause__, AlreadyExistsError):
                return False
            raise
        return True

    async def write(self, path: str, content: bytes) -> None:
        """Store a small object, over one that may be there."""
        with obstore_errors(path):
            await obstore.put_async(self._bucket, path, content, use_multipart=False)

    async def get(self, path: str) -> bytes:
        """A small object. BlobMissing."""
        with obstore_errors(path):
            answer = await obstore.get_async(self._bucket, path)
            return (await answer.bytes_async()).to_bytes()

    async def stream(
        self, path: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bytes [start, end), as far as there are any, in pieces of at most 1 MiB."""
        if start == end:  # which HTTP cannot ask for
            if await self.size(path) is None:
                raise BlobMissing(path)
            return
        options: GetOptions = {}
        if end is not None:
            options["range"] = (start, end)
        elif start:
            options["range"] = {"offset": start}
        try:
            with obstore_errors(path):
                answer = await obstore.get_async(self._bucket, path, options=options)
        except StoreUnavailable:
            # S3 refuses a range behind the end; only the size tells that from a failure.
            size = await self.size(path)
            if size is not None and start >= size:
                return
            raise
        with obstore_errors(path):
            async for chunk in answer.stream(min_chunk_size=PIECE // 2):
                for at in range(0, len(chunk), PIECE):
                    yield chunk[at : at + PIECE]

    async def delete(self, path: str) -> None:
        """Remove the object if it is there."""
        with suppress(BlobMissing), obstore_errors(path):
            await obstore.delete_async(self._bucket, path)

    async def listed(self, folder: str) -> AsyncGenerator[StoredKey, None]:
        """The objects below a folder; their keys are paths."""
        with obstore_errors(folder):
            async for some in obstore.list(self._bucket, prefix=folder, chunk_size=500):
                for meta in some:
                    yield StoredKey(meta["path"], meta["size"], meta["last_modified"])

# SPDX-License-Identifier: Apache-2.0
"""What obstore cannot do on S3: multipart uploads step by step, signing of parts, large copies.

Everything here blocks. Imported by `s3` alone, so that boto3 is needed for S3 stores only.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import IO
from urllib.parse import quote

from boto3.s3.transfer import TransferConfig
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from hubkeep.blobs.errors import BadParts, BlobMissing, NoSpace, StoreUnavailable, UploadMissing
from hubkeep.blobs.s3_place import S3Credentials, S3Place

_MISSING = frozenset({"404", "NoSuchKey"})
_BAD_PARTS = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall"})
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull"})

# One request for each 256 MiB: few, and none so long that nothing is heard of it for a minute.
_COPYING = TransferConfig(multipart_threshold=256 << 20, multipart_chunksize=256 << 20)


@contextmanager
def boto_errors(upload: str = "") -> Generator[None]:
    """boto3's errors of the block as ours; `upload` is named if S3 does not know what it needs."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "NoSuchUpload":
            raise UploadMissing(upload) from error
        if code in _MISSING:
            raise BlobMissing(upload) from error
        if code in _BAD_PARTS:
            raise BadParts([], f"S3 says {code}") from error
        kind = NoSpace if code in _FULL else StoreUnavailable
        raise kind(str(error)) from error
    except BotoCoreError as error:
        raise StoreUnavailable(str(error)) from error


class S3Parts:
    """boto3 for one place. Paths are within its prefix; `s3_id` is S3's id of a multipart."""

    def __init__(self, place: S3Place, credentials: S3Credentials) -> None:
        self._place = place
        self._client = _client(place.url, place, credentials)
        self._signer = _client(place.public, place, credentials) if place.public else self._client

    def create(self, path: str) -> str:
        """Begin a multipart upload; gives its id."""
        with boto_errors():
            return self._client.create_multipart_upload(**self._at(path))["UploadId"]

    def send(
        self, path: str, s3_id: str, number: int, content: bytes | IO[bytes], upload: str = ""
    ) -> str:
        """Store one part; gives its etag without quotes. UploadMissing."""
        with boto_errors(upload):
            answer = self._client.upload_part(
                **self._at(path), UploadId=s3_id, PartNumber=number, Body=content
            )
            return answer["ETag"].strip('"')

    def received(self, path: str, s3_id: str, upload: str) -> dict[int, tuple[str, int]]:
        """Etag and size of each part that is there. UploadMissing."""
        with boto_errors(upload):
            pages = self._client.get_paginator("list_parts").paginate(
                **self._at(path), UploadId=s3_id
            )
            return {
                part["PartNumber"]: (part["ETag"].strip('"'), part["Size"])
                for page in pages
                for part in page.get("Parts", [])
            }

    def complete(self, path: str, s3_id: str, etags: Mapping[int, str], upload: str = "") -> None:
        """Join the parts into an object. UploadMissing, BadParts."""
        parts = [{"PartNumber": n, "ETag": f'"{etag}"'} for n, etag in sorted(etags.items())]
        with boto_errors(upload):
            self._client.complete_multipart_upload(
                **self._at(path), UploadId=s3_id, MultipartUpload={"Parts": parts}
            )

    def abort(self, path: str, s3_id: str) -> None:
        """Forget a multipart upload, if it is there."""
        try:
            with boto_errors():
                self._client.abort_multipart_upload(**self._at(path), UploadId=s3_id)
        except UploadMissing:
            return

    def begun_before(self, moment: datetime) -> Iterator[tuple[str, str]]:
        """Path and id of the multipart uploads that are older and not complete."""
        root = self._place.full("")
        with boto_errors():
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._place.bucket, Prefix=root
            )
            for page in pages:
                for found in page.get("Uploads", []):
                    if found["Initiated"] < moment:
                        yield found["Key"].removeprefix(root), found["UploadId"]

    def copy(self, source: str, target: str) -> None:
        """Copy within the bucket, in the service, also above the 5 GB of one request.

        `target` may be `source`: it counts as modified now. BlobMissing.
        """
        with boto_errors(source):
            self._client.copy(
                self._at(source),
                **self._at(target),
                ExtraArgs={"MetadataDirective": "REPLACE"},
                Config=_COPYING,
            )

    def renew(self, path: str) -> bool:
        """Make an object count as modified now; False if it is not there."""
        try:
            self.copy(path, path)
        except BlobMissing:
            return False
        return True

    def sign_part(self, path: str, s3_id: str, number: int, size: int, seconds: int) -> str:
        """Where to PUT a part of exactly `size` bytes: the length is signed too."""
        part = {"UploadId": s3_id, "PartNumber": number, "ContentLength": size}
        return self._signer.generate_presigned_url(
            "upload_part", Params={**self._at(path), **part}, ExpiresIn=seconds
        )

    def sign_get(
        self,
        path: str,
        seconds: int,
        filename: str | None,
        content_type: str | None,
        span: tuple[int, int] | None,
    ) -> str:
        """Where to GET an object, as an attachment of this name and of this type.

        A Range that is signed must be sent, and S3 takes no other one.
        """
        params = self._at(path)
        if span is not None:
            params["Range"] = f"bytes={span[0]}-{span[1] - 1}"
        if filename is not None:
            params["ResponseContentDisposition"] = _attachment(filename)
        if content_type is not None:
            params["ResponseContentType"] = content_type
        return self._signer.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds)

    def sign_put(self, path: str, size: int, seconds: int) -> str:
        """Where to PUT an object of exactly `size` bytes: the length is signed too."""
        return self._signer.generate_presigned_url(
            "put_object", Params={**self._at(path), "ContentLength": size}, ExpiresIn=seconds
        )

    def delete(self, path: str) -> None:
        """Remove the object if it is there."""
        with boto_errors():
            self._client.delete_object(**self._at(path))

    def close(self) -> None:
        """Close connections."""
        self._client.close()
        self._signer.close()

    def _at(self, path: str) -> dict[str, str]:
        return {"Bucket": self._place.bucket, "Key": self._place.full(path)}


def _client(endpoint: str, place: S3Place, credentials: S3Credentials):  # noqa: ANN202 - made at run time
    """A boto3 client that takes nothing from the environment but its certificates.

    Checksums that only Amazon knows are left out. The payload is signed over plain HTTP, where
    nothing else protects it, and not over TLS, where it would only cost a second hashing.
    """
    session = Session(
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.session_token,
        region_name=place.region,
    )
    style = "path" if place.endpoint else "auto"
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": style, "payload_signing_enabled": endpoint.startswith("http:")},
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 4},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        ignore_configured_endpoint_urls=True,
    )
    return session.client("s3", endpoint_url=endpoint, config=config)


def _attachment(filename: str) -> str:
    """Content-Disposition for any name (RFC 6266): plain ASCII first, then the name itself."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"

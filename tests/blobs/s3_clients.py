# SPDX-License-Identifier: Apache-2.0
"""Clients of S3: who looks into a bucket, and who is handed a signed address."""

from __future__ import annotations

import urllib.error
import urllib.request


def objects(s3_client, prefix: str) -> list[str]:
    found = s3_client.list_objects_v2(Bucket="blobs", Prefix=prefix + "/").get("Contents", [])
    return sorted(item["Key"].removeprefix(prefix + "/") for item in found)


def multiparts(s3_client, prefix: str) -> list[str]:
    found = s3_client.list_multipart_uploads(Bucket="blobs", Prefix=prefix + "/")
    return [item["Key"] for item in found.get("Uploads", [])]


def fetch(url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.read(), dict(answer.headers)


def send(url: str, data: bytes) -> str:
    """PUT as a client of git-lfs does; gives the etag."""
    plain = {"Content-Type": "application/octet-stream"}
    request = urllib.request.Request(url, data=data, method="PUT", headers=plain)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers["ETag"]


def expect_refusal(url: str, data: bytes) -> int:
    try:
        send(url, data)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    return 200

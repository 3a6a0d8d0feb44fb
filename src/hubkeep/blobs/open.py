# SPDX-License-Identifier: Apache-2.0
"""The store that a setting names."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from hubkeep.blobs.local import LocalStore
from hubkeep.blobs.memory import MemoryStore
from hubkeep.blobs.s3_place import S3Credentials, S3Place
from hubkeep.blobs.store import BlobStore


def open_store(url: str, *, credentials: S3Credentials | None = None) -> BlobStore:
    """The store at `url`.

    - a path, or `file:///path`: a folder on this machine, made if it is not there;
    - `memory:`: nothing is kept;
    - `s3://bucket/prefix?endpoint=...&region=...`: S3, which needs `credentials` (never taken from
      the environment) and the extra `hubkeep[s3]`. `region` is us-east-1 and `endpoint` Amazon's
      unless given. `public=` is the endpoint as clients reach it, where that differs;
      `direct=no` has all bytes go through the hub, for clients that cannot reach S3 at all.

    Raises ValueError for a URL that it does not understand, ModuleNotFoundError without the extra.
    """
    if url == "memory:":
        return MemoryStore()
    folder = folder_of(url)
    if folder is not None:
        return LocalStore(folder)
    if urlsplit(url).scheme == "s3":
        return _open_s3(url, credentials)
    raise ValueError(f"not a blob store: {url}")


def folder_of(url: str) -> Path | None:
    """The folder of the store at `url`, None where that is no folder on this machine. ValueError
    for a `file:` URL that names none.
    """
    if url == "memory:":
        return None
    if "://" not in url:
        return Path(url.removeprefix("file:")).absolute()
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    if parts.netloc not in {"", "localhost"} or parts.query or not parts.path:
        raise ValueError(f"not a local folder: {url}")
    return Path(unquote(parts.path))


def _open_s3(url: str, credentials: S3Credentials | None) -> BlobStore:
    from hubkeep.blobs.s3 import S3Store

    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    if unknown := options.keys() - {"endpoint", "region", "public", "direct"}:
        raise ValueError(f"unknown in {url}: {', '.join(sorted(unknown))}")
    if not parts.netloc or options.get("direct", "yes") not in {"yes", "no"}:
        raise ValueError(f"not a bucket: {url}")
    if credentials is None:
        raise ValueError(f"{url} needs credentials")
    place = S3Place(
        bucket=parts.netloc,
        prefix=unquote(parts.path).strip("/"),
        region=options.get("region", "us-east-1"),
        endpoint=options.get("endpoint"),
        public=options.get("public"),
        direct=options.get("direct", "yes") == "yes",
    )
    return S3Store(place, credentials)

# SPDX-License-Identifier: Apache-2.0
"""Content stores: immutable bytes under keys, in memory, in a folder, or on S3.

`open_store` gives the store that a setting names; `BlobStore` says what every store guarantees.
"""

from hubkeep.blobs.errors import (
    BadContent,
    BadKey,
    BadParts,
    BlobError,
    BlobMissing,
    HashMismatch,
    NoSpace,
    SizeMismatch,
    StoreUnavailable,
    UploadMissing,
)
from hubkeep.blobs.open import folder_of, open_store
from hubkeep.blobs.parted import MOST_PARTS
from hubkeep.blobs.s3_place import S3Credentials
from hubkeep.blobs.store import (
    Batch,
    BlobStore,
    Check,
    SignedPut,
    StoredKey,
    StoredUpload,
    check_key,
    whole_key,
    xorb_key,
)

__all__ = [
    "MOST_PARTS",
    "BadContent",
    "BadKey",
    "BadParts",
    "Batch",
    "BlobError",
    "BlobMissing",
    "BlobStore",
    "Check",
    "HashMismatch",
    "NoSpace",
    "S3Credentials",
    "SignedPut",
    "SizeMismatch",
    "StoreUnavailable",
    "StoredKey",
    "StoredUpload",
    "UploadMissing",
    "check_key",
    "folder_of",
    "open_store",
    "whole_key",
    "xorb_key",
]

# SPDX-License-Identifier: Apache-2.0
"""Where an S3 store is and who we are there: no S3 library needed to say so."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class S3Credentials:
    """A pair of S3 keys, and the session token if they are temporary."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket, and a prefix in it without slashes at its ends ("" is the whole bucket)."""

    bucket: str
    prefix: str = ""
    region: str = "us-east-1"
    endpoint: str | None = None
    """None: Amazon's for the region."""
    public: str | None = None
    """The endpoint in addresses that are signed for clients; None: the same."""
    direct: bool = True
    """Whether clients can reach the endpoint at all; if not, nothing is signed."""

    @property
    def url(self) -> str:
        """The endpoint that the hub calls."""
        return self.endpoint or f"https://s3.{self.region}.amazonaws.com"

    def full(self, path: str) -> str:
        """The object's name in the bucket."""
        return f"{self.prefix}/{path}" if self.prefix else path

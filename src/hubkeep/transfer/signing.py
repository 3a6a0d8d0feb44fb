# SPDX-License-Identifier: Apache-2.0
"""Addresses that carry their own right, for clients that send no credentials with an upload.

The Python and JavaScript clients PUT to an LFS `href` without `Authorization` and ignore the
headers that the batch answer names, so the right has to be in the address.
"""

import base64
import hashlib
import hmac
from typing import TypeVar

import msgspec

from hubkeep.identity.actor import Actor
from hubkeep.kit.time import Clock

T = TypeVar("T")


class BadSignature(ValueError):
    """Not signed by this hub for this purpose, altered, or expired."""


def sign_in_of(actor: Actor) -> tuple[str | None, str | None, str | None, str | None]:
    """Return what claims say of how somebody signed in: account, token, password and session, none
    of which is ever somebody else's. SQLite gives the id of the newest row again once that is gone.
    """
    user = actor.user.public_id if actor.user else None
    return user, actor.token.public_id if actor.token else None, actor.password, actor.session


class _Envelope(msgspec.Struct, array_like=True, frozen=True):
    purpose: str
    expires_at: int
    claims: msgspec.Raw


class Signer:
    """Signs small structs; purpose and expiry are signed too, so that nothing can be spliced."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._key = hashlib.sha256(b"hubkeep signed address\0" + secret).digest()
        self._clock = clock

    def sign(self, purpose: str, claims: msgspec.Struct, *, seconds: int) -> str:
        """Return a token, safe in a path segment, that `open` takes for `seconds`."""
        raw = msgspec.Raw(msgspec.json.encode(claims))
        body = msgspec.json.encode(_Envelope(purpose, self._clock() + seconds * 1000, raw))
        return f"{_b64(body)}.{_b64(self._mac(body))}"

    def open(self, purpose: str, token: str, kind: type[T]) -> T:
        """Return the claims of a token made by `sign` for the same purpose. BadSignature."""
        body_text, _, mac_text = token.partition(".")
        try:
            body, mac = _unb64(body_text), _unb64(mac_text)
        except ValueError as bad:
            raise BadSignature("malformed") from bad
        if not hmac.compare_digest(mac, self._mac(body)):
            raise BadSignature("wrong signature")
        envelope = msgspec.json.decode(body, type=_Envelope)
        if envelope.purpose != purpose:
            raise BadSignature("made for something else")
        if envelope.expires_at <= self._clock():
            raise BadSignature("expired")
        try:
            return msgspec.json.decode(envelope.claims, type=kind)
        except msgspec.DecodeError as bad:
            raise BadSignature("made by another version of this hub") from bad

    def derive_key(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose, always the same, that tell nothing of this hub's secret.

        What is signed is JSON, so no signature is ever such a key.
        """
        return self._mac(b"key\0" + purpose.encode())

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

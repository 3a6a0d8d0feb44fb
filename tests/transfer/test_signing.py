# SPDX-License-Identifier: Apache-2.0
"""Signed addresses: what was signed comes back, and nothing else is believed."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.transfer.signing import BadSignature, Signer
from tests.transfer.town import Time


class Claims(msgspec.Struct, array_like=True):
    text: str
    number: int


class NewerClaims(msgspec.Struct, array_like=True):
    text: str
    number: int
    more: str


@given(text=st.text(), number=st.integers(-(2**62), 2**62))
def test_what_was_signed_comes_back(text: str, number: int):
    signer = Signer(b"secret", Time())
    token = signer.sign("p", Claims(text, number), seconds=1)
    assert signer.open("p", token, Claims) == Claims(text, number)


@given(at=st.integers(0, 200), by=st.characters())
def test_an_altered_token_is_refused(at: int, by: str):
    signer = Signer(b"secret", Time())
    token = signer.sign("p", Claims("x", 1), seconds=1)
    at %= len(token)
    altered = token[:at] + by + token[at + 1 :]
    try:
        opened = signer.open("p", altered, Claims)
    except BadSignature:
        assert altered != token
    else:  # the same token, or one that differs in the bits of base64 that mean nothing
        assert opened == Claims("x", 1)


def test_time_purpose_secret_and_version_count():
    time = Time()
    signer = Signer(b"secret", time)
    token = signer.sign("p", Claims("x", 1), seconds=1)
    for other, purpose, kind in (
        (Signer(b"other", time), "p", Claims),
        (signer, "q", Claims),
        (signer, "p", NewerClaims),
    ):
        with pytest.raises(BadSignature):
            other.open(purpose, token, kind)
    time.now += 1000
    with pytest.raises(BadSignature, match="expired"):
        signer.open("p", token, Claims)

# SPDX-License-Identifier: Apache-2.0
"""Passwords: argon2id with the library's defaults (64 MiB, 200 ms: never on the event loop)."""

import hashlib
import secrets
from functools import cache

MIN_LENGTH = 8
MAX_LENGTH = 1024

# Without what looks like something else in some type: 0 and o, 1, i and l.
_CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"


class BadPassword(ValueError):
    """The password cannot be used; the text says why."""


def hash_password(password: str) -> str:
    """Return what is stored of a password. BadPassword if it is too short, or absurdly long."""
    from argon2 import PasswordHasher

    if not could_be(password):
        raise BadPassword(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    return PasswordHasher().hash(password)


def new_password() -> str:
    """Return a password that nobody can guess (79 bits) and that can be told over the telephone."""
    return "-".join("".join(secrets.choice(_CLEAR) for _ in range(4)) for _ in range(4))


def could_be(password: str) -> bool:
    """Say whether anybody can have this password: whether it is neither too short nor too long."""
    return MIN_LENGTH <= len(password) <= MAX_LENGTH


def is_password(stored: str | None, password: str) -> bool:
    """Say whether this is the password that `stored` was made of.

    Takes as long where nothing is stored, so that nobody learns from it who has an account.
    """
    from argon2 import PasswordHasher
    from argon2.exceptions import VerifyMismatchError

    decoy = _decoy()
    try:
        PasswordHasher().verify(decoy if stored is None else stored, password)
    except VerifyMismatchError:
        return False
    return stored is not None


def fingerprint(stored: str) -> str:
    """Return what tells a stored password from the next one, and nothing else of it."""
    return hashlib.sha256(b"password\0" + stored.encode()).hexdigest()[:16]


@cache
def _decoy() -> str:
    from argon2 import PasswordHasher

    return PasswordHasher().hash("nobody's password")

# SPDX-License-Identifier: Apache-2.0
"""Passwords: argon2id with the library's defaults (64 MiB, 200 ms: never on the event loop)."""

MIN_LENGTH = 8
MAX_LENGTH = 1024


class BadPassword(ValueError):
    """The password cannot be used; the text says why."""


def hash_password(password: str) -> str:
    """Return what is stored of a password. BadPassword if it is too short, or absurdly long."""
    from argon2 import PasswordHasher

    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise BadPassword(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    return PasswordHasher().hash(password)

# SPDX-License-Identifier: Apache-2.0
"""Public ids: 24 hexadecimal digits, unique, ordered by time of birth to the second."""

import secrets
import time


def new_id() -> str:
    """Return a fresh public id: 4 bytes of Unix seconds, then 8 random bytes, in hex.

    The shape is that of the `_id` fields that Hugging Face clients know.
    """
    return int(time.time()).to_bytes(4, "big").hex() + secrets.token_hex(8)

# SPDX-License-Identifier: Apache-2.0
"""JSON of strangers as values."""

import re
from typing import Final

import msgspec

# One escape of a JSON string: a pair of surrogates, half of one, or any other.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class NotJson(ValueError):
    """Text that is no JSON, or of such a depth that nobody reads it."""


def decoded(text: bytes) -> object:
    """Return the value that JSON tells. NotJson.

    Half of a surrogate pair, which no text can hold but any card can name, becomes U+FFFD.
    """
    try:
        try:
            return msgspec.json.decode(text)
        except ValueError:
            # Seldom, so that only then the text is gone through.
            whole = _ESCAPE.sub(lambda found: rb"\ufffd" if found["half"] else found[0], text)
            return msgspec.json.decode(whole)
    except RecursionError as error:
        raise NotJson("it is nested too deeply") from error
    except ValueError as error:
        raise NotJson(str(error)[:200]) from error

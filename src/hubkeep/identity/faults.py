# SPDX-License-Identifier: Apache-2.0
"""What is wrong with what people write of themselves: a text each, empty if it is fine."""

import re

from hubkeep.identity.names import BadName, check_account_name
from hubkeep.identity.passwords import MAX_LENGTH, MIN_LENGTH, could_be
from hubkeep.kit.text import storable

FULLNAME_LIMIT = 128
EMAIL_LIMIT = 320
ABOUT_LIMIT = 2000

PASSWORD_RULES = f"At least {MIN_LENGTH} characters; a few words that do not belong together do."

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def name_fault(name: str) -> str:
    """Say why no account may be called so."""
    if not name:
        return "Choose a name."
    try:
        check_account_name(name)
    except BadName as bad:
        return str(bad)
    return ""


def fullname_fault(text: str) -> str:
    """Say what is wrong with a name that people read."""
    return _line_fault(text, FULLNAME_LIMIT)


def email_fault(text: str) -> str:
    """Say what is wrong with an e-mail address; none is fine."""
    if text and not _EMAIL.fullmatch(text):
        return "This is no e-mail address."
    return _line_fault(text, EMAIL_LIMIT)


def about_fault(text: str) -> str:
    """Say what is wrong with a text of some lines about an account."""
    if len(text) > ABOUT_LIMIT:
        return f"At most {ABOUT_LIMIT} characters; these are {len(text)}."
    if _CONTROL_BUT_LINES.search(text) or not storable(text):
        return "There are control characters in it."
    return ""


def password_fault(password: str, name: str) -> str:
    """Say why the account of this name may not have this password."""
    if len(password) < MIN_LENGTH:
        return f"At least {MIN_LENGTH} characters."
    if not could_be(password):
        return f"At most {MAX_LENGTH} characters."
    if password.lower() == name.lower():
        return "The name is the first thing that somebody would try."
    return ""


def _line_fault(text: str, most: int) -> str:
    if len(text) > most:
        return f"At most {most} characters."
    if _CONTROL.search(text) or not storable(text):
        return "There are control characters in it."
    return ""

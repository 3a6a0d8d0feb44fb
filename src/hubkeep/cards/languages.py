# SPDX-License-Identifier: Apache-2.0
"""Language codes in cards.

Rule rather than table: ISO 639-1 codes have two letters, 639-2 and 639-3 three, and a few values
stand for something else. Source: the `language` field in
https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

import re

from hubkeep.cards.values import strings

_CODE = re.compile(r"[a-z]{2,3}")
# BCP 47: a code with a script, a region or a variant (`zh-Hans`, `pt-BR`). The Hub indexes them as
# written although its documentation wants them in `language_bcp47`.
_BCP47 = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){1,3}")
SPECIAL = frozenset({"code", "multilingual"})


def is_language(code: str) -> bool:
    """Whether `code` has the shape of an ISO 639 code or is one of the special values."""
    return code in SPECIAL or _CODE.fullmatch(code) is not None


def languages(value: object) -> list[str]:
    """The codes in a card's `language`, unique and in order; what is no code is left out."""
    return [
        code
        for code in strings(value, limit=64)
        if is_language(code) or _BCP47.fullmatch(code) is not None
    ]

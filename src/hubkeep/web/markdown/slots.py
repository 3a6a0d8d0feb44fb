# SPDX-License-Identifier: Apache-2.0
"""Places kept in a text for HTML that we wrote ourselves, filled after it is sanitised."""

import re
import secrets
from html import escape
from typing import Literal

SLOT = "data-slot"


class Slots:
    """HTML held back from the sanitiser, by numbers that a text cannot forge.

    Code with its colours, MathML and diagrams hold nothing of the user's but escaped text. They
    are put in last, so that the sanitiser's list needs to name neither MathML nor the classes of
    code, and a user's own stay out.

    A place is an empty element with an attribute that holds a random name. It is recognised by
    its markup alone: the same characters in an attribute's value or in text are escaped by the
    sanitiser, and stay text.
    """

    def __init__(self) -> None:
        self._name = secrets.token_hex(8)
        self._held: list[tuple[str, str]] = []
        self._pattern = re.compile(
            rf'<(?P<element>span|div|pre) {SLOT}="{self._name}-(?P<number>\d+)"></(?P=element)>'
        )

    def hold(self, html: str, element: Literal["span", "div", "pre"], text: str = "") -> str:
        """Keep HTML; return what stands for it: an element that may be where the HTML may be.

        `text` is what it says, where there is room for text alone.
        """
        self._held.append((html, text))
        return f'<{element} {SLOT}="{self._name}-{len(self._held) - 1}"></{element}>'

    def fill(self, html: str) -> str:
        """Put what was held into its places."""
        return self._pattern.sub(lambda match: self._held[int(match["number"])][0], html)

    def texts(self, html: str) -> str:
        """Put the texts of what was held into its places."""
        return self._pattern.sub(lambda match: escape(self._held[int(match["number"])][1]), html)

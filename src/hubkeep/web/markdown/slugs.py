# SPDX-License-Identifier: Apache-2.0
"""Names of headings in addresses, as GitHub makes them."""

import unicodedata

from hubkeep.web.markdown.places import ANCHOR, anchor

_MAX = 100


class Slugs:
    """The ids of one text: each is given once."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._next: dict[str, int] = {}

    def own(self, name: str) -> str | None:
        """A name that the author chose; None if it is given, or no id at all."""
        if name in self._given or ANCHOR.fullmatch(name) is None:
            return None
        self._given.add(name)
        return name

    def of(self, text: str) -> str:
        """The id of a heading: "some-words", and "some-words-1" for the next of that name."""
        slug = anchor(slugged(text) or "section")
        number = self._next.get(slug, 0)
        name = f"{slug}-{number}" if number else slug
        while name in self._given:
            number += 1
            name = f"{slug}-{number}"
        self._next[slug] = number + 1
        self._given.add(name)
        return name


def slugged(text: str) -> str:
    """Words in lower case, a hyphen for each blank, nothing but letters, digits, "_" and "-"."""
    kept = (
        "-" if character == " " else character
        for character in text.lower()
        if character in " -_" or character.isalnum() or unicodedata.category(character)[0] == "M"
    )
    return "".join(kept)[:_MAX]

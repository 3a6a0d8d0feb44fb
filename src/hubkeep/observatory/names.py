# SPDX-License-Identifier: Apache-2.0
"""How many parameters a model has by its name, where nothing better is known: `Llama-2-7b-hf`.

Names lie: of data ("300b" tokens), of windows ("1m"), of bits ("4bit") and of hashes. What is not
plainly a size is none, since a wrong number is worse than none.
"""

import re
from typing import Final

CANDIDATE: Final = r"[0-9][bBmM]"
"""What any name with a size has in it; for leaving out the rest before anything is looked at."""

_MOST: Final = 2_000e9
# Lengths of data, not of models, where nothing else is said: 300b tokens, 100m words.
_DATA: Final = frozenset({"200b", "300b", "400b", "500b", "1000b", "10m", "100m"})
_HASH: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![a-z0-9])[0-9a-f]{16,}"
)
_SHORTEST_HASH: Final = 16
# A word may stand right before the number (llama7b), a letter may not: A3B are the parameters of a
# mixture that are active, E2B are "effective" ones, and most others are hashes.
_SIZE: Final = re.compile(
    r"(?<![a-z0-9.])(?P<word>[a-z]{2,})?"
    r"(?:(?P<experts>[2-9]|[1-9]\d|1\d\d)x)?"
    r"(?P<number>0?\.\d{1,3}|[1-9]\d{0,3}(?:\.\d{1,3})?)"
    r"(?P<unit>[bm])(?P<tenth>\d)?(?:x(?P<times>[2-9]|1\d))?"
    r"(?![a-z0-9])(?![-_. ]?(?:tok|word|step|sample|image|row|char|bit|bpw))",
    re.ASCII,
)
# Words before a number that is the size of a set of data.
_SETS: Final = frozenset(
    {"laion", "merged", "datacomp", "dfn", "pile", "webli", "cc", "yfcc", "imagenet", "redpajama"}
)
# The second and third Llama, written without anything between its number and its size.
_LLAMAS: Final = {"27": "7", "213": "13", "270": "70", "38": "8", "370": "70"}


def parameters_of_name(repo_id: str) -> int | None:
    """Return the number of parameters that a name tells of; None where it tells none.

    The first size counts, billions before millions; a mixture as `8x7B` is the product, which is a
    little more than it has, since its experts share some.
    """
    name = repo_id.rpartition("/")[2].lower()
    if len(name) >= _SHORTEST_HASH:
        name = _HASH.sub("", name)
    found = [match for match in _SIZE.finditer(name) if _is_size(match)]
    sized = sorted(found, key=lambda match: match["unit"])
    return next((size for match in sized if (size := _size(match)) is not None), None)


def _is_size(match: re.Match[str]) -> bool:
    if match["word"] in _SETS:
        return False
    if match["unit"] == "m" and (match["tenth"] or len(match["number"].partition(".")[0]) < 2):
        return False
    whole, point, _ = match["number"].partition(".")
    # Nobody writes a large model's size with a fraction: these count the tokens that it has seen.
    return match["number"] + match["unit"] not in _DATA and not (point and len(whole) > 2)


def _size(match: re.Match[str]) -> int | None:
    number = match["number"]
    if match["word"] == "llama":
        number = _LLAMAS.get(number, number)
    if match["tenth"]:
        # As BLOOM and RWKV write it: 7b1 is 7.1 billion.
        if "." in number:
            return None
        number += f".{match['tenth']}"
    unit = 1e9 if match["unit"] == "b" else 1e6
    size = float(number) * unit * int(match["experts"] or 1) * int(match["times"] or 1)
    return round(size) if 0 < size <= _MOST else None

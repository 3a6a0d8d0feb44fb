# SPDX-License-Identifier: Apache-2.0
"""The YAML block at the head of a README (its front matter), and the text after it."""

import re
from dataclasses import dataclass

from hubkeep.cards.values import encodable
from hubkeep.cards.yaml_events import YamlProblem, parse_yaml

MAX_BLOCK_CHARS = 256 * 1024

# As `REGEX_YAML_BLOCK` of huggingface_hub's repocard.py finds it (white space before the first
# line, any line ending), and more lenient in two points that people's editors produce: a byte
# order mark, and blanks after the opening dashes.
_OPENING = re.compile(r"\ufeff?\s*---[ \t]*(?:\r\n|\r|\n)")
_CLOSING = re.compile(r"(?:\r\n|\r|\n)---[ \t]*(?:\r\n|\r|\n|\Z)")


@dataclass(frozen=True)
class FrontMatter:
    """A README taken apart.

    `data` is the block's mapping, of JSON values only (`json.dumps(..., allow_nan=False)` takes
    it); `{}` for an empty block; None when there is no block or when it cannot be read, and then
    `error` says why. `body` is the text after the block, or all of it when there is none.
    """

    data: dict[str, object] | None
    body: str
    error: str | None = None


def split_front_matter(readme: bytes | str) -> FrontMatter:
    """Take a README apart. Never raises: what is wrong with the block is in `error`."""
    text = readme.decode("utf-8", "replace") if isinstance(readme, bytes) else readme
    text = encodable(text)
    opening = _OPENING.match(text)
    if opening is None:
        return FrontMatter(None, text.removeprefix("\ufeff"))
    start = opening.end()
    # From the opening's own line end, so that a block of no lines is closed by the next one.
    closing = _CLOSING.search(text, start - 1)
    if closing is None:
        return FrontMatter(None, text.removeprefix("\ufeff"))
    body = text[closing.end() :]
    block = text[start : max(start, closing.start())]
    if len(block) > MAX_BLOCK_CHARS:
        return FrontMatter(None, body, f"metadata block larger than {MAX_BLOCK_CHARS} characters")
    try:
        data = parse_yaml(block, first_line=1 + len(opening.group().splitlines()))
    except YamlProblem as problem:
        return FrontMatter(None, body, str(problem))
    if data is None:
        return FrontMatter({}, body)
    if not isinstance(data, dict):
        return FrontMatter(None, body, "repo card metadata block should be a mapping")
    return FrontMatter({str(key): value for key, value in data.items()}, body)

# SPDX-License-Identifier: Apache-2.0
"""The hash that pages compute, against that of the standard library."""

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from hubkeep.web.assets import Assets

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Around the ends of blocks, and of the room that the length has in the last one.
SIZES = (0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 129, 1000, 65_537)
STEPS = (1, 7, 55, 63, 64, 65, 1000)
PIECE = 16 << 20

_BYTES = "const given = Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 255);"


def given(size: int) -> bytes:
    """The same bytes as the page makes."""
    return bytes((at * 31 + (at >> 8)) & 255 for at in range(size))


@pytest.fixture
def in_page(page: "Page"):
    """Run a script in a page of the hub, with the hash at hand."""
    page.goto("/")
    module = Assets().url("js/sha256.js")

    def run(script: str, argument: Any) -> Any:
        return page.evaluate(
            f"async (argument) => {{ const {{ Sha256 }} = await import('{module}'); {script} }}",
            argument,
        )

    return run


def test_it_is_sha256_for_every_kind_of_end(in_page):
    got = in_page(
        f"return argument.map((size) => {{ {_BYTES} return new Sha256().update(given).hex(); }})",
        list(SIZES),
    )
    assert got == [hashlib.sha256(given(size)).hexdigest() for size in SIZES]


def test_it_does_not_matter_in_which_pieces_bytes_come(in_page):
    script = f"""
        const size = 5000;
        {_BYTES}
        return argument.map((step) => {{
          const hash = new Sha256();
          for (let at = 0; at < size; at += step) hash.update(given.subarray(at, at + step));
          return hash.hex();
        }});
    """
    got = in_page(script, list(STEPS))
    assert got == [hashlib.sha256(given(5000)).hexdigest()] * len(STEPS)


def test_more_bits_than_a_word_can_count(in_page):
    """Over 512 MiB the number of bits needs more than 32 of them."""
    count = (1 << 29) // PIECE + 1
    script = f"""
        const hash = new Sha256();
        const piece = new Uint8Array({PIECE});
        for (let at = 0; at < argument; at += 1) hash.update(piece);
        return hash.hex();
    """
    expected = hashlib.sha256()
    for _ in range(count):
        expected.update(bytes(PIECE))
    assert in_page(script, count) == expected.hexdigest()

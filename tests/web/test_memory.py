# SPDX-License-Identifier: Apache-2.0
"""What models need to run, by the width of their numbers."""

from hubkeep.web.memory import fits_on, needs


def test_memory_is_told_by_cards_that_are_sold():
    assert [need.size for need in needs(7_000_000_000)] == [
        14_000_000_000,
        7_000_000_000,
        3_500_000_000,
    ]
    assert fits_on(5_000_000_000) == "one 8 GB card"
    assert fits_on(900_000_000_000) == "14 cards of 80 GB"

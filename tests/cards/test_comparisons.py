# SPDX-License-Identifier: Apache-2.0
"""Emissions in words: the units that people can picture, by how much there is."""

import pytest

from hubkeep.cards.comparisons import SHOWN, compared, comparisons, in_words


@pytest.mark.parametrize("grams", [1.0, 250.0, 107_000.0, 1e6, 31.2e6, 58e9, 1e15])
def test_each_amount_has_comparisons_that_add_up(grams: float) -> None:
    found = compared(grams)
    assert 1 <= len(found) <= SHOWN
    assert [count for count, _ in found] == sorted(count for count, _ in found)
    for count, one in found:
        assert count * one.grams == pytest.approx(grams)
        assert f" {one.unit}" in " ".join(in_words(grams))


def test_what_is_shown_is_what_can_be_counted() -> None:
    assert in_words(107_000) == [
        "46 litres of petrol", "430 km by car", "2,972 hours of streamed video",
    ]  # fmt: skip
    assert in_words(31.2e6)[0].startswith("3.5 years of an average person")
    assert in_words(0.5) == ["0.061 charges of a smartphone"]
    assert in_words(0) == []
    assert in_words(float("nan")) == []


def test_more_than_anybody_can_count_is_told_in_the_largest_unit() -> None:
    [(count, largest)] = compared(1e15)
    assert count > 10_000
    assert largest.grams == max(one.grams for one in comparisons())

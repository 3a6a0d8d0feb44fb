# SPDX-License-Identifier: Apache-2.0
"""The trending score: what was liked and downloaded lately, the latest most.

    score = sum over the last 14 days of  2^(-age / 3) * (likes + sqrt(downloads) / 10)

`age` is in whole days, UTC. Downloads count by their root, since one machine makes thousands of
them while a like is the act of a person: 100 downloads in a day weigh as much as one like.
"""

from collections.abc import Mapping
from math import sqrt

DAYS = 14
HALF_LIFE = 3
DOWNLOADS_WEIGHT = 0.1


def trending_score(likes: Mapping[int, int], downloads: Mapping[int, int]) -> float:
    """Return the score from counts by age in days; ages of 14 and more do not count."""
    total = 0.0
    for age in range(DAYS):
        worth = likes.get(age, 0) + DOWNLOADS_WEIGHT * sqrt(downloads.get(age, 0))
        total += worth * 2.0 ** (-age / HALF_LIFE)
    return round(total, 4)

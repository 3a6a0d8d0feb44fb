# SPDX-License-Identifier: Apache-2.0
"""Which snapshots go together: histories of one hub, compared with another."""

from typing import Literal

from hubkeep.observatory.manifest import Manifest, Source
from hubkeep.observatory.series import series_of, thinned


def _taken(
    day: str, kind: Literal["hub", "crawl", "import"] = "import", name: str = "a file"
) -> Manifest:
    return Manifest(
        id=f"{day}-{kind}",
        hash="",
        taken_at=f"{day}T00:00:00.000Z",
        source=Source(kind=kind, name=name),
        tables={},
    )


def test_a_history_is_of_one_hub_and_the_newest_of_another_is_compared_with() -> None:
    main = _taken("2025-03-01", "hub", "http://models.lab")
    before = _taken("2025-02-01", "hub", "http://old-name.lab")
    after = _taken("2025-04-01", "hub", "http://models.lab")
    census, crawl = _taken("2024-07-11"), _taken("2025-05-01", "crawl", "https://huggingface.co")
    found = series_of(main, [crawl, after, main, census, before])
    assert found.history == [before, main]
    assert found.reference == crawl
    assert found.later == [after]


def test_files_and_crawls_of_the_public_hub_are_one_history() -> None:
    crawl = _taken("2025-05-01", "crawl", "https://HuggingFace.co/")
    census, other = _taken("2024-07-11"), _taken("2024-08-01", "crawl", "http://other.lab:8080")
    assert series_of(crawl, [other, census]).history == [census, crawl]
    assert series_of(crawl, [other, census]).reference == other


def test_a_snapshot_alone_is_its_history() -> None:
    main = _taken("2025-03-01")
    assert series_of(main, [main]).history == [main]
    assert series_of(main, []).reference is None


def test_a_long_history_is_thinned_evenly_in_time() -> None:
    days = [_taken(f"2025-01-{day:02}") for day in range(1, 31)]
    kept = [one.taken_at[8:10] for one in thinned([_taken("2024-01-01"), *days], 4)]
    assert len(kept) <= 4
    assert kept[0] == "01"
    assert kept[-1] == "30"
    assert thinned(days[:3], 4) == days[:3]
    even = [int(one.taken_at[8:10]) for one in thinned(days, 5)]
    assert even in ([1, 8, 15, 23, 30], [1, 8, 16, 23, 30])

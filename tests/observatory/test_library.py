# SPDX-License-Identifier: Apache-2.0
"""The snapshots of a hub as its pages need them, and what is hidden of them."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("duckdb")

from hubkeep.kit.time import Millis
from hubkeep.observatory.library import Library, oldest_own
from hubkeep.observatory.manifest import Manifest, Source
from hubkeep.observatory.queries_concealed import Hidden
from hubkeep.observatory.store import Making, NoSuchSnapshot, SnapshotStore


def _make(folder: Path, day: str, source: Source) -> Manifest:
    return SnapshotStore(folder).create(Making(source, f"{day}T00:00:00.000Z"), lambda _: {})


def _own(folder: Path, day: str) -> Manifest:
    return _make(folder, day, Source(kind="hub", name="http://hub.lab"))


def _census(folder: Path, day: str) -> Manifest:
    return _make(folder, day, Source(kind="import", name="census"))


def _at(day: str, hour: int = 0) -> Millis:
    return round(datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC).timestamp() * 1000)


def test_the_last_of_this_hub_is_what_pages_are_about(tmp_path: Path) -> None:
    library = Library(tmp_path)
    with pytest.raises(NoSuchSnapshot):
        library.series()
    census = _census(tmp_path, "2025-05-01")
    assert library.series().history == [census]
    first, last = _own(tmp_path, "2025-03-01"), _own(tmp_path, "2025-03-02")
    assert library.series().history == [first, last]
    assert library.series().reference == census
    assert library.series(census.id).history == [census]
    assert library.series(first.id).history == [first]


def test_all_of_the_hub_is_compared_with_what_everybody_may_see(tmp_path: Path) -> None:
    source = Source(kind="hub", name="http://hub.lab")
    making = Making(source, "2025-06-01T00:00:00.000Z", "all")
    everything = SnapshotStore(tmp_path).create(making, lambda _: {})
    public, census = _own(tmp_path, "2025-05-31"), _census(tmp_path, "2025-05-01")
    library = Library(tmp_path)
    series = library.series(universe="all")
    assert (series.history, series.reference) == ([everything], census)
    assert library.shelf(series, []).reference == str(tmp_path / "public" / census.id)
    assert library.series().history == [public]


def test_a_name_that_fits_none_or_several_is_no_snapshot(tmp_path: Path) -> None:
    _own(tmp_path, "2025-03-01")
    _own(tmp_path, "2025-03-02")
    for name in ("2026", "2025"):
        with pytest.raises(NoSuchSnapshot):
            Library(tmp_path).series(name)


def test_what_goes_and_what_is_broken_is_not_there(tmp_path: Path) -> None:
    library, gone, stays = (
        Library(tmp_path),
        _own(tmp_path, "2025-03-01"),
        _own(tmp_path, "2025-04-01"),
    )
    assert [one.id for one in library.all()] == [gone.id, stays.id]
    folder = tmp_path / "public" / gone.id
    folder.chmod(0o755)
    (folder / "manifest.json").unlink()
    folder.rmdir()
    (tmp_path / "public" / "no-snapshot").mkdir()
    assert [one.id for one in library.all()] == [stays.id]


def test_names_are_hidden_in_own_snapshots_taken_before(tmp_path: Path) -> None:
    census = _census(tmp_path, "2025-01-01")
    first, second = _own(tmp_path, "2025-03-01"), _own(tmp_path, "2025-03-03")
    library = Library(tmp_path)
    series = library.series()
    assert oldest_own(series) == _at("2025-03-01")
    hidden = [
        Hidden("model", "Lab/Secret", _at("2025-03-02")),
        Hidden("dataset", "lab/rows", _at("2025-03-03")),
        Hidden("model", "lab/old", _at("2025-02-28", 23)),
    ]
    shelf = library.shelf(series, hidden)
    assert shelf.history == [str(tmp_path / "public" / one.id) for one in (first, second)]
    assert [shelf.names(hides) for hides in shelf.hides] == [
        {"datasets": ["lab/rows"], "models": ["lab/secret"]},
        {"datasets": ["lab/rows"]},
    ]
    assert [shelf.of([at]).hidden.get("models") for at in (0, 1)] == [["lab/secret"], []]
    assert shelf.reference == str(tmp_path / "public" / census.id)
    assert shelf.names(shelf.reference_hides) == {}


def test_own_snapshots_that_are_compared_with_hide_too(tmp_path: Path) -> None:
    own, census = _own(tmp_path, "2025-03-01"), _census(tmp_path, "2025-05-01")
    library = Library(tmp_path)
    series = library.series(census.id)
    assert series.reference == own
    shelf = library.shelf(series, [Hidden("space", "lab/x", _at("2025-04-01"))])
    assert shelf.hides == [{}]
    assert shelf.names(shelf.reference_hides) == {"spaces": ["lab/x"]}


def test_many_hidden_names_are_told_once_whatever_the_snapshots(tmp_path: Path) -> None:
    for day in range(1, 29):
        _own(tmp_path, f"2025-03-{day:02}")
    library = Library(tmp_path)
    names = [Hidden("model", f"bots/{number}", _at("2025-04-01")) for number in range(2_000)]
    shelf = library.shelf(library.series(), names)
    assert len(msgspec.json.encode(shelf)) < 100_000
    assert all(len(shelf.names(hides)["models"]) == 2_000 for hides in shelf.hides)


def test_a_folder_that_has_not_changed_is_not_listed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, library = _own(tmp_path, "2025-03-01"), Library(tmp_path)
    long_ago = time.time_ns() - 3_600 * 10**9
    os.utime(tmp_path / "public", ns=(long_ago, long_ago))
    assert [one.id for one in library.all()] == [first.id]
    with monkeypatch.context() as patched:
        patched.delattr(SnapshotStore, "folders")
        assert [one.id for one in library.all()] == [first.id]
        assert library.has_own_since(_at("2025-03-01"))
    second = _own(tmp_path, "2025-03-02")
    assert [one.id for one in library.all()] == [first.id, second.id]

# SPDX-License-Identifier: Apache-2.0
"""Snapshots are whole or not there, never changed, and say so when they were."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import pyarrow.parquet as pq

from hubkeep.observatory.checking import problems_of
from hubkeep.observatory.manifest import Manifest, Source, Universe
from hubkeep.observatory.store import BrokenSnapshot, Making, NoSuchSnapshot, SnapshotStore
from hubkeep.observatory.workbench import workbench
from hubkeep.observatory.writing import Written, write_table

MODELS = "SELECT 'ns/m' || i AS id, i AS likes FROM range(20) AS t(i)"
LINEAGE = "SELECT 'ns/m' || i AS child, 'ns/m0' AS parent FROM range(20) AS t(i)"


def make(
    store: SnapshotStore,
    day: str = "2024-07-11",
    models: str = MODELS,
    universe: Universe = "public",
) -> Manifest:
    taken_at = f"{day}T00:00:00.000Z"

    def fill(folder: Path) -> Mapping[str, Written]:
        with workbench(folder) as connection:
            return {
                "models": write_table(connection, "models", models, folder, taken_at),
                "lineage": write_table(connection, "lineage", LINEAGE, folder, taken_at),
            }

    return store.create(Making(Source(kind="hub", name="test"), taken_at, universe), fill)


def change(folder: Path, name: str, text: bytes) -> None:
    path = folder / name
    path.chmod(0o644)
    path.write_bytes(text)


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "snapshots")


def test_a_snapshot_is_found_by_what_it_begins_with(store: SnapshotStore):
    second, first = make(store, "2024-07-12"), make(store, "2024-07-11")
    assert store.list() == [first, second]
    assert first.id == f"20240711T000000Z-{first.hash[:8]}"
    assert store.find(first.id).name == first.id
    assert store.find("20240711").name == first.id
    assert store.find(second.hash[:12]).name == second.id
    assert store.find("latest").name == second.id
    for name, why in (("2024", "More than one"), ("", "More than one"), ("2023", "No snapshot")):
        with pytest.raises(NoSuchSnapshot, match=why) as error:
            store.find(name)
        assert first.id in str(error.value)
    with pytest.raises(NoSuchSnapshot, match="there are: none"):
        store.find("latest", "all")


def test_what_is_for_administrators_is_apart_and_closed(store: SnapshotStore, tmp_path):
    manifest = make(store, universe="all")
    assert store.list() == []
    folder = store.find(manifest.id, "all")
    assert folder.parent == tmp_path / "snapshots/all"
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_mode & 0o777 == 0o700


def test_files_are_read_only_and_nothing_else_is_left(store: SnapshotStore):
    folder = store.find(make(store).id)
    assert sorted(path.name for path in folder.iterdir()) == [
        "lineage.parquet",
        "manifest.json",
        "models.parquet",
    ]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert problems_of(folder) == []


def test_the_same_rows_make_the_same_snapshot_once(store: SnapshotStore):
    first = make(store)
    assert make(store, models=f"{MODELS} ORDER BY i DESC") == first
    assert make(store, models=f"{MODELS} WHERE i > 0").id != first.id
    assert len(store.list()) == 2


def test_several_makers_at_once_make_one_snapshot(store: SnapshotStore):
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: make(store), range(4)))
    assert len({one.hash for one in made}) == 1
    [folder] = store.folders()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert problems_of(folder) == []


def test_what_its_maker_leaves_behind_is_thrown_away(store: SnapshotStore):
    def fill(folder: Path) -> Mapping[str, Written]:
        (folder / "work").mkdir()
        (folder / "work/spill.tmp").write_text("x")
        (folder / "notes.txt").write_text("x")
        (folder / "away").symlink_to("/")
        with workbench(folder) as connection:
            return {"models": write_table(connection, "models", MODELS, folder, "2024-07-11")}

    manifest = store.create(Making(Source(kind="hub", name="x"), "2024-07-11T00:00:00.000Z"), fill)
    assert problems_of(store.find(manifest.id)) == []


def test_a_maker_that_fails_leaves_nothing(store: SnapshotStore, tmp_path):
    def fill(folder: Path) -> Mapping[str, Written]:
        (folder / "models.parquet").write_text("half")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        store.create(Making(Source(kind="hub", name="x"), "2024-07-11T00:00:00.000Z"), fill)
    assert list((tmp_path / "snapshots/public").iterdir()) == []


# Stops with all files written but the name: the last moment at which it can be killed.
_KILLED = """
import sys, time
from pathlib import Path
from hubkeep.observatory import store
from tests.observatory.test_store import make
def wait(*_):
    print("there", flush=True)
    time.sleep(60)
setattr(store, sys.argv[2], wait)
make(store.SnapshotStore(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("moment", ["_keep_only", "_sync", "_rename"])
def test_one_that_is_killed_leaves_no_snapshot_and_is_tidied_up_a_day_later(
    store: SnapshotStore, tmp_path, moment: str
):
    root = tmp_path / "snapshots"
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(root), moment],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    [left] = (root / "public").iterdir()
    assert (left / "models.parquet").exists()
    assert (left / "manifest.json").exists() is (moment != "_keep_only")
    assert store.list() == []
    manifest = make(store)
    assert left.exists()
    long_ago = time.time() - 25 * 60 * 60
    for path in (left, *left.iterdir()):
        os.utime(path, (long_ago, long_ago))
    make(store, "2024-07-12")
    assert not left.exists()
    assert problems_of(store.find(manifest.id)) == []


def test_what_was_changed_is_told(store: SnapshotStore):
    folder = store.find(make(store).id)
    parquet, manifest = folder / "models.parquet", folder / "manifest.json"
    good, said = parquet.read_bytes(), manifest.read_bytes()
    change(folder, "models.parquet", good[:-1] + b"?")
    assert problems_of(folder) == ["models.parquet was changed: its sha256 is another"]
    change(folder, "models.parquet", good + b"?")
    assert problems_of(folder) == [f"models.parquet has {len(good) + 1} bytes and had {len(good)}"]
    parquet.unlink()
    assert problems_of(folder) == ["models.parquet is gone"]
    parquet.write_bytes(good)
    change(folder, "manifest.json", said.replace(b'"name": "test"', b'"name": "best"'))
    assert problems_of(folder) == ["manifest.json was changed: its hash is another"]
    change(folder, "manifest.json", said)
    (folder / "more.txt").write_text("x")
    assert problems_of(folder) == ["more.txt does not belong here"]
    other = shutil.copytree(folder, folder.parent / "other")
    (other / "more.txt").unlink()
    assert problems_of(other) == [f"the folder is called other, and the snapshot is {folder.name}"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("reverse", "models.parquet is not sorted: 19 rows stand too late"),
        ("double", "models.parquet is not sorted: 1 rows stand too late"),
        ("drop", "models.parquet has 19 rows and had 20"),
        ("rename", "models.parquet has other columns than the schema says"),
        ("fill", "models.parquet has values in columns that are said to be missing"),
        ("garbage", "models.parquet cannot be read: "),
    ],
)
def test_a_maker_that_writes_nonsense_is_found_out(store: SnapshotStore, change: str, problem):
    """The hashes are right, and what is in the files is not."""
    from hubkeep.observatory.manifest import FileOf
    from hubkeep.observatory.writing import sha256_of

    def fill(folder: Path) -> Mapping[str, Written]:
        with workbench(folder) as connection:
            told = write_table(connection, "models", MODELS, folder, "2024-07-11")
        path = folder / "models.parquet"
        table = pq.read_table(path)
        match change:
            case "reverse":
                table = table.take(list(range(19, -1, -1)))
            case "double":
                table = table.take([0, 0, *range(2, 20)])
            case "drop":
                table = table.slice(1)
            case "rename":
                table = table.rename_columns(["name", *table.column_names[1:]])
            case "fill":
                table = table.set_column(8, table.schema.field(8), table["id"])
        pq.write_table(table, path)
        if change == "garbage":
            path.write_bytes(b"PAR1" + b"x" * 100 + b"PAR1")
        size, digest = path.stat().st_size, sha256_of(path)
        file = FileOf(rows=20, bytes=size, sha256=digest, missing=told.file.missing)
        return {"models": Written(file, {}, {})}

    taken = "2024-07-11T00:00:00.000Z"
    manifest = store.create(Making(Source(kind="hub", name="x"), taken), fill)
    [found] = problems_of(store.find(manifest.id))
    assert found.startswith(problem)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[]", b'{"id": "x"}'])
def test_one_that_is_broken_hides_no_other(store: SnapshotStore, text: bytes):
    broken, whole = make(store), make(store, "2024-07-12")
    folder = store.find(broken.id)
    change(folder, "manifest.json", text)
    assert store.list() == [whole]
    assert folder in store.folders()
    with pytest.raises(BrokenSnapshot, match="is no snapshot"):
        problems_of(folder)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (b'"id": "20240711T', b'"id": "../../other/20240711T'),
        (b'"taken_at": "2024-07-11T00:00:00.000Z"', b'"taken_at": "some day"'),
        (b'"taken_at": "2024-07-11T00:00:00.000Z"', b'"taken_at": "2024-07-11T00:00:00"'),
    ],
)
def test_one_that_does_not_say_which_it_is_hides_no_other(
    store: SnapshotStore, said: bytes, instead: bytes
):
    broken, whole = make(store), make(store, "2024-07-12")
    folder = store.find(broken.id)
    text = (folder / "manifest.json").read_bytes()
    assert said in text
    change(folder, "manifest.json", text.replace(said, instead))
    assert store.list() == [whole]
    with pytest.raises(BrokenSnapshot, match="does not say which"):
        problems_of(folder)


def test_one_of_another_version_says_so(store: SnapshotStore):
    folder = store.find(make(store).id)
    said = (folder / "manifest.json").read_bytes()
    change(folder, "manifest.json", said.replace(b'"schema": 1', b'"schema": 99'))
    with pytest.raises(BrokenSnapshot, match="version 99 of the schema"):
        problems_of(folder)

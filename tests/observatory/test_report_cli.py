# SPDX-License-Identifier: Apache-2.0
"""`hubkeep report` as people run it: files, what it says of them, and what it refuses."""

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("duckdb")

import pyarrow.parquet as pq

from hubkeep.cli import main
from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.store import Making, SnapshotStore, read_manifest
from hubkeep.observatory.writing import Written
from tests.observatory.shelf import ecosystem, three
from tests.observatory.tiny import OWN


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub's folder with three snapshots."""
    folder = tmp_path_factory.mktemp("hub")
    three(folder / "snapshots")
    return folder


def report(hub: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", *arguments, "--data", str(hub)])


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_each_figure_is_a_file_of_each_format_and_the_same_again(hub: Path, tmp_path: Path):
    chosen = ("latest", "--figure", "F1,s2", "--format", "csv,json,parquet", "--format", "md,html")
    for name in ("first", "again"):
        assert report(hub, *chosen, "-o", str(tmp_path / name)).exit_code == 0
    first = files(tmp_path / "first")
    suffixes = ("csv", "json", "parquet", "md")
    assert set(first) == {f"{one}.{suffix}" for one in ("F1", "S2") for suffix in suffixes} | {
        "index.html"
    }
    assert first == files(tmp_path / "again")
    assert first["S2.csv"].startswith(b"licence,class,n,dl,dl_share_all,dl_share_declared,loo_min,")


def test_json_says_what_was_written(hub: Path, tmp_path: Path):
    done = report(hub, "latest", "-o", str(tmp_path), "--format", "csv", "--json")
    said = json.loads(done.stdout)
    assert {one["name"] for one in said["files"]} == {f"{name}.csv" for name in all_figures()}
    for one in said["files"]:
        content = (tmp_path / one["name"]).read_bytes()
        assert (one["sha256"], one["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    figures = {one["id"]: one for one in said["figures"]}
    assert figures["S1"]["n"] > 0
    assert figures["S7"]["n"] == 0
    assert figures["S7"]["missing_columns"] == ["3 snapshots; there is 1"]


def test_json_of_a_figure_has_all_that_makes_it_trusted(hub: Path, tmp_path: Path):
    report(hub, "latest", "-o", str(tmp_path), "--format", "json,parquet", "--figure", "S2,F5")
    said = json.loads((tmp_path / "S2.json").read_text())
    assert said["title"] == "Licences by downloads"
    assert len(said["snapshot"]["hash"]) == 64
    assert said["n"] > 0
    assert said["excluded"] == {"flagged": 1}
    assert said["missing"]["license"] > 0
    assert said["definitions"]
    assert "SELECT" in said["sql"]
    assert said["scalars"]["interval_method"] == "bootstrap"
    assert said["table"]["columns"][0] == "licence"
    table = pq.read_table(tmp_path / "S2.parquet")
    assert table.column_names == said["table"]["columns"]
    assert table.schema.metadata[b"snapshot_hash"].decode() == said["snapshot"]["hash"]
    assert table.schema.field("dl").metadata[b"unit"] == b"downloads"


def test_a_figure_without_an_answer_is_written_too(hub: Path, tmp_path: Path):
    done = report(hub, "latest", "-o", str(tmp_path), "--figure", "S7", "--format", "csv,md,html")
    assert done.exit_code == 0
    assert "3 snapshots" in done.stdout
    assert (tmp_path / "S7.csv").read_text().splitlines() == [
        ",".join(one.name for one in all_figures()["S7"].figure.columns)
    ]
    assert "There is no answer" in (tmp_path / "S7.md").read_text()
    assert "There is no answer" in (tmp_path / "index.html").read_text()


def test_others_are_looked_back_to_and_later_ones_are_not(hub: Path, tmp_path: Path):
    others = [argument for day in ("20240111", "20240411") for argument in ("--with", day)]
    done = report(
        hub, "20240711", *others, "--figure", "S7", "--format", "json", "-o", str(tmp_path)
    )
    assert done.exit_code == 0
    said = json.loads((tmp_path / "S7.json").read_text())
    assert said["window"] == "2024-01-11 to 2024-07-11"
    assert said["n"] > 0
    done = report(hub, "20240411", "--with", "latest", "--figure", "S1", "-o", str(tmp_path))
    assert "is left out: it is later" in done.stderr


def test_a_snapshot_may_be_a_folder(tmp_path: Path):
    snapshot = ecosystem(tmp_path / "elsewhere")
    done = report(tmp_path, str(snapshot.folder), "-o", str(tmp_path / "out"), "--figure", "S1")
    assert done.exit_code == 0
    assert snapshot.manifest.hash in (tmp_path / "out" / "index.html").read_text()


def test_what_is_set_and_filtered_is_what_is_answered(hub: Path, tmp_path: Path):
    chosen = ("--figure", "S1,S2", "--set", "k=5", "--set", "S2.k=4", "--format", "json")
    asked = ("--since", "2024-01-01", "--flagged", "keep")
    assert report(hub, "latest", *chosen, *asked, "-o", str(tmp_path)).exit_code == 0
    for name, k in (("S1", 5), ("S2", 4)):
        said = json.loads((tmp_path / f"{name}.json").read_text())
        assert {one["name"]: one["value"] for one in said["parameters"]}["k"] == k
        assert said["n"] == k
        assert said["filters"] == {
            "org_type": "",
            "since": "2024-01-01",
            "until": "",
            "flagged": "keep",
        }


def test_only_its_own_files_are_touched(hub: Path, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "S1.csv").symlink_to(tmp_path / "elsewhere")
    chosen = ("--figure", "S1", "--format", "csv", "-o", str(tmp_path))
    for _ in range(2):
        assert report(hub, "latest", *chosen).exit_code == 0
    assert set(files(tmp_path)) == {"notes.txt", "elsewhere", "S1.csv"}
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert not (tmp_path / "S1.csv").is_symlink()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("1999",), "No snapshot begins with '1999'"),
        (("latest", "--figure", "F99"), "there is no figure 'F99'; there are: F1"),
        (("latest", "--format", "docx"), "there is no format 'docx'; there are: html"),
        (("latest", "--figure", "S1", "--set", "depth=3"), "has a parameter 'depth'"),
        (("latest", "--figure", "S1", "--set", "k"), "wants NAME=VALUE"),
        (("latest", "--figure", "S1", "--set", "k=0"), "k must be 1"),
        (("latest", "--since", "yesterday"), "since must be a day"),
        (("latest", "--org-type", "x"), "org_type must be one of"),
        (("latest", "--engine", "mysql://x"), "there is no engine 'mysql://x'"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    hub: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
):
    done = report(hub, *arguments, "-o", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert done.stderr.startswith("hubkeep: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_snapshots_of_another_universe_are_not_found_without_asking(hub: Path, tmp_path: Path):
    done = report(hub, "latest", "--all", "-o", str(tmp_path / "out"))
    assert "there are: none" in done.stderr


def test_what_is_told_of_private_repositories_is_for_its_user_alone(tmp_path: Path):
    store = SnapshotStore(tmp_path / "snapshots")
    made = ecosystem(tmp_path / "other").folder
    names = [path.stem for path in made.glob("*.parquet")]

    def fill(folder: Path) -> dict[str, Written]:
        for name in names:
            (folder / f"{name}.parquet").write_bytes((made / f"{name}.parquet").read_bytes())
        tables = read_manifest(made).tables
        return {name: Written(tables[name], {}, {}) for name in names}

    public = store.create(Making(OWN, "2024-07-10T00:00:00.000Z"), fill)
    secret = store.create(Making(OWN, "2024-07-11T00:00:00.000Z", "all"), fill)
    folder = tmp_path / "snapshots" / "all" / secret.id
    for arguments, mode in (
        (["latest"], 0o644),
        (["latest", "--all"], 0o600),
        ([public.id, "--with", str(folder)], 0o644),
        ([str(folder), "--with", str(tmp_path / "snapshots" / "public" / public.id)], 0o600),
    ):
        target = tmp_path / "out"
        chosen = ("--figure", "F3", "--format", "csv,html", "-o", str(target))
        assert report(tmp_path, *arguments, *chosen).exit_code == 0
        assert {path.stat().st_mode & 0o777 for path in target.iterdir()} == {mode}, arguments

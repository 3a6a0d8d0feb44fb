# SPDX-License-Identifier: Apache-2.0
"""`hubkeep snapshot`: files in, snapshots listed, shown, checked and compared."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hubkeep.cli import main
from tests.cli.conftest import one_line


@pytest.fixture
def observatory():
    """The extra, without which there is nothing to test."""
    pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")


@pytest.fixture
def run(tmp_path: Path):
    def run(*words: str) -> Result:
        where = ["--data", str(tmp_path / "hub")]
        return CliRunner().invoke(main, ["snapshot", *words, *where], prog_name="hubkeep")

    return run


@pytest.fixture
def ok(run):
    def ok(*words: str) -> Any:
        result = run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return ok


def refused(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    return one_line(result.stderr.splitlines())


@pytest.fixture
def first(tmp_path: Path) -> str:
    path = tmp_path / "models-2024-07-11.csv"
    path.write_text("id,likes,pipeline_tag\na/b,1,x\na/c,2,x\na/c,1,x\n?,1,x\na/d,-1,x\n")
    return str(path)


@pytest.fixture
def second(tmp_path: Path) -> str:
    path = tmp_path / "later.csv"
    path.write_text("id,likes,pipeline_tag\na/b,5,x\na/d,0,y\na/e,0,x\n")
    return str(path)


def test_import_list_show_verify_diff(observatory, ok, run, first, second, tmp_path):
    made = ok("import", first)
    assert list(made) == ["id"]
    later = ok("import", second, "--taken-at", "2024-08-01", "--name", "Later")["id"]
    assert ok("import", second, "--taken-at", "2024-08-01", "--name", "Later")["id"] == later
    listed = ok("list")
    assert [one["id"] for one in listed] == [made["id"], later]
    assert [one["source"] for one in listed] == ["models-2024-07-11.csv", "Later"]
    assert listed[0]["rows"] == {"models": 3}
    assert ok("list", "--all") == []
    shown = ok("show", "20240711")
    assert shown["excluded"] == {"models": {"duplicate": 1, "no usable id": 1}}
    assert shown["cleared"] == {"models": {"likes cannot be": 1}}
    assert shown["taken_at"] == "2024-07-11T00:00:00.000Z"
    assert "downloads_30d" in shown["tables"]["models"]["missing"]
    assert [one["problems"] for one in ok("verify")] == [[], []]
    change = ok("diff", made["id"], "latest")["tables"]["models"]
    assert {name: change[name] for name in ("added", "removed", "changed")} == {
        "added": 1,
        "removed": 1,
        "changed": 2,
    }
    assert change["columns"] == {"likes": 2, "task": 1}


def test_people_are_told_what_was_left_out(observatory, run, first):
    result = run("import", first)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("20240711T000000Z-")
    assert "models  1      no usable id" in lines
    assert "models  1      likes cannot be" in lines
    assert "downloads_30d" in result.stdout
    for words in (("list",), ("show", "latest"), ("verify",), ("diff", "latest", "latest")):
        shown = run(*words)
        assert shown.exit_code == 0
        assert lines[0] in shown.stdout


def test_what_is_wrong_with_a_file_is_one_line(observatory, run, tmp_path, second):
    assert "--taken-at" in refused(run("import", second))
    assert "is not there" in refused(run("import", "gone-2024-07-11.csv", "--json"))
    broken = tmp_path / "broken-2024-07-11.parquet"
    broken.write_bytes(b"PAR1 and so on")
    assert "was cut off" in refused(run("import", str(broken)))
    other = tmp_path / "other-2024-07-11.csv"
    other.write_text("a,b\n1,2\n")
    assert "its columns are: a, b" in refused(run("import", str(other)))
    assert run("list").stdout == ""


def test_a_name_that_no_snapshot_has_is_one_line(observatory, run, ok, first):
    made = ok("import", first)["id"]
    for words in (("show", "2030"), ("verify", "2030"), ("diff", "2024", "2030")):
        assert f"there are: {made}" in refused(run(*words))


def test_damage_is_found(observatory, run, ok, first, tmp_path):
    folder = tmp_path / "hub/snapshots/public" / ok("import", first)["id"]
    (folder / "models.parquet").chmod(0o644)
    (folder / "models.parquet").write_bytes(b"PAR1")
    result = run("verify", "--json")
    assert result.exit_code == 1
    assert "models.parquet has 4 bytes" in json.loads(result.stdout)[0]["problems"][0]
    (folder / "manifest.json").chmod(0o644)
    (folder / "manifest.json").write_text("{")
    result = run("verify")
    assert result.exit_code == 1
    assert "is no snapshot" in result.stdout
    assert f"{folder.name} is no snapshot" in run("list").stderr


@pytest.mark.parametrize("package", ["duckdb", "pyarrow"])
def test_without_the_extra_it_says_what_to_install(run, monkeypatch, package, first):
    monkeypatch.setitem(sys.modules, package, None)
    if package == "pyarrow":
        pytest.importorskip("duckdb")
    for words in (("list",), ("import", first), ("verify", "--json")):
        said = refused(run(*words))
        assert said == f"snapshots need the package {package}: pip install 'hubkeep[observatory]'"


@pytest.mark.usefixtures("observatory")
def test_what_a_file_is_called_and_has_in_it_gives_a_terminal_no_orders(run, tmp_path: Path):
    """A name can hold what sets titles, moves the cursor, or turns the text around."""
    tricks = "\x1b]0;owned\x07\x1b[31m\u202e"
    path = tmp_path / f"models{tricks}-2024-07-11.csv"
    path.write_text("id,likes,pipeline_tag\na/b,1,x\n")
    unknown = tmp_path / "later.csv"
    unknown.write_text(f"nothing{tricks},here\n1,2\n")
    said = [run("import", str(path)), run("list"), run("show", "latest")]
    assert [one.exit_code for one in said] == [0, 0, 0]
    said.append(run("import", str(unknown), "--taken-at", "2024-07-11"))
    assert said[-1].exit_code == 1
    for one in said:
        assert not set(tricks) & set("\x1b\x07\u202e") & set(one.output)

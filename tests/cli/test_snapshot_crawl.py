# SPDX-License-Identifier: Apache-2.0
"""`hubkeep snapshot crawl`: the command, killed and started again."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from hubkeep.cli import main
from hubkeep.cli.snapshot_progress import Progress
from tests.cli.conftest import one_line
from tests.harness.hub import program_env
from tests.observatory.crawls import Quick
from tests.observatory.fakehub import Asked, FakeHub, Said, models, served


def run(data: Path, *words: str) -> Result:
    line = ["snapshot", "crawl", *words, "--data", str(data)]
    return CliRunner().invoke(main, line, prog_name="hubkeep")


def hub_of_some() -> FakeHub:
    return FakeHub(models=models(30), datasets=models(4), spaces=[])


def hashes(data: Path, name: str) -> dict[str, str]:
    manifest = json.loads((data / "snapshots/public" / name / "manifest.json").read_bytes())
    return {table: file["sha256"] for table, file in manifest["tables"].items()}


def test_killed_in_the_middle_it_goes_on_and_comes_to_the_same(tmp_path: Path):
    """Killed at once, without a chance to tidy up, while it waits for the fifth page."""
    reached, over = threading.Event(), threading.Event()

    def fault(asked: Asked) -> Said | None:
        if asked.path == "/api/models" and asked.cursor == 12 and not over.is_set():
            reached.set()
            over.wait(60)
            return Said(500, None)
        return None

    command = [sys.executable, "-m", "hubkeep", "snapshot", "crawl", "--json"]
    with served(hub_of_some()) as hub:
        where = ["--endpoint", hub.url, "--data"]
        whole = run(tmp_path / "whole", "--endpoint", hub.url, "--json")
        assert whole.exit_code == 0, whole.output
        hub.asked.clear()
        hub.fault = fault
        with subprocess.Popen([*command, *where, str(tmp_path / "cut")], env=program_env()) as one:
            assert reached.wait(60)
            one.kill()
            one.wait()
            over.set()
        assert not list((tmp_path / "cut").glob("snapshots/*/*"))
        hub.asked.clear()
        resumed = run(tmp_path / "cut", "--endpoint", hub.url, "--json")
        assert resumed.exit_code == 0, resumed.output
    assert hub.cursors() == [12, 15, 18, 21, 24, 27]
    assert "going on with what was begun at" in resumed.stderr
    names = [json.loads(done.stdout)["id"] for done in (whole, resumed)]
    assert hashes(tmp_path / "whole", names[0]) == hashes(tmp_path / "cut", names[1])


def test_people_are_told_what_there_is_and_what_not(tmp_path: Path):
    with served(hub_of_some()) as hub:
        result = run(tmp_path, "--endpoint", hub.url, "--only", "models", "--accounts", "0")
        assert result.exit_code == 0
        again = run(tmp_path, "--endpoint", hub.url + "/", "--only", "models", "--json")
    assert ["models", "30"] in [line.split()[:2] for line in result.stdout.splitlines()]
    assert "No accounts were looked up." in result.stdout
    assert result.stderr == ""
    assert list(json.loads(again.stdout)) == ["id"]


def test_what_goes_wrong_is_one_line_and_exit_code_1(tmp_path: Path):
    def failed(*words: str) -> str:
        result = run(tmp_path, *words)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        return one_line(result.stderr.splitlines())

    assert "is no address of a hub" in failed("--endpoint", "huggingface.co")
    with served(FakeHub(fault=lambda _: Said(403, {"error": "Go\naway"}))) as hub:
        assert "refuses /api/models: 403 Go away" in failed(
            "--endpoint", hub.url, "--only", "models"
        )
        token = tmp_path / "token"
        assert "the token cannot be read" in failed(
            "--endpoint", hub.url, "--token-file", str(token)
        )
        for text in ("", "two words", "hf_\x00", "hf_é"):
            token.write_text(text)
            said = failed("--endpoint", hub.url, "--token-file", str(token))
            assert "holds no token" in said
            assert "two" not in said


def test_a_hub_does_not_crawl_itself(tmp_path: Path, monkeypatch):
    """What becomes private is left out of own snapshots alone."""
    monkeypatch.setenv("HUBKEEP_PUBLIC_URL", "http://models.lab.example")
    said = run(tmp_path, "--endpoint", "http://models.lab.example/")
    assert said.exit_code == 1
    assert "hubkeep snapshot take" in said.output


def test_a_token_comes_from_a_file_alone_and_goes_nowhere_else(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_of_another_hub")
    token = tmp_path / "token"
    token.write_text("hf_of_the_tests\n")
    with served(hub_of_some()) as hub:
        assert run(tmp_path / "a", "--endpoint", hub.url).exit_code == 0
        assert not any("authorization" in one.headers for one in hub.asked)
        hub.asked.clear()
        result = run(tmp_path / "b", "--endpoint", hub.url, "--token-file", str(token))
        assert result.exit_code == 0
    assert {one.headers.get("authorization") for one in hub.asked} == {"Bearer hf_of_the_tests"}
    assert "hf_of_the_tests" not in result.output
    written = [path.read_bytes() for path in (tmp_path / "b").rglob("*") if path.is_file()]
    assert written
    assert not any(b"hf_of" in content for content in written)


def test_progress_says_how_fast_and_how_long():
    time = Quick()
    progress = Progress(is_shown=False, clock=time)
    progress.expect("models", 100_000)
    progress.rows("models", 5_000, was_kept=True)
    assert progress.line() == "models 5,000"
    progress.rows("models", 1_000)
    time.seconds += 10
    progress.rows("models", 4_000)
    progress.rows("datasets", 10)
    assert progress.line() == "models 10,000 (400/s, about 4 min left) | datasets 10"
    progress.waits(90)
    assert progress.line().endswith("the hub asks to wait 2 min")
    time.seconds += 90
    assert progress.line() == "models 10,000 (40/s, about 38 min left) | datasets 10"
    progress.expect("models", 10_000)
    assert progress.line() == "models 10,000 (40/s) | datasets 10"
    progress.expect("models", 10_000_000)
    assert "about 69 h 22 min left" in progress.line()


def test_progress_is_one_line_that_is_gone_in_the_end(capsys):
    time = Quick()
    with Progress(is_shown=True, clock=time) as progress:
        for _ in range(100):
            progress.rows("models", 7)
            time.seconds += 0.1
        progress.step("writing models")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("/s)") > 5
    assert "\nmodels" not in shown.err
    assert shown.err.count("\n") == 1
    assert shown.err.endswith("writing models ...\n\r")

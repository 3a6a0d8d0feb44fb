# SPDX-License-Identifier: Apache-2.0
"""Pages of the observatory say nothing that a visitor may not know, nothing where there is nothing,
and nothing that a snapshot would have them do.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.reader import process
from hubkeep.observatory.store import SnapshotStore
from tests.harness.hub import TestHub
from tests.observatory.tiny import OWN, Row, model, tiny, when
from tests.web.browser import Browser, give_passwords
from tests.web.html import BROWSER, read_html
from tests.web.insights import FORMULA, MARKUP, hostile, observing_hub

SECRET = "alice/hush-hush"
ALL_FORMS = ("", "?format=json", ".csv")


def nothing(_folder: Path) -> None:
    """No snapshot."""


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[TestHub]:
    """A hub without a snapshot."""
    with observing_hub(tmp_path, nothing) as started:
        yield started


def row(name: str, downloads: int) -> Row:
    return model(
        name,
        downloads_30d=downloads,
        likes=3,
        created_at=when("2024-02-03"),
        license="mit",
        task="text-generation",
        parameters=7_000_000_000,
        size=50_000_000,
    )


def take(hub: TestHub, universe: str = "public") -> None:
    """Take a snapshot of the hub as it is at its clock."""
    names = (SECRET, "alice/open", "bob/one", "bob/two")
    rows = [row(name, 900 - 100 * at) for at, name in enumerate(names)]
    taken = datetime.fromtimestamp(hub.clock() / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    folder = hub.app.config.data / "snapshots"
    # The other way round the name would stand on the card of a public model, for all to read.
    edges = [{"child": SECRET, "parent": "alice/open", "relation": "finetune"}]
    made = tiny(folder, taken, OWN, models=rows, lineage=edges)
    if universe == "all":
        (folder / "all").mkdir()
        made.folder.rename(folder / "all" / made.folder.name)


def everything(hub: TestHub) -> Mapping[str, str]:
    """All that strangers get to see of the snapshots, by its address."""
    paths = ["/insights", "/insights?format=json"]
    paths += [f"/insights/{name.lower()}{form}" for name in all_figures() for form in ALL_FORMS]
    answers = {path: hub.get(path, headers=BROWSER) for path in paths}
    assert [path for path, one in answers.items() if one.status_code != 200] == []
    return {path: one.text for path, one in answers.items()}


def cells(table: str) -> set[str]:
    return {cell for line in csv.reader(io.StringIO(table)) for cell in line}


def test_what_has_become_private_is_on_no_page_any_more(bare: TestHub) -> None:
    alice = bare.tokens.alice
    body = {"name": SECRET.partition("/")[2], "type": "model"}
    assert bare.post("/api/repos/create", token=alice, json=body).status_code == 200
    take(bare)
    before = bare.get("/insights/s4", headers=BROWSER)
    assert SECRET in before.text
    bare.clock.move(hours=1)
    address = f"/api/models/{SECRET}/settings"
    assert bare.put(address, token=alice, json={"private": True}).status_code == 200
    assert [path for path, text in everything(bare).items() if "hush-hush" in text] == []
    assert bare.get("/insights", headers={"Accept": "application/json"}).json()["numbers"][0] == {
        "name": "models",
        "title": "Models",
        "value": 3,
        "text": "3",
        "note": "",
        "href": "",
    }
    assert "1 name hidden since" in bare.get("/insights", headers=BROWSER).text
    assert "hidden since" not in before.text
    known = {**BROWSER, "If-None-Match": before.headers["etag"]}
    assert bare.get("/insights/s4", headers=known).status_code == 200
    assert bare.put(address, token=alice, json={"private": False}).status_code == 200
    assert SECRET in bare.get("/insights/s4", headers=BROWSER).text


def test_all_of_the_hub_is_shown_to_administrators_alone(bare: TestHub) -> None:
    take(bare, "all")
    give_passwords(bare)
    paths = ("/insights?universe=all", "/insights/s4?universe=all", "/insights/s4.csv?universe=all")
    browsers = {name: Browser(bare) for name in ("alice", "root")}
    for name, browser in browsers.items():
        browser.sign_in(name)
    for path in paths:
        missing = bare.get(path, headers=BROWSER)
        assert missing.status_code == 404
        assert bare.get(path, token=bare.tokens.root).status_code == 404
        assert browsers["alice"].get(path).status_code == 404
        seen = browsers["root"].get(path)
        assert seen.status_code == 200
        assert seen.headers["cache-control"] == "no-store"
        assert "etag" not in seen.headers
    shown = read_html(browsers["root"].get("/insights/s4?universe=all"))
    assert "With private repositories." in shown.one("main").text
    assert shown.one("input", name="universe").attributes["value"] == "all"
    assert SECRET in shown.one("main").text
    assert "There is no snapshot yet" in bare.get("/insights", headers=BROWSER).text


def test_a_hub_without_a_snapshot_says_how_to_take_one(bare: TestHub) -> None:
    overview = read_html(bare.get("/insights", headers=BROWSER))
    assert "hubkeep snapshot take" in overview.one("main").text
    figure = read_html(bare.get("/insights/s2", headers=BROWSER), 404)
    assert "There is no snapshot yet" in figure.one("main").text
    assert bare.get("/insights?format=json").json()["about"]["snapshot"] is None


def test_a_hub_without_what_computes_says_so(
    bare: TestHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(bare)
    monkeypatch.setattr(process, "find_spec", lambda _: None)
    for path in ("/insights", "/insights/s2"):
        shown = read_html(bare.get(path, headers=BROWSER), 501)
        assert "hubkeep[observatory]" in shown.one("main").text
    assert bare.get("/insights/s2.csv").status_code == 501


def test_strings_of_a_snapshot_stay_text(tmp_path: Path) -> None:
    with observing_hub(tmp_path, hostile) as hub:
        said = everything(hub)
        pages = [path for path in said if "." not in path and "?" not in path]
        tables = [path for path in said if path.endswith(".csv")]
        for trick in ("<img src=x", "\u202e"):
            assert [path for path in pages if trick in said[path]] == []
        assert [path for path in tables if FORMULA in cells(said[path])] == []
        shown = read_html(hub.get("/insights/s4", headers=BROWSER))
        names = [line.all("td")[0].text for line in shown.one("tbody").all("tr")]
        assert {MARKUP, FORMULA} <= set(names)
        assert f"'{FORMULA}" in hub.get("/insights/s4.csv").text.replace('""', '"')
        assert "U+202E" in shown.one("main").text


def test_a_snapshot_that_goes_while_pages_are_about_it_is_gone(bare: TestHub) -> None:
    take(bare)
    assert bare.get("/insights/s2", headers=BROWSER).status_code == 200
    store = SnapshotStore(bare.app.config.data / "snapshots")
    folder = store.folders()[0]
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert "There is no snapshot yet" in bare.get("/insights", headers=BROWSER).text

# SPDX-License-Identifier: Apache-2.0
"""The pages of the observatory: what a snapshot says at a glance, and each of its figures."""

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("duckdb")

import pyarrow.parquet as pq

from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.report.said import NOTHING
from hubkeep.observatory.snapshot import Snapshot
from hubkeep.observatory.store import SnapshotStore
from hubkeep.web.insights_fields import RESERVED
from hubkeep.web.insights_groups import GROUPS
from tests.harness.hub import TestHub
from tests.web.html import BROWSER, Element, read_html
from tests.web.insights import observing_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    with observing_hub(tmp_path_factory.mktemp("insights")) as started:
        yield started


@pytest.fixture(scope="module")
def snapshot(hub: TestHub) -> Snapshot:
    store = SnapshotStore(hub.app.config.data / "snapshots")
    return Snapshot.open(store.find("20240711"))


def page(hub: TestHub, path: str, status: int = 200) -> Element:
    return read_html(hub.get(path, headers=BROWSER), status)


def data(hub: TestHub, path: str) -> Any:
    answer = hub.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def wrong(hub: TestHub, path: str) -> str:
    """What is said to be wrong, which stands beside the field too if there is one."""
    found = page(hub, path, 400)
    told = found.one("div", role="alert").text
    for field in found.all("span", class_="wrong"):
        assert field.text == told
    return told


def test_the_overview_says_what_there_is_and_nothing_of_what_there_is_not(
    hub: TestHub, snapshot: Snapshot
) -> None:
    told = data(hub, "/insights")
    assert told["about"]["snapshot"]["hash"] == snapshot.manifest.hash
    numbers = {one["name"]: one for one in told["numbers"]}
    assert numbers["models"]["value"] == 20
    assert (numbers["spaces"]["value"], numbers["spaces"]["text"]) == (None, NOTHING)
    assert numbers["spaces"]["note"] == "not in this snapshot"
    reported = snapshot.figure("F5")
    assert numbers["reporting_rate"]["value"] == reported.scalars["reporting_rate"]
    concentrated = snapshot.figure("B1")
    assert numbers["downloads_30d"]["value"] == concentrated.scalars["dl_total"]
    assert numbers["flagged_share"]["value"] == pytest.approx(1_000_000 / 1_005_531)
    shown = page(hub, "/insights")
    assert shown.one("h1").text == "Insights"
    assert f"snapshot {snapshot.manifest.id}" in shown.one("main").text
    assert "of 20 models" in shown.one("dl", class_="glance").text


def test_the_overview_leads_to_every_figure(hub: TestHub) -> None:
    links = {one.attributes["href"] for one in page(hub, "/insights").one("main").all("a")}
    assert {f"/insights/{name.lower()}" for name in all_figures()} <= links


def test_every_figure_stands_in_one_group() -> None:
    named = [name for _, names in GROUPS for name in names]
    assert len(named) == len(set(named))
    assert all_figures().keys() <= set(named)


def test_no_parameter_of_a_figure_is_called_like_one_of_the_pages() -> None:
    names = {one.name for known in all_figures().values() for one in known.figure.parameters}
    assert names & RESERVED == set()


def test_figures_say_in_the_contents_what_an_older_snapshot_lacks(hub: TestHub) -> None:
    told = data(hub, "/insights?snapshot=20240111")
    entries = {one["id"]: one for group in told["groups"] for one in group["figures"]}
    assert entries["S7"]["lacks"] == ["3 snapshots; there is 1"]
    assert entries["S1"]["lacks"] == []
    assert entries["S1"]["href"] == "/insights/s1?snapshot=20240111"
    shown = page(hub, "/insights?snapshot=20240111").one("main").text
    assert "it takes 3 snapshots; there is 1" in shown


@pytest.mark.parametrize("name", all_figures())
def test_every_figure_has_a_page_and_says_the_same_as_a_report(
    name: str, hub: TestHub, snapshot: Snapshot
) -> None:
    shown = page(hub, f"/insights/{name.lower()}")
    told = data(hub, f"/insights/{name}")
    figure = told["figure"]
    if all_figures()[name].figure.snapshots == 1:
        alone = data(hub, f"/insights/{name}?snapshot={snapshot.manifest.id}")
        assert alone["figure"]["table"]["columns"] == figure["table"]["columns"]
    assert shown.one("h1").text == figure["title"]
    caption = shown.one("figcaption").text
    assert f"n = {figure['n']:,} · " in caption
    assert snapshot.manifest.id in caption
    assert "2024-07-11" in caption
    rows = figure["table"]["rows"]
    cells = [one for one in shown.all("table") for one in one.one("tbody").all("tr")]
    assert len(cells) == min(len(rows), 100)
    assert figure["sql"].split() == shown.all("pre")[-1].text.split()
    for definition in figure["definitions"]:
        assert " ".join(definition.split()) in shown.one("main").text


def test_what_is_asked_for_is_in_the_form_in_the_permalink_and_in_the_figure(
    hub: TestHub, snapshot: Snapshot
) -> None:
    asked = "k=5&rule=likes&flagged=drop&org_type=&since=&until=2024-12-31&scale=log"
    shown, told = page(hub, f"/insights/s2?{asked}"), data(hub, f"/insights/s2?{asked}")
    values = {one["name"]: one["value"] for one in told["fields"]}
    assert (values["k"], values["rule"], values["flagged"]) == ("5", "likes", "drop")
    assert shown.one("input", name="k").attributes["value"] == "5"
    chosen = shown.one("select", name="rule").all("option", selected="")
    assert [one.attributes["value"] for one in chosen] == ["likes"]
    address = urlsplit(told["permalink"])
    kept = {name: value for name, (value,) in parse_qs(address.query).items()}
    assert kept == {
        "snapshot": snapshot.manifest.id,
        "k": "5",
        "rule": "likes",
        "flagged": "drop",
        "until": "2024-12-31",
        "scale": "log",
    }
    assert data(hub, told["permalink"])["figure"] == told["figure"]
    wanted = snapshot.figure("S2", k=5, rule="likes", filters=Filters(flagged="drop"))
    assert [row[0] for row in told["figure"]["table"]["rows"]] == wanted.table[0].to_pylist()
    link = shown.one("link", rel="canonical").attributes["href"]
    assert link.endswith(told["permalink"])


def test_counters_that_stand_out_are_marked_counted_or_left_out(hub: TestHub) -> None:
    totals = {
        flagged: data(hub, f"/insights/s4?flagged={flagged}")["figure"]
        for flagged in ("mark", "keep", "drop")
    }
    rows = {flagged: one["table"]["rows"] for flagged, one in totals.items()}
    assert rows["keep"][0][0] == "mit"
    assert rows["mark"][0][0] != "mit"
    assert "mit" not in [row[0] for row in rows["drop"]]
    assert "1 counter stands out" in page(hub, "/insights/s4").one("main").text
    assert "mit/absurd: 1,000,000 downloads" in page(hub, "/insights/s4").one("main").text


def test_axes_can_be_drawn_otherwise(hub: TestHub) -> None:
    def axes(path: str) -> str:
        return str(data(hub, path)["figure"]["chart"])

    assert "'type': 'log'" in axes("/insights/s6")
    assert "'type': 'log'" not in axes("/insights/s6?scale=linear")
    assert "'type': 'log'" not in axes("/insights/s2")
    assert "zeros at its edge" in axes("/insights/s2?scale=log")


def test_what_cannot_be_asked_is_said_beside_its_field(hub: TestHub) -> None:
    assert wrong(hub, "/insights/s2?k=many") == "k must be like 300, got 'many'"
    assert wrong(hub, "/insights/s2?k=0") == "k must be 1 to 1,000,000, got 0"
    assert wrong(hub, "/insights/s2?rule=%3Cb%3E").startswith("rule must be one of downloads_30d")
    assert wrong(hub, "/insights/s2?flagged=x") == "flagged must be one of mark, keep, drop"
    assert wrong(hub, "/insights/s2?since=May").startswith("since must be a day such as 2024-01-31")
    assert wrong(hub, "/insights/s2?org_type=bank").startswith("org_type must be one of company")
    assert wrong(hub, "/insights/s2?scale=cubic") == "scale must be one of linear, log"
    assert "S2 has no parameter 'colour'" in wrong(hub, "/insights/s2?colour=red")
    found = page(hub, "/insights/s2?k=many", 400)
    assert found.one("input", name="k").attributes["aria-invalid"] == "true"
    assert found.one("input", name="k").attributes["value"] == "many"
    long = hub.get(f"/insights/s2?k={'9' * 5000}", headers=BROWSER)
    assert long.status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/insights/z9", 404),
        ("/insights/s2.exe", 404),
        ("/insights/z9.csv", 404),
        ("/insights?snapshot=1999", 404),
        ("/insights/s2?snapshot=2024", 404),
        ("/insights?universe=everything", 400),
        ("/insights?colour=red", 400),
        ("/insights/s2.csv?k=many", 400),
        ("/insights/s2.parquet?scale=x", 400),
        ("/insights?universe=all", 404),
        ("/insights/s2?universe=all", 404),
        ("/insights/s2.csv?universe=all", 404),
    ],
)
def test_what_is_not_there_and_what_is_not_right(hub: TestHub, path: str, status: int) -> None:
    assert hub.get(path, headers=BROWSER).status_code == status


@pytest.mark.parametrize(
    "path",
    ["/insights", "/insights/s2", "/insights/s2?format=json", "/insights/s2.csv?k=7"],
)
def test_who_has_it_already_is_told_so(hub: TestHub, path: str) -> None:
    first = hub.get(path, headers=BROWSER)
    assert first.headers["cache-control"] == "private, no-cache"
    known = {**BROWSER, "If-None-Match": first.headers["etag"]}
    again = hub.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = "&flagged=drop" if "?" in path else "?snapshot=20240411"
    changed = hub.get(f"{path}{other}", headers=known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
    assert hub.head(path, headers=BROWSER).headers["etag"] == first.headers["etag"]


def test_the_table_comes_as_files(hub: TestHub, snapshot: Snapshot) -> None:
    wanted = snapshot.figure("S4", k=9).table
    text = hub.get("/insights/s4.csv?k=9")
    assert text.headers["content-disposition"] == 'attachment; filename="S4.csv"'
    rows = list(csv.reader(io.StringIO(text.text)))
    assert rows[0] == wanted.column_names
    assert [row[0] for row in rows[1:]] == wanted[0].to_pylist()
    packed = hub.get("/insights/S4.parquet?k=9")
    table = pq.read_table(io.BytesIO(packed.content))
    assert table.to_pylist() == wanted.to_pylist()


def test_pages_name_the_observatory(hub: TestHub) -> None:
    for place in ("header", "footer"):
        assert page(hub, "/").one(place).link("Insights") == "/insights"
    current = page(hub, "/insights/s2").one("nav", aria_label="Insights").all("a")
    assert [one.text for one in current if "aria-current" in one.attributes] == ["Figures"]


def test_the_server_computes_nothing_itself() -> None:
    program = (
        "import sys\n"
        "import hubkeep.asgi\n"
        "print([name for name in ('duckdb', 'numpy', 'pyarrow', 'altair') if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert said.stdout.strip() == "[]"

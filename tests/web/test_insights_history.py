# SPDX-License-Identifier: Apache-2.0
"""Repositories and accounts over time: gaps are gaps, sums and ranks by hand, nothing hidden."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("duckdb")

from tests.harness.hub import TestHub
from tests.harness.world import ALICE
from tests.observatory.shelf import three
from tests.observatory.tiny import OWN, model, tiny
from tests.repos.world import World
from tests.web.html import BROWSER, Element, read_html
from tests.web.insights import observing_hub
from tests.web.insights_own import DAYS, SECRET, own_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    with own_hub(tmp_path_factory.mktemp("history")) as started:
        yield started


def page(hub: TestHub, path: str, status: int = 200) -> Element:
    return read_html(hub.get(path, headers=BROWSER), status)


def data(hub: TestHub, path: str) -> Any:
    answer = hub.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def course(hub: TestHub, path: str, measure: str) -> list[int | None]:
    """What the snapshots say, oldest first; None where one says nothing."""
    days = reversed(data(hub, path)["days"])
    return [None if one["point"] is None else one["point"][measure] for one in days]


def line(hub: TestHub, path: str) -> list[tuple[str, int | None]]:
    """What is drawn."""
    rows = data(hub, path)["figure"]["table"]["rows"]
    return [(day[:10], value) for _, day, value, _ in rows]


def test_a_repository_over_time(hub: TestHub):
    path = "/insights/models/acme/grows"
    assert course(hub, path, "downloads_30d") == [100, 200, 300, 400]
    assert course(hub, path, "downloads_all") == [1000, 2000, 3000, 4000]
    # Before it come falls, steady and the absurd one in the end; what is hidden counts nowhere.
    assert course(hub, path, "rank") == [4, 4, 4, 3]
    assert course(hub, path, "ranked") == [21, 19, 21, 21]
    assert line(hub, path) == list(zip(DAYS, [100, 200, 300, 400], strict=True))


def test_a_gap_is_a_gap(hub: TestHub):
    path = "/insights/models/other/comes-and-goes"
    assert line(hub, path) == list(zip(DAYS, [50, None, 50, 50], strict=True))
    found = page(hub, path)
    assert "not in this snapshot" in found.text
    assert "1 snapshot has nothing of other/comes-and-goes" in found.text
    assert "n = 3 of 4 snapshots" in found.one("figcaption").text


def test_a_counter_that_is_missing_is_no_zero(hub: TestHub):
    path = "/insights/models/other/silent"
    assert course(hub, path, "downloads_30d") == [40, None, 40, 40]
    assert course(hub, path, "rank")[1] is None
    assert "1 snapshot has other/silent, but not this counter" in page(hub, path).text
    assert course(hub, "/insights/models/tiny/zero", "downloads_30d") == [0, 0, 0, 0]


def test_what_a_snapshot_lacks_as_a_table_is_a_gap(hub: TestHub):
    path = "/insights/datasets/acme/grows"
    assert course(hub, path, "downloads_30d") == [None, None, 14, 21]
    assert course(hub, path, "downloads_all")[2:] == [None, None]
    assert "None of these snapshots has this" in page(hub, f"{path}?measure=downloads_all").text


def test_no_line_goes_over_a_long_time_without_snapshots(tmp_path_factory):
    def fill(folder) -> None:
        for day in ("01-01", "01-02", "01-03", "01-09", "01-10"):
            row = {"id": "a/b", "author": "a", "downloads_30d": 5}
            tiny(folder, f"2024-{day}T00:00:00.000Z", models=[row])

    with observing_hub(tmp_path_factory.mktemp("broken"), fill) as hub:
        drawn = line(hub, "/insights/models/a/b")
        assert ("2024-01-06", None) in drawn
        assert len(drawn) == 6
        assert "further apart than usual" in page(hub, "/insights/models/a/b").text


def test_an_account_is_the_sum_of_its_repositories(hub: TestHub):
    path = "/insights/accounts/acme"
    # grows + falls + small, and the new one in the end; the hidden one is in no sum.
    sums = [1060, 960, 860, 400 + 300 + 60 + 250]
    assert course(hub, path, "downloads_30d") == sums
    assert course(hub, path, "repositories") == [3, 3, 3, 4]
    assert course(hub, path, "rank") == [1, 1, 1, 2]
    told = data(hub, path)
    assert [one["id"] for one in told["largest"]][:3] == ["acme/grows", "acme/falls", "acme/new"]
    assert course(hub, f"{path}?of=datasets", "downloads_30d") == [None, None, 14, 21]


def test_former_names_and_ids_without_a_namespace_are_followed(tmp_path_factory):
    def fill(folder) -> None:
        for day, name in (("01-01", "gpt2"), ("01-02", "openai-community/gpt2")):
            author = {"author": "openai-community"} if "/" in name else {}
            row = {"id": name, "downloads_30d": 5, **author}
            tiny(folder, f"2024-{day}T00:00:00.000Z", models=[row])

    with observing_hub(tmp_path_factory.mktemp("former"), fill) as hub:
        for path in ("models/gpt2", "models/openai-community/gpt2", "accounts/openai-community"):
            assert course(hub, f"/insights/{path}", "downloads_30d") == [5, 5], path


def test_what_strangers_may_not_see_is_not_there_for_anybody(hub: TestHub):
    unknown = hub.get("/insights/models/acme/unseen", headers=BROWSER)
    hidden = hub.get(f"/insights/models/{SECRET}", headers=BROWSER)
    assert unknown.status_code == hidden.status_code == 404
    assert hidden.text.replace(SECRET, "acme/unseen") == unknown.text
    assert hub.get(f"/insights/models/{SECRET}", token=ALICE).status_code == 404
    for path in ("/insights/accounts/acme", "/insights/models/acme/grows"):
        for form in ("json", "csv", "html"):
            assert "secret" not in hub.get(f"{path}?format={form}").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("models/acme/nothing-like-it", 404),
        ("kernels/acme/grows", 404),
        ("accounts/acme/grows", 404),
        ("models/a/b/c", 404),
        ("models/%27%20OR%201=1--", 404),
        ("models/acme%2Fgrows%00", 404),
        ("models/acme/grows?measure=size", 400),
        ("accounts/acme?of=accounts", 400),
        ("models/acme/grows?snapshot=1999", 404),
        ("models/acme/grows?universe=all", 404),
        ("models/o'reilly/it's", 404),
    ],
)
def test_wrong_addresses_say_so(hub: TestHub, path: str, status: int):
    assert hub.get(f"/insights/{path}", headers=BROWSER).status_code == status


def test_the_export_has_the_columns_of_the_other_hub(hub: TestHub):
    answer = hub.get("/insights/models/other/comes-and-goes?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == ["repoType", "repoName", "total", "timestamp", "downloads"]
    assert [row["timestamp"][:10] for row in rows] == [DAYS[0], *DAYS[2:]]
    assert rows[0] == {
        "repoType": "model",
        "repoName": "other/comes-and-goes",
        "total": "500",
        "timestamp": "2024-06-27T00:00:00.000Z",
        "downloads": "50",
    }
    told = data(hub, "/insights/models/other/comes-and-goes")["rows"]
    assert told["columns"] == list(rows[0])
    assert len(told["rows"]) == len(rows)
    again = {"if-none-match": answer.headers["etag"]}
    path = "/insights/models/other/comes-and-goes?format=csv"
    assert hub.get(path, headers=again).status_code == 304


def test_a_permalink_says_the_same_when_there_is_a_newer_snapshot(hub: TestHub):
    asked = data(hub, "/insights/models/acme/grows?snapshot=20240711&measure=likes&scale=log")
    assert [one["day"] for one in asked["days"]] == [*reversed(DAYS[:3])]
    again = data(hub, asked["permalink"])
    assert again["days"] == asked["days"]
    assert again["figure"] == asked["figure"]


def test_zeros_are_told_where_the_axis_has_no_place_for_them(hub: TestHub):
    assert "circles at the foot" in page(hub, "/insights/models/tiny/zero?scale=log").text
    assert "circles at the foot" not in page(hub, "/insights/models/tiny/zero").text


def test_pages_of_the_hub_lead_to_it_once_there_is_a_snapshot_that_may_have_it(tmp_path):
    with observing_hub(tmp_path, three) as hub:
        world = World(hub)
        world.user("ada")
        for name in ("open", "closed"):
            world.repo(f"ada/{name}", private=name == "closed")
        assert data(hub, "/ada/open")["overTime"] is None
        day = datetime.fromtimestamp(hub.clock() / 1000 + 86_400, UTC)
        rows = [model("ada/open", downloads_30d=1)]
        tiny(hub.app.config.data / "snapshots", f"{day:%Y-%m-%d}T00:00:00.000Z", OWN, models=rows)
        for path, there in (("/ada/open", "models/ada/open"), ("/ada", "accounts/ada")):
            assert data(hub, path)["overTime"] == f"/insights/{there}"
            assert page(hub, f"/insights/{there}")
            assert f"/insights/{there}" in [
                one.attributes["href"] for one in page(hub, path).all("a")
            ]
        answer = world.call("GET", "/ada/closed?format=json", "ada")
        assert answer.json()["overTime"] is None


def test_without_snapshots_it_says_so(tmp_path_factory):
    with observing_hub(tmp_path_factory.mktemp("none"), lambda folder: None) as hub:
        found = page(hub, "/insights/models/acme/grows", 404)
        assert "takes one of itself every day" in found.text


def test_imported_snapshots_do_not_lead_to_pages_of_this_hub(tmp_path_factory):
    with observing_hub(tmp_path_factory.mktemp("imported"), three) as hub:
        assert not data(hub, "/insights/models/google/small")["here"]
        assert not data(hub, "/insights/models/bert-base-uncased")["here"]

# SPDX-License-Identifier: Apache-2.0
"""Movers: between which snapshots, who is in which list by hand, who is left out."""

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("duckdb")

from tests.harness.hub import TestHub
from tests.observatory.tiny import OWN, model, tiny
from tests.web.html import BROWSER, Element, read_html
from tests.web.insights import observing_hub
from tests.web.insights_own import SECRET, own_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    with own_hub(tmp_path_factory.mktemp("movers")) as started:
        yield started


def page(hub: TestHub, path: str, status: int = 200) -> Element:
    return read_html(hub.get(path, headers=BROWSER), status)


def data(hub: TestHub, path: str = "/insights/movers") -> Any:
    answer = hub.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows(told: Any, name: str) -> list[tuple[str, int | None, int | None]]:
    found = next(one for one in told["lists"] if one["id"] == name)["rows"]
    return [(one["id"], one["before"], one["after"]) for one in found]


def test_a_week_by_hand(hub: TestHub):
    told = data(hub)
    assert told["before"]["id"].startswith("20240711")
    assert told["apart"] == 7
    assert rows(told, "gained") == [("acme/grows", 300, 400)]
    assert rows(told, "grown") == [("acme/grows", 300, 400)]
    assert rows(told, "fallen") == [("acme/falls", 500, 300)]
    assert rows(told, "new") == [("acme/new", None, 250)]
    assert rows(told, "entered") == [("acme/new", None, 250)]
    assert rows(told, "left") == [("other/gone", 80, None)]
    assert rows(told, "organisations")[0] == ("acme", 860, 1010)
    # Two of its three children are there for strangers, and one of them is new.
    assert rows(told, "families") == [("acme/grows", 1, 2)]
    # 21 are there now, 20 of which were before; one has gone, and one stands out.
    assert told["numbers"] == {"compared": 19, "new": 1, "gone": 1, "flagged": 1}


def test_a_counter_that_stands_out_is_told_and_in_no_list(hub: TestHub):
    told = data(hub)
    assert [one["id"] for one in told["flagged"]] == ["loud/absurd"]
    assert all("loud" not in one["id"] for each in told["lists"] for one in each["rows"])
    found = page(hub, "/insights/movers")
    assert "1 counter stands out" in found.text
    assert "loud/absurd" in found.text


def test_a_counter_that_was_absurd_is_not_the_one_that_fell_most(tmp_path):
    def fill(folder) -> None:
        for day, absurd in (("01", 900_000), ("08", 100)):
            given = [("a/absurd", absurd), ("a/b", 400 if day == "01" else 160)]
            given += [(f"m/m{at}", 50) for at in range(30)]
            models = [model(name, downloads_30d=n, likes=2) for name, n in given]
            tiny(folder, f"2024-03-{day}T00:00:00.000Z", OWN, models=models)

    with observing_hub(tmp_path, fill) as hub:
        told = data(hub)
        assert rows(told, "fallen") == [("a/b", 400, 160)]
        assert [one["id"] for one in told["flagged"]] == ["a/absurd"]


def test_the_snapshot_that_is_closest_to_so_many_days_before_counts(hub: TestHub):
    told = data(hub, "/insights/movers?days=30")
    assert told["before"]["id"].startswith("20240627")
    assert told["apart"] == 21
    assert "is 21 days before" in page(hub, "/insights/movers?days=30").text
    told = data(hub, "/insights/movers?snapshot=20240711")
    assert told["before"]["id"].startswith("20240704")
    # What has no counter in one of the two has neither risen nor fallen.
    assert all(name != "other/silent" for name, *_ in rows(told, "gained"))
    assert ("other/comes-and-goes", None, 50) in rows(told, "new")
    assert (
        "tells nothing of what is made from what"
        in page(hub, "/insights/movers?snapshot=20240711").text
    )


def test_a_growth_in_per_cent_begins_at_a_floor(hub: TestHub):
    told = data(hub, "/insights/movers?least=301")
    assert rows(told, "grown") == []
    assert rows(told, "gained") == [("acme/grows", 300, 400)]
    assert hub.get("/insights/movers?least=0").status_code == 400
    assert hub.get("/insights/movers?days=8").status_code == 400


def test_the_earlier_one_is_found_among_all_snapshots_not_among_some(tmp_path):
    def fill(folder) -> None:
        for day in range(70):
            when = f"2024-{2 + day // 29:02d}-{1 + day % 29:02d}"
            models = [model("a/b", downloads_30d=1000 + day)]
            tiny(folder, f"{when}T00:00:00.000Z", OWN, models=models)

    with observing_hub(tmp_path, fill) as hub:
        assert data(hub)["apart"] == 7
        assert rows(data(hub), "gained") == [("a/b", 1062, 1069)]


def test_nothing_hidden_is_in_it(hub: TestHub):
    for form in ("html", "json"):
        assert SECRET.partition("/")[2] not in hub.get(f"/insights/movers?format={form}").text


def test_former_names_are_one_model(tmp_path):
    def fill(folder) -> None:
        for day, names in (
            ("01", ["gpt2", "a/b"]),
            ("08", ["openai-community/gpt2", "gpt2", "a/b"]),
        ):
            models = [model(name, downloads_30d=1000 + int(day) * len(name)) for name in names]
            tiny(folder, f"2024-03-{day}T00:00:00.000Z", OWN, models=models)

    with observing_hub(tmp_path, fill) as hub:
        told = data(hub)
        assert ("openai-community/gpt2", 1004, 1168) in rows(told, "gained")
        assert rows(told, "new") == []
        assert told["numbers"]["compared"] == 2


def test_it_needs_two_snapshots_and_says_so(hub: TestHub, tmp_path):
    assert "need two snapshots" in page(hub, "/insights/movers?snapshot=20240627").text
    with observing_hub(tmp_path, lambda folder: None) as none:
        assert "takes one of itself every day" in page(none, "/insights/movers").text


def test_a_permalink_says_the_same(hub: TestHub):
    told = data(hub, "/insights/movers?snapshot=20240711&least=10")
    again = data(hub, told["permalink"])
    assert [rows(again, one["id"]) for one in told["lists"]] == [
        rows(told, one["id"]) for one in told["lists"]
    ]
    answer = hub.get(told["permalink"], headers=BROWSER)
    tag = {"if-none-match": answer.headers["etag"]}
    assert hub.get(told["permalink"], headers={**BROWSER, **tag}).status_code == 304

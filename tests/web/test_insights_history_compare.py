# SPDX-License-Identifier: Apache-2.0
"""Comparisons: up to five on one chart, all in the address, what is wrong beside its field."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

pytest.importorskip("duckdb")

from tests.harness.hub import TestHub
from tests.web.html import BROWSER, Element, read_html
from tests.web.insights import observing_hub
from tests.web.insights_own import SECRET, own_hub

PATH = "/insights/compare"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    with own_hub(tmp_path_factory.mktemp("compare")) as started:
        yield started


def address(*names: str, **more: str) -> str:
    return f"{PATH}?{urlencode([*more.items(), *(('with', name) for name in names)])}"


def page(hub: TestHub, path: str, status: int = 200) -> Element:
    return read_html(hub.get(path, headers=BROWSER), status)


def data(hub: TestHub, path: str, status: int = 200) -> Any:
    answer = hub.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == status, answer.text
    return answer.json()


def lines(told: Any) -> dict[str, list[int | None]]:
    found: dict[str, list[int | None]] = {}
    for name, _, value, _ in told["figure"]["table"]["rows"]:
        found.setdefault(name, []).append(value)
    return found


def test_what_is_compared_stands_beside_each_other(hub: TestHub):
    told = data(hub, address("acme/grows", "other/comes-and-goes"))
    assert lines(told) == {
        "acme/grows": [100, 200, 300, 400],
        "other/comes-and-goes": [50, None, 50, 50],
    }
    assert [one["latest"]["downloads_30d"] for one in told["compared"]] == [400, 50]
    assert told["days"][0][2] == [400, 50]
    assert told["days"][2][2] == [200, None]
    ranks = lines(data(hub, address("acme/grows", "acme/falls", measure="rank")))
    assert ranks == {"acme/grows": [4, 4, 4, 3], "acme/falls": [1, 1, 1, 4]}


def test_accounts_are_compared_as_sums(hub: TestHub):
    told = data(hub, address("acme", "other", kind="accounts"))
    assert lines(told) == {"acme": [1060, 960, 860, 1010], "other": [670, 580, 670, 590]}


def test_the_permalink_holds_all_of_it(hub: TestHub):
    asked = address("acme/grows", "acme/falls", measure="likes", scale="log", snapshot="20240711")
    told = data(hub, asked)
    assert "snapshot=20240711T000000Z-" in told["permalink"]
    again = data(hub, told["permalink"])
    assert (again["figure"], again["days"]) == (told["figure"], told["days"])
    assert len(again["days"]) == 3


def test_more_than_five_are_refused_beside_the_field(hub: TestHub):
    names = [f"many/m{at}" for at in range(7)]
    found = page(hub, address(*names), 400)
    field = next(
        one for one in found.all("input", name="with") if one.attributes["value"] == names[5]
    )
    wrong = found.one("span", id=field.attributes["aria-describedby"])
    assert "At most 5" in wrong.text
    assert "many/m5, many/m6" in wrong.text
    assert data(hub, address(*names[:5]))["figure"]
    assert data(hub, address(*names[:5], *names[:5]))["figure"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no/such", "No snapshot of this series has no/such"),
        (SECRET, f"No snapshot of this series has {SECRET}"),
        ("a/b/c", "write it as namespace/name"),
        ("<script>alert(1)</script>", "write it as namespace/name"),
        ("it's; DROP", "write it as namespace/name"),
    ],
)
def test_a_name_that_is_unknown_is_said_and_the_others_are_drawn(
    hub: TestHub, name: str, said: str
):
    answer = hub.get(address("acme/grows", name), headers=BROWSER)
    found = read_html(answer, answer.status_code)
    assert said in found.one("span", class_="wrong").text
    assert "<script>alert" not in answer.text
    if "series" in said:
        assert answer.status_code == 200
        assert lines(data(hub, address("acme/grows", name))) == {"acme/grows": [100, 200, 300, 400]}
        assert said in str(data(hub, address(name), 404)["error"])
    else:
        assert answer.status_code == 400


def test_the_form_works_without_a_script(hub: TestHub):
    found = page(hub, PATH)
    assert len(found.all("input", name="with")) == 5
    # As a browser sends it: empty fields, too.
    told = data(hub, address("acme/grows", "", "", "", "", kind="models", measure="likes"))
    assert lines(told) == {"acme/grows": [3, 3, 3, 3]}


def test_wrong_choices_say_so(hub: TestHub):
    assert hub.get(f"{PATH}?kind=kernels").status_code == 400
    assert hub.get(address("acme", kind="accounts", of="likes")).status_code == 400
    assert hub.get(f"{PATH}?universe=all").status_code == 404


def test_without_snapshots_it_says_so(tmp_path):
    with observing_hub(tmp_path, lambda folder: None) as hub:
        assert "takes one of itself every day" in page(hub, address("a/b")).text

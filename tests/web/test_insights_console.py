# SPDX-License-Identifier: Apache-2.0
"""The page of the SQL console: for who is signed in, by POST alone, over what is public."""

import csv
import html
import io
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, quote, urlsplit

import pytest

pytest.importorskip("duckdb")

from hubkeep.web.insights_console import EXAMPLES
from hubkeep.web.pages_insights_console import CELLS
from tests.harness.hub import TestHub
from tests.harness.world import ALICE_READ, BOB
from tests.observatory.shelf import three
from tests.web.browser import Browser, Seen, give_passwords
from tests.web.html import BROWSER
from tests.web.insights import observing_hub
from tests.web.insights_own import SECRET, own_hub

PATH = "/insights/console"
COUNT = "SELECT count(*) AS n, sum(downloads_30d) AS dl FROM models"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    with own_hub(tmp_path_factory.mktemp("console")) as started:
        give_passwords(started)
        yield started


@pytest.fixture
def alice(own: TestHub, quick: None) -> Browser:
    browser = Browser(own)
    browser.sign_in("alice")
    browser.get(PATH)
    return browser


def ask(hub: TestHub, sql: str, token: str | None = ALICE_READ, **more: object):
    return hub.request("POST", PATH, json={"sql": sql, **more}, token=token)


def test_who_is_not_signed_in_is_led_to_where_one_does(own: TestHub):
    answer = own.get(f"{PATH}?sql=SELECT+1", headers=BROWSER, follow_redirects=False)
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.headers["location"]).query)["next"] == [f"{PATH}?sql=SELECT+1"]
    assert own.get(PATH).status_code == 401
    assert ask(own, COUNT, token=None).status_code == 401


def test_a_query_is_run_and_its_rows_are_shown(alice: Browser):
    answer = alice.post(PATH, sql=COUNT, rows="page")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    # Of the 22 of the last snapshot one is hidden: neither its row nor its downloads are in it.
    seen = Seen(answer.text).text
    assert "1 row" in seen
    assert "21 1002026" in seen.replace(",", "")


def test_an_address_brings_a_query_and_does_not_run_it(alice: Browser):
    answer = alice.get(f"{PATH}?sql={quote('SELECT 41 + 1 AS answer')}")
    assert "SELECT 41 + 1 AS answer" in answer.text
    assert "Result" not in Seen(answer.text).text
    assert alice.get(f"{PATH}?sql=SELECT+1&rows=csv").status_code == 400


def test_a_form_without_its_token_runs_nothing(alice: Browser):
    assert alice.send(PATH, {"sql": COUNT}).status_code == 403
    cookie = "; ".join(f"{name}={value}" for name, value in alice.cookies.items())
    headers = {"Cookie": cookie, "Accept": "application/json"}
    answer = alice.hub.request("POST", PATH, json={"sql": COUNT}, headers=headers)
    assert answer.status_code == 401
    answer = alice.hub.request(
        "POST", PATH, json={"sql": COUNT}, headers={**headers, "x-csrf-token": alice.csrf}
    )
    assert answer.status_code == 200


def test_what_is_wrong_is_said_in_the_words_of_the_database_and_the_query_stays(alice: Browser):
    sql = "SELECT nothing FROM <script>alert(1)</script>"
    answer = alice.post(PATH, sql=sql)
    assert answer.status_code == 400
    assert "Parser Error" in Seen(answer.text).text
    assert html.escape(sql) in answer.text
    assert "<script>alert" not in answer.text
    assert "modles" in Seen(alice.post(PATH, sql="SELECT 1 FROM modles").text).text
    assert "Write a query first" in Seen(alice.post(PATH, sql="  ").text).text
    for sql in ("DROP TABLE models", "SELECT 1; SELECT 2", "COPY models TO '/tmp/x'"):
        assert "One SELECT" in Seen(alice.post(PATH, sql=sql).text).text


def test_values_are_text(alice: Browser):
    sql = "SELECT '<img src=x onerror=alert(1)>' AS \"<b>\", NULL AS none, 'a\u202eb' AS turned"
    answer = alice.post(PATH, sql=sql)
    assert "<img src=x" not in answer.text
    assert "<b>" not in answer.text
    assert "\u202e" not in Seen(answer.text).text.replace(sql, "")
    assert "null" in Seen(answer.text).text


def test_a_file_has_more_rows_and_no_formulas(alice: Browser):
    sql = "SELECT '=1+1' AS f, range AS n FROM range(12000)"
    answer = alice.post(PATH, sql=sql, rows="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 10_000
    assert rows[7] == {"f": "'=1+1", "n": "7"}
    page = alice.post(PATH, sql=sql)
    assert page.text.count("<tr>") == 1_001
    assert "and more than are shown" in Seen(page.text).text


def test_a_wide_result_does_not_keep_the_hub_from_others(alice: Browser):
    """A page has so many cells, and is written in time that grows with them and not faster."""
    wide = ", ".join(f"{n} AS c{n}" for n in range(4_000))
    began = time.monotonic()
    page = alice.post(PATH, sql=f"SELECT {wide} FROM range(500)")
    assert page.status_code == 200
    assert page.text.count("<td") == CELLS
    assert "and more than are shown" in Seen(page.text).text
    assert time.monotonic() - began < 30


def test_what_is_hidden_is_in_no_table(own: TestHub):
    for table, column in (("models", "id"), ("lineage", "child"), ("universe", "id")):
        found = ask(own, f"SELECT {column} AS it FROM {table}").json()["rows"]
        assert found
        assert [SECRET] not in found, table


def test_scripts_get_json(own: TestHub):
    told = ask(own, COUNT, rows=1).json()
    assert told["columns"] == ["n", "dl"]
    assert told["kinds"][0] == "BIGINT"
    assert told["rows"][0][0] == 21
    assert told["snapshot"].startswith("20240718")
    assert ask(own, COUNT, token=BOB, snapshot="20240627").json()["rows"][0][0] == 21
    assert ask(own, COUNT, snapshot="1999").status_code == 404
    wrong = ask(own, "SELECT 1 FROM modles")
    assert wrong.status_code == 400
    assert "modles" in wrong.json()["error"]
    assert own.request("POST", PATH, json={"rows": 1}, token=BOB).status_code == 400


def test_each_has_one_query_at_a_time(own: TestHub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own.app.console, "_seconds", 1.0)
    long = "SELECT count(*) FROM range(100000000000) AS a"
    first = threading.Thread(target=lambda: ask(own, long))
    first.start()
    while not own.app.console._asking and first.is_alive():
        first.join(0.01)
    second = ask(own, "SELECT 1")
    first.join()
    assert second.status_code == 429
    assert "still running" in second.json()["error"]
    assert ask(own, "SELECT 1").status_code == 200


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    with observing_hub(tmp_path_factory.mktemp("figures"), three) as started:
        yield started


@pytest.mark.parametrize(("name", "sql"), EXAMPLES)
def test_examples_can_be_run(figures: TestHub, name: str, sql: str):
    answer = ask(figures, sql)
    assert answer.status_code == 200, answer.text
    assert answer.json()["columns"]


@pytest.fixture(scope="module")
def linked(figures: TestHub) -> Callable[[str], str]:
    def link(path: str) -> str:
        answer = figures.get(path, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return answer.json()["console"]

    return link


def test_figures_lead_to_the_console_and_say_the_same_there(
    figures: TestHub, linked: Callable[[str], str]
):
    for name in ("f1", "s1", "s2", "s5"):
        query = parse_qs(urlsplit(linked(f"/insights/{name}")).query)
        answer = ask(figures, query["sql"][0], snapshot=query["snapshot"][0])
        assert answer.status_code == 200, (name, answer.text)


def test_what_the_console_cannot_say_as_the_figure_does_has_no_link(linked: Callable[[str], str]):
    assert "sql=" in linked("/insights/s2")
    for path in ("s2?k=7", "s2?rule=likes", "s2?flagged=drop", "f1?org_type=company", "s7"):
        assert not linked(f"/insights/{path}"), path


def test_without_snapshots_it_says_so(tmp_path_factory, quick: None):
    with observing_hub(tmp_path_factory.mktemp("none"), lambda folder: None) as hub:
        answer = hub.get(PATH, headers=BROWSER, token=ALICE_READ)
        assert answer.status_code == 200
        assert "takes one of itself every day" in Seen(answer.text).text
        assert ask(hub, "SELECT 1").status_code == 404

# SPDX-License-Identifier: Apache-2.0
"""A crawl that was stopped goes on where it was, and comes to the same."""

import contextlib

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from hubkeep.kit.time import DAY, unwire
from hubkeep.observatory.crawling.endpoint import Endpoint
from hubkeep.observatory.crawling.failure import CrawlFailed
from hubkeep.observatory.crawling.kept import MOST_DAYS, Head, open_kept
from tests.observatory.crawls import Crawls
from tests.observatory.fakehub import Asked, FakeHub, Said, models, served

NOON = unwire("2026-11-21T12:00:00.000Z")
ACCOUNTS = {
    "owner0": {"name": "owner0", "type": "org", "orgType": "company"},
    "owner1": {"user": "owner1", "type": "user"},
}


@pytest.fixture
def crawls(tmp_path) -> Crawls:
    return Crawls(tmp_path / "a", at=NOON)


def hub_of_twenty() -> FakeHub:
    return FakeHub(models=models(20), datasets=models(7), spaces=[], accounts=ACCOUNTS)


def stop_at(number: int):
    """A fault: from this request on, in all, nothing is given any more."""

    def fault(asked: Asked) -> Said | None:
        return Said(403, {"error": "stop"}) if asked.number >= number else None

    return fault


@pytest.mark.parametrize("stops", [(3,), (11,), (14,), (3, 6, 7, 9, 11, 14)], ids=str)
def test_the_result_is_that_of_a_crawl_that_nobody_stopped(crawls: Crawls, tmp_path, stops):
    with served(hub_of_twenty()) as hub:
        whole = Crawls(tmp_path / "b", at=NOON)(hub.url)
        hub.asked.clear()
        for number in stops:
            hub.fault = stop_at(number)
            with pytest.raises(CrawlFailed, match="stop"):
                crawls(hub.url, parallel=1)
            assert crawls.made() == []
        hub.fault = lambda _: None
        resumed = crawls(hub.url, parallel=1)
    assert resumed.hashes() == whole.hashes()
    assert resumed.manifest == whole.manifest
    # Whatever was answered was not asked for again.
    answered = [one for one in hub.cursors("models") if one]
    assert len(answered) <= 6 + len(stops)


def test_an_account_that_was_found_is_not_looked_up_again(crawls: Crawls):
    with served(hub_of_twenty()) as hub:
        hub.fault = lambda asked: Said(403, None) if asked.path == "/api/spaces" else None
        with contextlib.suppress(CrawlFailed):
            crawls(hub.url)
        hub.fault = lambda _: None
        crawls(hub.url)
        looked_up = hub.paths("overview")
    assert sorted(looked_up) == sorted(set(looked_up))


def test_what_was_being_written_when_it_was_killed_is_no_page(crawls: Crawls):
    with served(hub_of_twenty()) as hub:
        hub.fault = stop_at(4)
        with pytest.raises(CrawlFailed):
            crawls(hub.url, parallel=1, lists=["models"])
        [folder] = (crawls.data / "crawls").glob("*/models")
        pages = sorted(path.name for path in folder.iterdir())
        assert pages == ["00000001.gz", "00000002.gz", "00000003.gz"]
        (folder / "00000004.part").write_bytes(b"\x1f\x8b half")
        hub.fault = lambda _: None
        got = crawls(hub.url, lists=["models"])
    assert len(got.ids()) == 20


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_page_that_is_damaged_on_disk_is_found_and_begun_anew(crawls: Crawls, damage):
    with served(hub_of_twenty()) as hub:
        hub.fault = stop_at(4)
        with pytest.raises(CrawlFailed):
            crawls(hub.url, parallel=1, lists=["models"])
        [folder] = (crawls.data / "crawls").glob("*/models")
        page = folder / "00000002.gz"
        if damage == "gone":
            page.unlink()
        else:
            whole = page.read_bytes()
            page.write_bytes(whole[:-9] if damage == "cut" else whole[:20] + b"x" * 20 + whole[40:])
        hub.fault = lambda _: None
        with pytest.raises(CrawlFailed, match="begin anew with --fresh") as error:
            crawls(hub.url, lists=["models"])
        assert "goes on from there" not in str(error.value)
        assert crawls.made() == []
        assert len(crawls(hub.url, lists=["models"], fresh=True).ids()) == 20


@pytest.mark.parametrize(
    ("hours", "how", "is_anew"),
    [
        (MOST_DAYS * 24 - 1, {}, False),
        (MOST_DAYS * 24 + 1, {}, True),
        (0, {"fresh": True}, True),
        (0, {"lists": ["models", "spaces"]}, True),
    ],
    ids=["young", "old", "fresh", "other lists"],
)
def test_a_crawl_that_is_old_or_another_is_begun_anew(crawls: Crawls, hours, how, is_anew):
    with served(hub_of_twenty()) as hub:
        hub.fault = stop_at(4)
        with pytest.raises(CrawlFailed):
            crawls(hub.url, parallel=1, lists=["models"], accounts=0)
        hub.asked.clear()
        hub.fault = lambda _: None
        crawls.at = NOON + hours * DAY // 24
        with contextlib.suppress(AssertionError):
            # The other crawl may still be there.
            crawls(hub.url, **{"lists": ["models"], "accounts": 0, **how})
    assert (0 in hub.cursors()) is is_anew


def test_old_crawls_of_others_are_thrown_away(tmp_path):
    where = Endpoint.parse("http://127.0.0.1:1")
    with contextlib.suppress(KeyboardInterrupt), open_kept(tmp_path, where, ["a"], lambda: NOON):
        raise KeyboardInterrupt
    later = NOON + (MOST_DAYS + 1) * DAY
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1
    with open_kept(tmp_path, where, ["b"], lambda: later) as kept:
        kept.add("b", Head("now"), [])
        assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_two_do_not_crawl_the_same_at_once(crawls: Crawls):
    def fault(asked: Asked) -> Said | None:
        if asked.number == 2:
            with pytest.raises(CrawlFailed, match="another process is crawling"):
                crawls(hub.url)
        return None

    with served(hub_of_twenty()) as hub:
        hub.fault = fault
        assert len(crawls(hub.url).ids()) == 20


def test_the_last_crawl_says_how_many_rows_to_expect(crawls: Crawls):
    from hubkeep.observatory.crawling.crawl import Wanted, crawl
    from hubkeep.observatory.crawling.report import Silent

    told: dict[str, int] = {}

    class Told(Silent):
        def expect(self, name: str, total: int) -> None:
            told[name] = total

    with served(hub_of_twenty()) as hub:
        crawls(hub.url)
        wanted = Wanted(endpoint=Endpoint.parse(hub.url), accounts=0)
        crawl(crawls.store, crawls.data / "crawls", wanted, report=Told())
    assert told == {"models": 20, "datasets": 7, "spaces": 0, "accounts": 0}

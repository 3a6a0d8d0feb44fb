# SPDX-License-Identifier: Apache-2.0
"""What a crawl makes of a hub that answers."""

import json
from datetime import datetime

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from hubkeep.observatory.crawling.failure import CrawlFailed
from hubkeep.observatory.crawling.lists import LISTS
from tests.observatory.crawls import Crawls
from tests.observatory.fakehub import Asked, FakeHub, Said, models, served

FULL = {
    "_id": "1",
    "id": "acme/tuned-7b",
    "createdAt": "2023-08-01T12:00:00.000Z",
    "lastModified": "2024-01-02T03:04:05.000Z",
    "downloads": 120,
    "downloadsAllTime": 4000,
    "likes": 7,
    "trendingScore": 1.5,
    "usedStorage": 5000,
    "mainSize": 4000,
    "gated": "manual",
    "private": False,
    "disabled": False,
    "pipeline_tag": "text-generation",
    "library_name": "transformers",
    "tags": [
        "model-index",
        "en",
        "license:Apache-2.0",
        "license:other",
        "base_model:meta/base",
        "base_model:quantized:meta/base",
        "dataset:acme/words",
        "arxiv:2307.09288",
    ],
    "siblings": [
        {"rfilename": "README.md"},
        {"rfilename": "weights/pytorch_model.BIN"},
        {"rfilename": "training_args.bin"},
        {"rfilename": "notes.txt"},
    ],
    "cardData": {"license": "apache-2.0", "co2_eq_emissions": {"emissions": "1.5 kg"}, "x": [1]},
    "safetensors": {"parameters": {"BF16": 6738415616}, "total": 6738415616},
    "gguf": None,
}
EXPECTED = {
    "id": "acme/tuned-7b",
    "author": "acme",
    "created_at": datetime.fromisoformat("2023-08-01 12:00"),
    "last_modified": datetime.fromisoformat("2024-01-02 03:04:05"),
    "downloads_30d": 120,
    "downloads_all": 4000,
    "likes": 7,
    "trending": 1.5,
    "license": "apache-2.0",
    "size": 4000,
    "used_storage": 5000,
    "gated": "manual",
    "private": False,
    "disabled": False,
    "has_card": True,
    "task": "text-generation",
    "library": "transformers",
    "parameters": 6_738_415_616,
    "parameters_from": "safetensors",
    "co2_grams": 1500.0,
    "co2_written": "1.5 kg",
    "has_safetensors": False,
    "has_pickle": True,
    "has_gguf": False,
    "has_metrics": True,
}
DATASET = {
    "id": "acme/words",
    "createdAt": "2023-08-01T12:00:00.000Z",
    "downloads": 5,
    "likes": 1,
    "gated": False,
    "private": False,
    "tags": ["language:de", "license:mit"],
}
SPACE = {
    "id": "acme/app",
    "likes": 2,
    "private": False,
    "sdk": "gradio",
    "tags": [],
    "models": ["acme/tuned-7b"],
    "datasets": ["acme/words"],
}
ACCOUNTS = {
    "acme": {
        "name": "acme",
        "type": "org",
        "fullname": "Acme\u202e Inc",
        "orgType": "Non Profit",
        "createdAt": "2020-01-01T00:00:00.000Z",
        "numModels": 1,
    },
    "owner0": {"user": "owner0", "type": "user", "fullname": "Owner", "numModels": 99},
}


@pytest.fixture
def crawls(tmp_path) -> Crawls:
    return Crawls(tmp_path)


def test_all_that_a_hub_tells_is_in_the_snapshot(crawls: Crawls):
    with served(
        FakeHub(models=[FULL], datasets=[DATASET], spaces=[SPACE], accounts=ACCOUNTS)
    ) as hub:
        got = crawls(hub.url)
    assert got.row("models", "acme/tuned-7b") == EXPECTED
    assert got.row("datasets", "acme/words")["license"] == "mit"
    assert got.row("spaces", "acme/app")["sdk"] == "gradio"
    assert got.rows("lineage", "child", "parent", "relation") == [
        ("acme/tuned-7b", "meta/base", "quantized")
    ]
    assert got.rows("labels", "repo_type", "id", "kind", "value") == [
        ("dataset", "acme/words", "language", "de"),
        ("model", "acme/tuned-7b", "dataset", "acme/words"),
        ("model", "acme/tuned-7b", "language", "en"),
        ("model", "acme/tuned-7b", "license", "other"),
        ("model", "acme/tuned-7b", "paper", "2307.09288"),
        ("space", "acme/app", "dataset", "acme/words"),
        ("space", "acme/app", "model", "acme/tuned-7b"),
    ]
    assert got.row("accounts", "acme") == {
        "name": "acme",
        "kind": "org",
        "org_type": "non-profit",
        "fullname": "Acme Inc",
        "created_at": datetime.fromisoformat("2020-01-01"),
    }
    assert got.manifest.source.kind == "crawl"
    assert got.manifest.source.name == hub.url
    assert got.manifest.universe == "public"
    assert got.manifest.excluded == {}


def test_a_list_is_read_in_as_few_requests_as_it_has_pages(crawls: Crawls):
    with served(FakeHub(models=models(20), datasets=[], spaces=[], page=7)) as hub:
        got = crawls(hub.url, accounts=0)
    assert len(got.ids()) == 20
    assert hub.cursors() == [0, 7, 14]
    assert len(hub.asked) == 5
    first = hub.asked[hub.paths().index("/api/models")]
    assert {"downloads", "downloadsAllTime", "cardData", "siblings"} <= set(first.query["expand"])
    assert first.query["limit"] == ["1000"]
    assert first.headers["user-agent"].startswith("hubkeep/")
    assert first.headers["user-agent"].endswith(" (+snapshot crawl)")
    assert "authorization" not in first.headers
    detail = got.manifest.source.detail
    assert detail["pages of models"] == "3"
    assert detail["started"] <= got.manifest.taken_at <= detail["finished"]


def test_the_same_hub_gives_the_same_bytes_however_many_ask_at_once(crawls: Crawls):
    lists = {"models": models(30), "datasets": [DATASET], "spaces": [SPACE]}
    with served(FakeHub(**lists, accounts=ACCOUNTS)) as hub:
        assert crawls(hub.url, parallel=1).hashes() == crawls(hub.url, parallel=8).hashes()


def refuse(*names: str, text: str = "", status: int = 400):
    """A fault: who asks for one of these fields is refused."""

    def fault(asked: Asked) -> Said | None:
        if set(asked.query.get("expand", ())) & set(names):
            return Said(status, {"error": text})
        return None

    return fault


KNOWN = '"expand" must be one of [createdAt, downloads, likes, private, tags]'
TOLD = {"created_at", "downloads_30d", "likes", "private", "license"}


@pytest.mark.parametrize(
    ("fault", "most"),
    [
        (refuse("usedStorage", "gated", "siblings", "mainSize", text=KNOWN), 2),
        (refuse("siblings", text="too much", status=501), 2),
        (refuse("usedStorage", text="Bad Request"), 24),
        (refuse("usedStorage", "cardData", "tags", text='expected one of "likes"|"nothing"'), 24),
    ],
    ids=["names what it knows", "siblings are too much", "does not say why", "names others"],
)
def test_a_hub_that_does_not_know_a_field_is_asked_for_the_others(crawls: Crawls, fault, most):
    with served(FakeHub(models=[FULL], fault=fault)) as hub:
        got = crawls(hub.url, lists=["models"], accounts=0)
    assert len(hub.asked) <= most
    assert got.row("models", "acme/tuned-7b")["likes"] == 7


def test_columns_that_a_hub_does_not_tell_of_are_missing_and_not_zero(crawls: Crawls):
    # Lists of files come without sizes.
    rows = [{**one, "likes": None, "siblings": FULL["siblings"]} for one in models(3)]
    with served(FakeHub(models=rows)) as hub:
        got = crawls(hub.url, lists=["models"], accounts=0)
    missing = got.missing()
    assert {"size", "used_storage", "downloads_all", "gated", "co2_grams", "task"} <= missing
    # It has the field, and nothing in it.
    assert not missing & {"likes", "downloads_30d", "license", "created_at", "private"}
    assert got.rows("models", "likes") == [(None,)] * 3
    assert set(got.manifest.tables) == {"models", "lineage", "labels"}


def test_a_hub_without_expand_is_read_in_full_or_plain(crawls: Crawls):
    def fault(asked: Asked) -> Said | None:
        known = {"limit", "full", "cursor"} if asked.path == "/api/models" else {"limit", "cursor"}
        return None if set(asked.query) <= known else Said(400, {"error": "unknown parameter"})

    with served(FakeHub(models=models(5), datasets=[DATASET], fault=fault)) as hub:
        got = crawls(hub.url, lists=["models", "datasets"], accounts=0)
    assert len(got.ids()) == 5
    assert got.ids("datasets") == ["acme/words"]
    assert any("full" in one.query for one in hub.asked)


@pytest.mark.parametrize("status", [404, 501])
def test_a_hub_without_spaces_has_no_such_table_and_says_so(crawls: Crawls, status):
    fault = lambda asked: Said(status, {"error": "no"}) if "spaces" in asked.path else None  # noqa: E731
    with served(FakeHub(models=models(2), datasets=[], fault=fault)) as hub:
        got = crawls(hub.url, accounts=0)
    assert "spaces" not in got.manifest.tables
    assert got.says("no list of spaces")
    # One that is there and empty is known to be empty.
    assert got.manifest.tables["datasets"].rows == 0
    assert len(hub.paths("spaces")) <= 6


def test_accounts_with_most_downloads_are_looked_up_and_the_rest_is_told(crawls: Crawls):
    accounts = {
        **ACCOUNTS,
        "owner2": {"name": "owner2", "type": "org", "orgType": "university", "numModels": 10},
    }
    with served(FakeHub(models=models(30), accounts=accounts)) as hub:
        got = crawls(hub.url, lists=["models"], accounts=2)
    assert sorted(set(hub.paths("overview"))) == [
        "/api/organizations/owner1/overview",
        "/api/organizations/owner2/overview",
        "/api/users/owner1/overview",
    ]
    assert got.rows("accounts", "name", "kind", "org_type") == [("owner2", "org", "university")]
    assert got.says("Of 3 namespaces the 2 with most downloads were looked up.")
    assert got.says("Namespaces that were not found: 1 of 2.")


def test_what_accounts_count_is_held_against_the_lists(crawls: Crawls):
    with served(FakeHub(models=models(30), accounts=ACCOUNTS)) as hub:
        got = crawls(hub.url, lists=["models"])
    assert got.says("By their own counts, accounts have 89 repositories more than the lists")


def test_a_hub_that_tells_nothing_of_accounts_is_not_asked_for_all(crawls: Crawls):
    rows = [{**row, "id": f"a{n}/m"} for n, row in enumerate(models(250))]
    with served(FakeHub(page=1000, models=rows)) as hub:
        got = crawls(hub.url, lists=["models"])
    assert len(hub.paths("overview")) == 200
    assert "accounts" not in got.manifest.tables
    assert got.says("The hub tells nothing of accounts.")


def test_a_type_that_nobody_knows_is_counted_and_cleared(crawls: Crawls):
    accounts = {"owner0": {"name": "owner0", "type": "org", "orgType": "=cmd|' /C calc'!A0"}}
    with served(FakeHub(models=models(3), accounts=accounts)) as hub:
        got = crawls(hub.url, lists=["models"])
    assert got.rows("accounts", "name", "org_type") == [("owner0", None)]
    assert sum(got.manifest.cleared["accounts"].values()) == 1


def test_private_repositories_stay_out_whatever_the_token_sees(crawls: Crawls):
    rows = [
        *models(2),
        {**FULL, "id": "acme/secret", "private": True},
        {**FULL, "id": "acme/unsaid", "private": None},
        {key: value for key, value in FULL.items() if key != "private"} | {"id": "acme/silent"},
        {**FULL, "id": "acme/odd", "private": "no"},
    ]
    with served(FakeHub(models=rows)) as hub:
        got = crawls(hub.url, lists=["models"], token="hf_of_the_tests")
        assert got.ids() == ["owner0/model-000", "owner1/model-001"]
        assert got.left_out() == {"private": 1, "not said to be public": 3}
        assert all(one.headers["authorization"] == "Bearer hf_of_the_tests" for one in hub.asked)
        strangers = crawls(hub.url, lists=["models"])
    # What a stranger is shown is public, also where nothing says so.
    assert {"acme/silent", "acme/unsaid"} < set(strangers.ids())
    assert strangers.left_out() == {"private": 1, "not said to be public": 1}
    assert "secret" not in (got.folder / "manifest.json").read_text()


def test_what_is_private_is_not_kept_on_the_way_either(crawls: Crawls):
    import gzip

    rows = [{**FULL, "id": "acme/secret", "private": True}, *models(4)]
    fault = lambda asked: Said(403, {"error": "enough"}) if asked.cursor else None  # noqa: E731
    with served(FakeHub(models=rows, fault=fault)) as hub, pytest.raises(CrawlFailed):
        crawls(hub.url, lists=["models"], token="hf_of_the_tests")
    kept = [gzip.decompress(path.read_bytes()) for path in crawls.data.rglob("*.gz")]
    assert kept
    assert not any(b"secret" in page or b"hf_of_the_tests" in page for page in kept)


def test_hostile_rows_are_left_out_and_counted(crawls: Crawls):
    rows = [
        *models(2),
        "no object",
        None,
        {"id": 7, "likes": 1},
        {"id": "../../etc/passwd", "likes": 1},
        {"id": "a/b\n/c", "likes": 1},
        {"id": "x" * 300, "likes": 1},
        {"likes": 1},
        {"id": "big/row", "likes": 1, "tags": ["t" * 2_000_000]},
        {"id": "a/odd", "likes": -5, "downloads": "many", "createdAt": "2999-01-01", "tags": "en"},
    ]
    with served(FakeHub(page=1000, models=rows)) as hub:
        got = crawls(hub.url, lists=["models"], accounts=0)
    assert got.ids() == ["a/odd", "owner0/model-000", "owner1/model-001"]
    assert got.left_out() == {"no usable id": 7, "more than 1 MB of fields": 1}
    assert got.rows("models", "id", "downloads_30d", "likes")[0] == ("a/odd", None, None)
    assert set(got.manifest.cleared["models"]) == {
        "likes cannot be",
        "downloads_30d is no whole number",
        "created_at cannot be",
    }


DEEP = json.loads("[" * 300 + "]" * 300)
ODD = [DEEP, 10**18, 10**30, -1, 1e308, "", "\x00", "\\", "'; DROP TABLE raw; --", "a" * 70_000]
ODD += [True, [], {}, [[]], [None], [{}], {"a": None}, {"total": DEEP}, {"license": DEEP}]
ODD += [{"co2_eq_emissions": DEEP}, {"emissions": {"a": 1}}, [DEEP], ["license:"], ["base_model:"]]
ODD += [["base_model:finetune:"], [7, "en"], [{"rfilename": DEEP}], [{"rfilename": "README.md"}]]


@pytest.mark.parametrize("table", ["models", "datasets", "spaces"])
def test_whatever_stands_in_a_field_the_row_stays(crawls: Crawls, table):
    fields = [field for field in LISTS[table].fields if field != "private"]
    rows = [
        {"id": f"a/{field}-{n}", "likes": 1, "private": False, field: odd}
        for field in fields
        for n, odd in enumerate(ODD)
    ]
    with served(FakeHub(page=100, **{table: rows})) as hub:
        got = crawls(hub.url, lists=[table], accounts=0)
    assert got.ids(table) == sorted(row["id"] for row in rows)
    assert set(got.manifest.excluded) <= {"lineage", "labels"}


def test_half_of_a_surrogate_pair_in_a_card_does_not_stop_a_crawl(crawls: Crawls):
    body = (
        rb'[{"id":"a/b","likes":1,"pipeline_tag":"x\ud800y","cardData":{"license":"\udc00"}},'
        rb'{"id":"a/c","likes":2,"pipeline_tag":"\\ud83d\ude00 \ud83d\ude00"}]'
    )
    fault = lambda asked: Said(body=body) if asked.path == "/api/models" else None  # noqa: E731
    with served(FakeHub(fault=fault)) as hub:
        got = crawls(hub.url, lists=["models"], accounts=0)
    assert got.rows("models", "task") == [("x\ufffdy",), ("\\ud83d\ufffd \U0001f600",)]


def test_an_empty_hub_makes_no_snapshot(crawls: Crawls):
    with (
        served(FakeHub(models=[], datasets=[], spaces=[])) as hub,
        pytest.raises(CrawlFailed, match="has no repository that everybody may see"),
    ):
        crawls(hub.url)
    assert crawls.made() == []


@pytest.mark.parametrize(
    "address",
    [
        "hub.example.org",
        "ftp://hub.example.org",
        "https://",
        "https://hub.example.org/?x=1",
        "https://hub.example.org:99999",
        "https://hub example.org",
        "https://hub.example.org/a b",
        "https://[::1",
        "https://user:hunter2@hub.example.org",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_a_password(crawls: Crawls, address):
    with pytest.raises(CrawlFailed) as error:
        crawls(address)
    assert "hunter2" not in str(error.value)

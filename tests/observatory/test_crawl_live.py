# SPDX-License-Identifier: Apache-2.0
"""A Hubkeep crawled as it runs: what is in its snapshot is what was put into it."""

import base64
import json
from pathlib import Path

import httpx2 as httpx
import pytest

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from tests.harness.hub import LiveHub
from tests.observatory.crawls import Crawled, Crawls

CARD = """---
license: apache-2.0
language: [en, de]
datasets: [acme/words]
base_model: base/one
base_model_relation: adapter
pipeline_tag: text-generation
library_name: peft
co2_eq_emissions: {emissions: 42.5}
---
# A card
"""


def put(hub: LiveHub, kind: str, name: str, card: str, **how: object) -> None:
    """Make a repository of acme's with a card and a file of weights."""
    with httpx.Client(base_url=hub.url, headers={"Authorization": f"Bearer {hub.token}"}) as client:
        given = {"name": name, "organization": "acme", "type": kind, **how}
        client.post("/api/repos/create", json=given).raise_for_status()
        files = {"README.md": card, "model.gguf.txt": "x" * 1000, "pytorch_model.bin": "y" * 500}
        lines = [{"key": "header", "value": {"summary": "All"}}]
        lines += [
            {
                "key": "file",
                "value": {
                    "path": path,
                    "content": base64.b64encode(text.encode()).decode(),
                    "encoding": "base64",
                },
            }
            for path, text in files.items()
        ]
        body = "\n".join(map(json.dumps, lines))
        path = f"/api/{kind}s/acme/{name}/commit/main"
        headers = {"Content-Type": "application/x-ndjson"}
        client.post(path, content=body, headers=headers).raise_for_status()


@pytest.fixture(scope="module")
def got(live_hub: LiveHub, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """A crawl with the token of somebody who sees private repositories."""
    put(live_hub, "model", "crawled", CARD)
    put(live_hub, "model", "crawled-secretly", CARD, private=True)
    put(live_hub, "dataset", "crawled-words", "---\nlicense: mit\nlanguage: fr\n---\n")
    put(live_hub, "space", "crawled-app", "---\nsdk: static\n---\n", sdk="static")
    bob = {"Authorization": f"Bearer {live_hub.tokens.bob}"}
    with httpx.Client(base_url=live_hub.url, headers=bob) as client:
        # More than one page, since cards make pages short.
        for n in range(105):
            given = {"name": f"crawled-{n:03}", "type": "model"}
            client.post("/api/repos/create", json=given).raise_for_status()
    return Crawls(tmp_path_factory.mktemp("crawl"))(live_hub.url, token=live_hub.token)


def test_a_model_is_as_it_was_made(got: Crawled):
    row = got.row("models", "acme/crawled")
    times = [row.pop(name) for name in ("created_at", "last_modified")]
    assert times == sorted(times)
    size = row.pop("size")
    assert size > 1500 + len(CARD)
    assert row.pop("used_storage") >= size
    assert row == {
        "id": "acme/crawled",
        "author": "acme",
        "downloads_30d": 0,
        "downloads_all": 0,
        "likes": 0,
        "trending": 0.0,
        "license": "apache-2.0",
        "gated": "no",
        "private": False,
        "disabled": False,
        "has_card": True,
        "task": "text-generation",
        "library": "peft",
        "co2_grams": 42.5,
        "co2_written": row["co2_written"],
        "has_safetensors": False,
        "has_pickle": row["has_pickle"],
        "has_gguf": False,
        "has_metrics": False,
    }


def test_all_pages_are_there_and_nothing_private(got: Crawled):
    ids = set(got.ids())
    assert {f"bob/crawled-{n:03}" for n in range(105)} < ids
    assert "acme/crawled-secretly" not in ids
    assert got.left_out()["private"] >= 1
    assert int(got.manifest.source.detail["pages of models"]) >= 2
    assert {name for (name,) in got.rows("lineage", "child")}.isdisjoint({"acme/crawled-secretly"})
    assert {name for (name,) in got.rows("labels", "id")}.isdisjoint({"acme/crawled-secretly"})


def test_lineage_labels_datasets_spaces_and_accounts(got: Crawled):
    edges = got.rows("lineage", "child", "parent", "relation")
    assert ("acme/crawled", "base/one", "adapter") in edges
    labels = got.rows("labels", "repo_type", "id", "kind", "value")
    assert {one[2:] for one in labels if one[:2] == ("model", "acme/crawled")} == {
        ("dataset", "acme/words"),
        ("language", "de"),
        ("language", "en"),
    }
    assert ("dataset", "acme/crawled-words", "language", "fr") in labels
    assert got.row("datasets", "acme/crawled-words")["license"] == "mit"
    assert got.row("spaces", "acme/crawled-app")["sdk"] == "static"
    acme = got.row("accounts", "acme")
    assert (acme["kind"], acme["org_type"], acme["fullname"]) == ("org", "company", "Acme")
    assert got.row("accounts", "bob")["kind"] == "user"


def test_no_column_is_missing_that_the_hub_has(got: Crawled):
    assert got.missing() == {"scan"}
    assert not got.missing("datasets")


def test_a_crawl_of_nobody_sees_the_same(got: Crawled, live_hub: LiveHub, tmp_path: Path):
    stranger = Crawls(tmp_path)(live_hub.url)
    assert stranger.left_out() == {}
    assert stranger.hashes() == got.hashes()

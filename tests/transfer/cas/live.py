# SPDX-License-Identifier: Apache-2.0
"""The shelf of a live hub, which a test fills behind its back."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx2 as httpx

from hubkeep.blobs import S3Credentials, open_store
from hubkeep.config import load
from hubkeep.db import Database
from tests.harness.hub import LiveHub
from tests.transfer.cas.shelf import Shelf, put_blob


@contextmanager
def live_shelf(hub: LiveHub) -> Iterator[Shelf]:
    """The hub's own stores, opened beside it."""
    config = load({**hub.env, "HUBKEEP_DATA": str(hub.data)})

    def put(key: str, body: bytes) -> None:
        asyncio.run(_put(key, body))

    async def _put(key: str, body: bytes) -> None:
        keys = S3Credentials(config.s3_access_key, config.s3_secret_key)
        store = open_store(config.blobs, credentials=keys if config.s3_access_key else None)
        await put_blob(store, key, body)
        await store.close()

    with closing(Database(config.database)) as db:
        yield Shelf(db, put)


def make_repo(hub: LiveHub, name: str) -> str:
    """Make a repository of alice's; return its full name."""
    headers = {"Authorization": f"Bearer {hub.token}"}
    made = httpx.post(f"{hub.url}/api/repos/create", json={"name": name}, headers=headers)
    assert made.status_code == 200, made.text
    return f"alice/{name}"


def read_token(hub: LiveHub, repo: str) -> tuple[str, str]:
    """Where the chunk store is, and a token that reads."""
    headers = {"Authorization": f"Bearer {hub.token}"}
    given = httpx.get(f"{hub.url}/api/models/{repo}/xet-read-token/main", headers=headers)
    assert given.status_code == 200, given.text
    return given.json()["casUrl"], given.json()["accessToken"]

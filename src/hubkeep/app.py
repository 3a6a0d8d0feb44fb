# SPDX-License-Identifier: Apache-2.0
"""App: all that a handler may reach, built in one place."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore

from starlette.requests import Request

from hubkeep.addresses import Addresses
from hubkeep.blobs import BlobStore, S3Credentials, open_store
from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.db.migrate import prepare
from hubkeep.db.secrets import load_secret
from hubkeep.git.fetch.cache import CachedRepository, GitCache
from hubkeep.kit.cache import ByteCache
from hubkeep.kit.time import Clock, Millis, now
from hubkeep.metrics import Metrics
from hubkeep.observatory.console.process import Console
from hubkeep.observatory.library import Library
from hubkeep.observatory.reader.process import Reader
from hubkeep.repos.counting import DownloadCounter
from hubkeep.transfer.signing import Signer
from hubkeep.web.kept import Kept
from hubkeep.web.site import Site

CACHE_BYTES = 32 << 20
SHARDS_AT_ONCE = 2
LOOKS_AT_ONCE = 2
SLOW_FOR_EACH_TURN = 16


@dataclass(frozen=True, slots=True)
class App:
    """One running hub. Nothing here is global: tests build as many as they like."""

    config: Config
    db: Database
    blobs: BlobStore
    clock: Clock
    signer: Signer
    downloads: DownloadCounter
    metrics: Metrics
    addresses: Addresses
    crunch: ThreadPoolExecutor
    """Threads for hashing and deflating what requests bring."""
    page_threads: ThreadPoolExecutor
    """Threads for pages that are slow to make: whoever opens many of them holds up neither uploads
    nor who signs in.
    """
    shard_gate: asyncio.Semaphore
    """Held by what looks at a part of a shard: many at once would fill the memory."""
    password_gate: asyncio.Semaphore
    """Held by what looks at a password: each takes 64 MiB and one of the threads above."""
    look_gate: asyncio.Semaphore
    """Held by each process that looks into a file for a page."""
    cache: ByteCache
    """What is slow to make and never changes, such as the file list of a commit."""
    git_cache: GitCache
    git_turns: asyncio.Semaphore
    """Held by each fetch and push while git works for it."""
    git_slow: BoundedSemaphore
    """Held by each fetch whose git waits for a client that takes its answer slowly. They have no
    turn, and are many: a waiting git takes some memory and no processor.
    """
    git_builds: dict[int, asyncio.Future[CachedRepository]]
    """What brings repositories of the cache up to date right now, by the repository's id."""
    git_threads: ThreadPoolExecutor
    """Threads for what fetches and pushes do besides running git; it may take minutes."""

    started_at: Millis
    """When this process opened the hub."""
    site: Site
    """Templates and assets of the pages."""
    kept: Kept
    """Rendered texts and drawn pictures: made beside the thread that serves requests, and kept in
    the cache.
    """
    snapshots: Library
    """The snapshots that pages of the observatory are about."""
    reader: Reader
    """Asks another process what figures say of them."""
    console: Console
    """Runs people's SQL over them, in processes that may do next to nothing."""

    def base_url(self, request: Request) -> str:
        """Return scheme, host and port as this client calls the hub; 400 for a host not allowed."""
        return self.addresses.base_url(request)


@asynccontextmanager
async def open_app(config: Config, clock: Clock = now) -> AsyncGenerator[App]:
    """Open database and blob store, and close them in order: counts are flushed before the database
    goes.

    On SQLite the schema is brought up to date; on PostgreSQL `hubkeep migrate` does that, and
    WrongSchema says so.
    """
    config.data.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        db = Database(config.database)
        stack.callback(db.close)
        prepare(db)
        secret = await db.write(lambda conn: load_secret(conn, secrets.token_bytes(32)))
        crunch = ThreadPoolExecutor(2, thread_name_prefix="crunch")
        stack.callback(crunch.shutdown)
        page_threads = ThreadPoolExecutor(2, thread_name_prefix="pages")
        stack.callback(page_threads.shutdown)
        git_threads = ThreadPoolExecutor(config.git_processes, thread_name_prefix="git")
        stack.callback(git_threads.shutdown)
        git_cache = GitCache(config.git_cache_folder, config.git_cache_gb * 10**9)
        stack.callback(git_cache.close)
        blobs = open_store(config.blobs, credentials=_s3_credentials(config))
        stack.push_async_callback(blobs.close)
        cache = ByteCache(CACHE_BYTES)
        reader = Reader()
        stack.push_async_callback(reader.close)
        console = Console(config.data / "console")
        stack.push_async_callback(console.close)
        downloads = DownloadCounter(db, clock)
        await stack.enter_async_context(downloads.running())
        yield App(
            config=config,
            db=db,
            blobs=blobs,
            clock=clock,
            signer=Signer(secret, clock),
            downloads=downloads,
            metrics=Metrics(),
            addresses=Addresses(config),
            crunch=crunch,
            page_threads=page_threads,
            shard_gate=asyncio.Semaphore(SHARDS_AT_ONCE),
            password_gate=asyncio.Semaphore(1),
            look_gate=asyncio.Semaphore(LOOKS_AT_ONCE),
            cache=cache,
            started_at=clock(),
            site=Site(),
            kept=Kept(cache, page_threads),
            git_cache=git_cache,
            git_turns=asyncio.Semaphore(config.git_processes),
            git_slow=BoundedSemaphore(SLOW_FOR_EACH_TURN * config.git_processes),
            git_builds={},
            git_threads=git_threads,
            snapshots=Library(config.data / "snapshots", config.data / "tables"),
            reader=reader,
            console=console,
        )


def _s3_credentials(config: Config) -> S3Credentials | None:
    if not config.s3_access_key:
        return None
    return S3Credentials(config.s3_access_key, config.s3_secret_key)

# SPDX-License-Identifier: Apache-2.0
"""`hubkeep demo`."""

import asyncio
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from hubkeep.cli.common import log_to_stderr, reported, settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hubkeep.config import Config

USER = "demo"


@click.command()
@click.option("--data", metavar="DIR", help="Keep the hub here; default: a folder that goes away.")
@click.option("--host", help="Address to listen on; default: 127.0.0.1.")
@click.option("--port", type=int, help="Port; default: 8080; 0 takes a free one.")
@click.option("--exit", "leave", is_flag=True, help="Stop as soon as the hub is filled.")
def demo(data: str | None, leave: bool, **options: object) -> None:
    """Run a hub that is filled with a few small repositories, to try things out.

    The stock client fills what belongs to the user 'demo': two models of which one is made from the
    other, a pickled model, a Parquet dataset and a static Space. Beside it are invented people and
    organisations with what they made in the last three months.

    \b
    Examples:
      hubkeep demo
      hubkeep demo --port 0 --exit
    """
    with ExitStack() as stack:
        folder = data or stack.enter_context(tempfile.TemporaryDirectory(prefix="hubkeep-demo-"))
        # Its snapshot is taken when it is filled, and not by the clock.
        config = replace(settings(data=folder, **options), snapshots="off")
        log_to_stderr(config)
        with reported():
            from hubkeep.cli.serve import end_process

            signs = asyncio.run(_prepare(config))
            code = asyncio.run(_Demo(config, signs, leave=leave).run())
    if code:
        click.echo("hubkeep: the hub could not be filled; what went wrong is said above", err=True)
    end_process(min(code, 1))


@dataclass(frozen=True, slots=True)
class _Signs:
    """What the demonstration's user signs in with: in programs, and in a browser."""

    token: str
    password: str


async def _prepare(config: "Config") -> _Signs:
    """Make the user if needed, who administers the hub, and all that is there before.

    Token and password are new each time: older ones cannot be read from the database.
    """
    from hubkeep.app import open_app
    from hubkeep.cli.demo_gallery import fill
    from hubkeep.identity import commands
    from hubkeep.identity.actor import TokenRole
    from hubkeep.identity.passwords import hash_password
    from hubkeep.identity.queries import account

    name = f"demo-{secrets.token_hex(4)}"
    password = secrets.token_urlsafe(9)
    stored = hash_password(password)
    async with open_app(config) as app:
        now = app.clock()

        def work(conn: "Connection") -> str:
            if account(conn, USER) is None:
                commands.create_user(conn, USER, now, fullname="Demo", is_admin=True)
            commands.set_password(conn, USER, stored)
            return commands.create_token(conn, USER, TokenRole.WRITE, now, name=name).token

        token = await app.db.write(work)
        await fill(app, now)
    return _Signs(token, password)


class _Demo:
    """A hub under way, and the client's process that fills it."""

    def __init__(self, config: "Config", signs: _Signs, *, leave: bool) -> None:
        self._config = config
        self._signs = signs
        self._leave = leave
        self._filling: asyncio.Task[int] | None = None

    async def run(self) -> int:
        """Serve until stopped; return the exit code of the filling."""
        from hubkeep.cli.serve import open_socket, run_hub

        await run_hub(self._config, open_socket(self._config), self._started)
        if self._filling is None:
            return 1
        if not self._filling.done():
            self._filling.cancel()
            return 0
        return self._filling.result()

    def _started(self, url: str) -> None:
        self._filling = asyncio.create_task(self._fill(url))

    async def _fill(self, url: str) -> int:
        with tempfile.TemporaryDirectory(prefix="hubkeep-demo-") as home:
            env = _client_env(os.environ, url, self._signs.token, home)
            code = await _ended("-m", "hubkeep.cli.demo_client", env=env)
        if code == 0:
            code = await _snapshot(self._config)
        if code == 0:
            _say_next(url, self._signs)
        if code or self._leave:
            os.kill(os.getpid(), signal.SIGTERM)
        return code


async def _snapshot(config: "Config") -> int:
    """Take a snapshot, where the observatory is installed: /insights has something to show then."""
    from hubkeep.config import environment_of
    from hubkeep.observatory.taking.daily import is_installed

    if not is_installed():
        return 0
    words = ("-m", "hubkeep", "snapshot", "take", "--json")
    return await _ended(*words, env=environment_of(config), said=asyncio.subprocess.DEVNULL)


async def _ended(*words: str, env: Mapping[str, str], said: int | None = None) -> int:
    """Run a program of Python's, and return its exit code; it ends with whoever waits for it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *words), env=env, stdin=asyncio.subprocess.DEVNULL, stdout=said
    )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()


def _client_env(env: Mapping[str, str], url: str, token: str, home: str) -> dict[str, str]:
    """What a user would export, and nothing of the user's own Hugging Face settings."""
    own = {name: value for name, value in env.items() if not name.startswith(("HF_", "HUGGING"))}
    return {
        **own,
        "HF_ENDPOINT": url,
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HOME": home,
    }


def _say_next(url: str, signs: _Signs) -> None:
    click.echo(
        f"\nThe hub is at {url}: sign in as '{USER}' with the password {signs.password}\n"
        "\nPrograms use a token. Next, in another terminal:\n\n"
        f"  export HF_ENDPOINT={url}\n"
        f"  export HF_TOKEN={signs.token}\n"
        f"  hf download {USER}/tiny-sentiment-finetuned\n"
        f"\nor upload a folder of your own: hf upload {USER}/my-model ./folder\n"
        f"\nWhat the hub holds, in figures: {url}/insights\n"
    )

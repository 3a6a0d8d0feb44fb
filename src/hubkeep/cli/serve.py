# SPDX-License-Identifier: Apache-2.0
"""`hubkeep serve`."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import click
from msgspec import structs

from hubkeep.cli.common import (
    Failure,
    hub_options,
    json_option,
    log_to_stderr,
    print_json,
    reported,
    settings,
    warn_of_names,
)
from hubkeep.config import LOOPBACK, Config

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.serve")


@click.command()
@hub_options
@click.option("--host", help="Address to listen on [HUBKEEP_HOST]; default: 127.0.0.1.")
@click.option("--port", type=int, help="Port [HUBKEEP_PORT]; default: 8080; 0 takes a free one.")
@click.option("--public-url", metavar="URL", help="How clients call the hub [HUBKEEP_PUBLIC_URL].")
@click.option("--workers", type=int, help="Server processes [HUBKEEP_WORKERS]; default: 1.")
@click.option(
    "--job-worker/--no-job-worker",
    default=None,
    help="Run background jobs beside the server [HUBKEEP_JOB_WORKER]; default: yes.",
)
@click.option("--socket-fd", type=int, hidden=True)
@json_option
def serve(socket_fd: int | None, as_json: bool, **options: object) -> None:
    """Run the hub until it is told to stop.

    SIGTERM or Ctrl-C lets requests finish, 30 seconds at most; a second one does not wait.

    \b
    Examples:
      hubkeep serve --data ./hub
      hubkeep serve --data /srv/hub --host 0.0.0.0 --public-url https://hub.example.org
      HUBKEEP_DATABASE_URL=postgresql://hub@db/hub hubkeep serve --data /srv/hub --workers 4
    """
    config = settings(**options)
    log_to_stderr(config)
    if socket_fd is not None:
        with reported():
            asyncio.run(run_beside(config, socket.socket(fileno=socket_fd)))
        end_process()
    sock = open_socket(config)
    with reported(), sock:
        asyncio.run(run_hub(config, sock, partial(announce, config, as_json)))
    end_process()


def end_process(code: int = 0) -> NoReturn:
    """End the process, when all is closed, without taking the interpreter down piece by piece.

    A thread of granian's that wakes up while that happens aborts the process.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def open_socket(config: Config) -> socket.socket:
    """Listen where the settings say; a Failure names an address that is taken."""
    from hubkeep.cli.listener import listen

    try:
        return listen(config.host, config.port)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise Failure(
            f"cannot listen on {config.host} port {config.port}: {why};"
            " is a hub running there already? --port 0 takes a free one"
        ) from error


async def run_hub(config: Config, sock: socket.socket, started: Callable[[str], None]) -> None:
    """Serve, with the processes beside, until SIGTERM or SIGINT; `started` gets the address."""
    from hubkeep.cli.children import Child

    stopping, hurry = _stop_signals()
    # The job worker may call the hub, and has to know the port where that was any free one.
    config = structs.replace(config, port=sock.getsockname()[1])
    children = [
        Child(config, ("serve", "--socket-fd", str(sock.fileno())), (sock.fileno(),))
        for _ in range(config.workers - 1)
    ]
    if config.job_worker:
        children.append(Child(config, ("worker", "--beside")))

    def ready(app: "App") -> None:
        warn_of_names(app.db)
        for child in children:
            child.start()
        started(address_of(config, sock))

    serving = asyncio.create_task(_serve_one(config, sock, stopping, hurry, ready))
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    await asyncio.gather(serving, *(child.stop() for child in children))


async def run_beside(config: Config, sock: socket.socket) -> None:
    """Serve on a socket of the parent's, until told to stop or the parent is gone."""
    from hubkeep.cli.children import end_with_parent

    stopping, hurry = _stop_signals()
    end_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
    await _serve_one(config, sock, stopping, hurry, lambda _app: None)


async def _serve_one(
    config: Config,
    sock: socket.socket,
    stopping: asyncio.Event,
    hurry: asyncio.Event,
    ready: Callable[["App"], None],
) -> None:
    from hubkeep.asgi import Hub
    from hubkeep.cli.listener import Listener

    hub = Hub(config)
    app = await hub.start()
    try:
        ready(app)
        if not await Listener(hub, sock).run(stopping, hurry):
            log.warning("stopped before all requests were finished")
    finally:
        await hub.stop()


def _stop_signals() -> tuple[asyncio.Event, asyncio.Event]:
    """Events for the first SIGTERM or SIGINT, and for the second."""
    stopping, hurry = asyncio.Event(), asyncio.Event()

    def told() -> None:
        (hurry if stopping.is_set() else stopping).set()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, told)
    return stopping, hurry


def address_of(config: Config, sock: socket.socket) -> str:
    """Return the address to tell clients: the public one, or that of the socket."""
    if config.base_url:
        return config.base_url
    host, port = sock.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def announce(config: Config, as_json: bool, url: str) -> None:
    """Print where the hub is and what to type next."""
    if as_json:
        print_json({"url": url, "pid": os.getpid()})
        return
    click.echo(f"Hubkeep serves {config.data} at {url}  (Ctrl-C stops it)")
    if config.host not in LOOPBACK and not config.base_url and not config.allowed_hosts:
        click.echo(
            "Clients on other machines need --public-url: without it only loopback names are served"
        )
    click.echo(
        "\nNext, in another terminal:\n"
        f"  hubkeep user create NAME --data {config.data}\n"
        f"  hubkeep token create NAME --role write --data {config.data}\n"
        f"  export HF_ENDPOINT={url} HF_TOKEN=hf_...\n"
        "  hf upload NAME/my-model ./folder"
    )

# SPDX-License-Identifier: Apache-2.0
"""granian in this process: one socket, one event loop, and a stop that finishes requests."""

import asyncio
import resource
import socket

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from hubkeep.asgi import Hub

BACKLOG = 1024
# Connections served at once; more wait in the backlog.
CONNECTIONS = 2048
OPEN_FILES = 65_536
DRAIN_SECONDS = 30.0


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. OSError where the address is taken.

    granian would bind with SO_REUSEPORT, under which a second hub on the same port starts without
    a word and takes half of the requests; a socket of our own excludes that.
    """
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return socket.create_server((address[0], address[1]), family=family, backlog=BACKLOG)


class Listener(Server):
    """Serves a started Hub on a socket that is listening already."""

    def __init__(self, hub: Hub, sock: socket.socket) -> None:
        host, port = sock.getsockname()[:2]
        super().__init__(
            hub,
            address=host,
            port=port,
            interface=Interfaces.ASGINL,  # the hub is started and stopped by whoever has it
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            backpressure=CONNECTIONS,
            log_enabled=False,
        )
        self._listening = sock

    def _init_shared_socket(self) -> None:
        # The holder closes its descriptor when it goes, so it gets one of its own. granian's stub
        # does not say what it is made from: descriptor, whether it is a Unix socket, backlog.
        descriptor = self._listening.dup().detach()
        self._shd = SocketHolder(descriptor, False, BACKLOG)  # ty: ignore[too-many-positional-arguments]
        self._sfd = self._shd.get_fd()

    async def run(self, stopping: asyncio.Event, hurry: asyncio.Event) -> bool:
        """Serve until `stopping`, then finish what is under way; False if some of it was cut off.

        That takes 30 seconds at most, and less once `hurry` is set. An error of the server's own is
        raised.
        """
        _allow_open_files()
        serving = asyncio.create_task(self.serve())
        told = asyncio.create_task(stopping.wait())
        await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        self._listening.close()
        self.stop()
        hurried = asyncio.create_task(hurry.wait())
        await asyncio.wait(
            {serving, hurried}, timeout=DRAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        hurried.cancel()
        if serving.done():
            serving.result()
            return True
        serving.cancel()
        return False


def _allow_open_files() -> None:
    """Each transfer holds a connection and a file, and many systems allow 1,024 unless asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

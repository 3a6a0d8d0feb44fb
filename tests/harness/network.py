# SPDX-License-Identifier: Apache-2.0
"""Keeps the tests on this machine: a connection to anywhere but loopback is refused, loudly."""

import ipaddress
import socket
import sys

NAMING = {"socket.getaddrinfo", "socket.gethostbyname"}
SENDING = {"socket.connect", "socket.sendto", "socket.sendmsg"}


class OutsideNetwork(RuntimeError):
    """A test reached for a host that is not this one. Not an OSError: no retry may swallow it."""


def stay_on_loopback() -> None:
    """Refuse, from now on and in this process alone, what leaves the machine.

    An audit hook sees Python's sockets whoever opens them, asyncio included, and cannot be taken
    away again. It sees neither libraries that open sockets in C or Rust nor child processes.
    """
    sys.addaudithook(_refuse_outside)


def _refuse_outside(event: str, args: tuple[object, ...]) -> None:
    if event in NAMING:
        host = args[0]
    elif event in SENDING:
        sender, address = args
        if not isinstance(sender, socket.socket) or not isinstance(address, tuple):
            return
        if sender.family not in (socket.AF_INET, socket.AF_INET6):
            return
        host = address[0]
    else:
        return
    if not _is_here(host):
        raise OutsideNetwork(f"a test reached for {host!r}: only loopback is allowed")


def _is_here(host: object) -> bool:
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified

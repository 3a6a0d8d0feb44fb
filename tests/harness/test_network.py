# SPDX-License-Identifier: Apache-2.0
"""Tests cannot leave the machine, by name or by number, and reach all of loopback."""

import socket

import pytest

from tests.harness.network import OutsideNetwork


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "hub.example"])
def test_outside_is_refused(host: str) -> None:
    with pytest.raises(OutsideNetwork, match=host):
        socket.create_connection((host, 80), timeout=5)


def test_a_datagram_outside_is_refused() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        pytest.raises(OutsideNetwork),
    ):
        sender.sendto(b"x", ("192.0.2.1", 53))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_is_open(host: str) -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((host, port), timeout=5) as client:
            assert client.getpeername()[1] == port

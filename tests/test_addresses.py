# SPDX-License-Identifier: Apache-2.0
"""Where what users wrote may run: never on a host name that people sign in on."""

from pathlib import Path

import pytest
from starlette.requests import Request

from hubkeep.addresses import Addresses
from hubkeep.config import Config


def asked_at(host: str) -> Request:
    return Request(
        {"type": "http", "scheme": "http", "headers": [(b"host", host.encode())], "client": None}
    )


@pytest.mark.parametrize(
    ("host", "content"),
    [
        ("127.0.0.1:8080", "http://content.localhost:8080"),
        ("localhost:8080", "http://content.localhost:8080"),
        ("localhost", "http://content.localhost"),
        ("[::1]:8080", "http://content.localhost:8080"),
        ("[::1]", "http://content.localhost"),
        ("hub.localhost:80", "http://content.localhost:80"),
        ("hub.lan:8080", None),
    ],
)
def test_a_hub_on_loopback_has_another_name_at_hand(host: str, content: str | None):
    addresses = Addresses(Config(data=Path("/d"), allowed_hosts=("hub.lan",)))
    request = asked_at(host)
    assert addresses.content_url(request) == content
    assert not addresses.is_content(request)
    if content:
        assert addresses.is_content(asked_at(content.removeprefix("http://").upper()))


def test_a_set_address_is_the_only_one():
    addresses = Addresses(
        Config(
            data=Path("/d"),
            public_url="https://hub.example.org",
            content_url="https://content.example.net:444/",
        )
    )
    assert addresses.content_url(asked_at("any")) == "https://content.example.net:444"
    assert addresses.is_content(asked_at("content.example.net:444"))
    for other in ("content.example.net", "hub.example.org", "content.localhost", ""):
        assert not addresses.is_content(asked_at(other))

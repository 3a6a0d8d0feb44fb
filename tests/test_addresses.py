# SPDX-License-Identifier: Apache-2.0
"""Where what users wrote may run: never on a host name that people sign in on."""

from pathlib import Path

import pytest
from starlette.requests import Request

from hubkeep.addresses import Addresses
from hubkeep.config import Config

PROXY = "10.0.0.7"


def asked_at(host: str, *, forwarded: str = "", client: str = PROXY) -> Request:
    headers = [(b"host", host.encode())]
    if forwarded:
        headers += [(b"x-forwarded-host", forwarded.encode()), (b"x-forwarded-proto", b"https")]
    return Request(
        {"type": "http", "scheme": "http", "headers": headers, "client": (client, 50_000)}
    )


def addresses(**settings: object) -> Addresses:
    return Addresses(Config(data=Path("/d"), **settings))  # ty: ignore


@pytest.mark.parametrize(
    ("host", "content"),
    [
        ("127.0.0.1:8080", "http://content.localhost:8080"),
        ("localhost:8080", "http://content.localhost:8080"),
        ("localhost", "http://content.localhost"),
        ("hub.localhost:80", "http://content.localhost:80"),
        # No policy can say that a page at an IPv6 address may frame something.
        ("[::1]:8080", None),
        ("[::1]", None),
        ("hub.lan:8080", None),
    ],
)
def test_a_hub_on_loopback_has_another_name_at_hand(host: str, content: str | None):
    known = addresses(allowed_hosts=("hub.lan",))
    request = asked_at(host)
    assert known.content_url(request) == content
    assert not known.is_content(request)
    if content:
        assert known.is_content(asked_at(content.removeprefix("http://").upper()))


def test_a_set_address_is_the_only_one():
    known = addresses(
        public_url="https://hub.example.org", content_url="https://content.example.net:444/"
    )
    assert known.content_url(asked_at("any")) == "https://content.example.net:444"
    for other in ("hub.example.org", "content.localhost", "content.example.net.evil.org", ""):
        assert not known.is_content(asked_at(other))


@pytest.mark.parametrize(
    "host", ["content.example.net:444", "Content.Example.Net", "content.example.net.:80"]
)
def test_nobody_signs_in_at_another_port_of_the_content_host(host: str):
    assert addresses(content_url="https://content.example.net:444").is_content(asked_at(host))


def test_the_host_that_a_trusted_proxy_was_called_by_counts():
    known = addresses(
        trusted_proxies=(PROXY,),
        allowed_hosts=("hub.example.org",),
        content_url="https://content.example.net",
    )
    through = asked_at("127.0.0.1:8080", forwarded="content.example.net")
    assert known.is_content(through)
    # Whatever Host the proxy sends on, what it was called by is the hub itself.
    hub = asked_at("content.example.net", forwarded="hub.example.org")
    assert not known.is_content(hub)
    assert known.base_url(hub) == "https://hub.example.org"
    chain = asked_at("127.0.0.1", forwarded="hub.example.org, content.example.net")
    assert known.is_content(chain)


def test_anybody_else_may_say_what_they_like():
    known = addresses(content_url="https://content.example.net")
    lying = asked_at("127.0.0.1:8080", forwarded="content.example.net", client="203.0.113.9")
    assert not known.is_content(lying)
    lying = asked_at("content.example.net", forwarded="127.0.0.1", client="203.0.113.9")
    assert known.is_content(lying)


def test_only_pages_of_the_hub_may_frame_what_is_sent_from_there():
    there = asked_at("content.localhost:8080")
    fixed = addresses(public_url="https://hub.example.org/")
    assert fixed.framers(there) == "https://hub.example.org"
    known = addresses(allowed_hosts=("hub.lan", ".example.org"))
    assert known.framers(there).split() == [
        "*.example.org:*",
        "*.localhost:8080",
        "127.0.0.1:8080",
        "hub.lan:*",
        "localhost:8080",
    ]
    plain = addresses().framers(asked_at("content.localhost"))
    assert plain.split() == ["*.localhost", "127.0.0.1", "localhost"]

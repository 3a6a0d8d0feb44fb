# SPDX-License-Identifier: Apache-2.0
"""How clients call this hub: absolute addresses in answers carry the scheme, host and port they
used.
"""

import re

from starlette.requests import Request

from hubkeep import errors
from hubkeep.config import LOOPBACK, Config

# A name or an address, and a port: nothing else may stand before the path of an address.
_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
_PORT = re.compile(r":[0-9]{1,5}$")

_NAMED_LOOPBACK = ("localhost", "127.0.0.1")

CONTENT_NAME = "content.localhost"
"""Where what users wrote runs, on a hub that is called by a loopback name."""


class Addresses:
    """`public_url` where it is set; else the request's Host, if it is an allowed one."""

    def __init__(self, config: Config) -> None:
        self._fixed = config.base_url
        self._content = config.content_url.rstrip("/")
        self._content_name = _name(self._content.partition("://")[2]) or CONTENT_NAME
        self._hosts = frozenset((*LOOPBACK, *config.allowed_hosts))
        self._suffixes = tuple(host for host in self._hosts if host.startswith("."))
        self._proxies = frozenset(config.trusted_proxies)

    def base_url(self, request: Request) -> str:
        """Return e.g. `http://127.0.0.1:8080`. 400 where the Host is not allowed."""
        if self._fixed:
            return self._fixed
        host = self._host(request)
        written = _HOST.fullmatch(host)
        name = written[1].lower() if written else host
        if not written or (name not in self._hosts and not name.endswith(self._suffixes)):
            raise errors.bad_request(
                f"This hub does not answer for the host {name[:200]!r}; set HUBKEEP_PUBLIC_URL or "
                "add it to HUBKEEP_ALLOWED_HOSTS"
            )
        return f"{self.scheme(request)}://{host}"

    def content_url(self, request: Request) -> str | None:
        """Return the origin that what users wrote may run on, without a trailing slash.

        None where there is no other host name by which this client would reach the hub, and for a
        hub that is called by an IPv6 address: what is sent from there names who may frame it, and
        a content security policy has no words for such an address.
        """
        if self._content:
            return self._content
        scheme, _, host = self.base_url(request).partition("://")
        name, colon, port = host.rpartition(":") if _PORT.search(host) else (host, "", "")
        is_loopback = name in _NAMED_LOOPBACK or name.endswith(".localhost")
        return f"{scheme}://{CONTENT_NAME}{colon}{port}" if is_loopback else None

    def is_content(self, request: Request) -> bool:
        """Say whether a request came to the origin for what users wrote, at any port of it: nobody
        may sign in on a host name on which something of a user's runs, and cookies do not look at
        ports.
        """
        return _name(self._host(request)) == self._content_name

    def framers(self, request: Request) -> str:
        """Return the origins of this hub's pages, as a source list of a content security policy.

        On a loopback name other programs listen too, each at a port of its own: there only the
        port counts at which the request came.
        """
        if self._fixed:
            return self._fixed
        port = _PORT.search(self._host(request))
        names = sorted(host for host in self._hosts if not host.startswith("["))
        return " ".join(
            f"{'*' if name.startswith('.') else ''}{name}"
            f"{(port[0] if port else '') if name in LOOPBACK else ':*'}"
            for name in names
        )

    def scheme(self, request: Request) -> str:
        """Return how the client's connection began: `http` or `https`."""
        if self._fixed:
            return self._fixed.partition(":")[0]
        forwarded = _last(request, "x-forwarded-proto") if self._from_proxy(request) else None
        return forwarded or request.scope["scheme"]

    def client_address(self, request: Request) -> str:
        """Return the caller's address, as told by a trusted proxy or by the connection."""
        direct = request.client.host if request.client else ""
        if self._from_proxy(request):
            return _last(request, "x-forwarded-for") or direct
        return direct

    def _host(self, request: Request) -> str:
        """The host and port that the client named, be they allowed or not."""
        forwarded = _last(request, "x-forwarded-host") if self._from_proxy(request) else None
        return forwarded or request.headers.get("host", "")

    def _from_proxy(self, request: Request) -> bool:
        return request.client is not None and request.client.host in self._proxies


def _name(host: str) -> str:
    """A host without its port; the dot that may end it makes it no other."""
    return _PORT.sub("", host.lower()).rstrip(".")


def _last(request: Request, header: str) -> str | None:
    """The last value of a list header: the one that the nearest proxy, the trusted one, wrote."""
    value = request.headers.get(header)
    return value.rsplit(",", 1)[-1].strip() if value else None

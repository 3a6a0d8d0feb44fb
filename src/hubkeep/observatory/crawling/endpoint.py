# SPDX-License-Identifier: Apache-2.0
"""Where a hub answers, and which addresses are still its own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

from hubkeep.observatory.crawling.failure import CrawlFailed

_PORTS: Final = {"http": 80, "https": 443}
_HOST: Final = re.compile(r"[a-z0-9._:-]{1,253}")
_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_TARGET: Final = re.compile(r"/[\x21-\x7e]*")
_LONGEST: Final = 16_384


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Scheme, host, port, and what stands before `/api` in its paths, mostly nothing."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Read an address such as `https://huggingface.co`. CrawlFailed where it is none."""
        why = f"{text!r} is no address of a hub: it has to be like https://hub.example.org"
        if "@" in text:
            # What stands before it may be a password: it is not repeated.
            raise CrawlFailed("the address may not name a user: give a token with --token-file")
        try:
            parts = urlsplit(text.strip())
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError as error:
            raise CrawlFailed(why) from error
        host, prefix = parts.hostname or "", parts.path.rstrip("/")
        if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or parts.query or parts.fragment:
            raise CrawlFailed(why)
        if not _PREFIX.fullmatch(prefix):
            raise CrawlFailed(why)
        return cls(parts.scheme, host, port, prefix)

    @property
    def netloc(self) -> str:
        """Host and port, as a `Host` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address in its one form."""
        return f"{self.scheme}://{self.netloc}{self.prefix}"

    def target(self, path: str, query: Sequence[tuple[str, str]] = ()) -> str:
        """Return what is asked for in a request, of a path such as `/api/models`."""
        return self.prefix + path + (f"?{urlencode(query)}" if query else "")

    def follow(self, target: str, link: str) -> str:
        """Return what is asked for next where the answer to `target` leads on to `link`.

        CrawlFailed where that is another host, port or scheme: a token is for this one alone, and
        so are the rows.
        """
        here = f"{self.scheme}://{self.netloc}"
        try:
            parts = urlsplit(urljoin(here + target, link.strip()))
            origin = (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme))
        except ValueError as error:
            raise CrawlFailed(f"{self.url} leads on to no address: {link[:200]!r}") from error
        if origin != (self.scheme, self.host, self.port):
            raise CrawlFailed(
                f"{self.url} leads on to another place, {parts.scheme}://{parts.netloc}"[:300]
                + ": if that is the hub's own address, give it as --endpoint"
            )
        found = parts.path + (f"?{parts.query}" if parts.query else "")
        if len(found) > _LONGEST or not _TARGET.fullmatch(found):
            raise CrawlFailed(f"{self.url} leads on to no address: {found[:200]!r}")
        return found

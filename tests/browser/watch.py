# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a browser without anybody seeing it: collected, so that a test can fail."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

# A request that the page itself gave up, as it does when it is left: nothing went wrong.
GIVEN_UP = "net::ERR_ABORTED"


class Watch:
    """Everything that went wrong in the contexts it looks at.

    Errors and warnings in the console (among them what the content security policy refused),
    errors of scripts, requests that got no answer, and answers from 400 up. A test says beforehand
    what it expects; what it expects has to happen too.
    """

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._expected: list[str] = []

    def expect(self, *patterns: str) -> None:
        """Let pass what one of these regular expressions finds itself in."""
        self._expected += patterns

    def look_at(self, context: "BrowserContext") -> None:
        """Collect what goes wrong in a context's pages from now on."""
        context.on("console", self._console)
        context.on("weberror", self._script)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def wrong(self) -> list[str]:
        """What nobody expected, and what was expected in vain."""
        missing = [
            f"expected, and did not happen: {pattern}"
            for pattern in self._expected
            if not any(re.search(pattern, line) for line in self._seen)
        ]
        return missing + [
            line
            for line in self._seen
            if not any(re.search(pattern, line) for pattern in self._expected)
        ]

    def _console(self, message: "ConsoleMessage") -> None:
        if message.type not in ("error", "warning"):
            return
        # Chromium says of each answer from 400 up that it failed: `_answered` says it better.
        if not message.text.startswith("Failed to load resource: the server responded"):
            self._seen.append(f"console {message.type}: {message.text}")

    def _script(self, error: "WebError") -> None:
        self._seen.append(f"script: {error.error}")

    def _failed(self, request: "Request") -> None:
        if request.failure != GIVEN_UP:
            self._seen.append(f"no answer: {request.method} {request.url} {request.failure}")

    def _answered(self, response: "Response") -> None:
        if response.status >= 400:
            request = response.request
            self._seen.append(f"{response.status}: {request.method} {response.url}")

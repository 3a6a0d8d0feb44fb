# SPDX-License-Identifier: Apache-2.0
"""A browser as the pages know it: it keeps cookies, and sends the forms that it was shown."""

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

import httpx2 as httpx

from hubkeep.identity import commands
from hubkeep.identity.passwords import hash_password
from tests.harness.hub import TestHub

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PASSWORD = "correct horse battery"


class Seen(HTMLParser):
    """What stands in a page: its tags with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """All text, with single spaces."""
        return " ".join(" ".join(self.words).split())

    def links(self) -> list[str]:
        """Where its links lead."""
        return [attrs["href"] for tag, attrs in self.tags if tag == "a"]

    def value(self, name: str) -> str | None:
        """What stands in the field of this name."""
        found = (attrs for tag, attrs in self.tags if tag == "input" and attrs.get("name") == name)
        return next((attrs.get("value") for attrs in found), None)

    def describes(self, name: str) -> str:
        """The id of what is said of the field of this name."""
        fields = ("input", "select", "textarea", "fieldset")
        for tag, attrs in self.tags:
            if tag in fields and attrs.get("name", attrs.get("id")) == name:
                return attrs.get("aria-describedby", "")
        return ""


class Browser:
    """One browser. `scheme` is what a trusted proxy says that it came by."""

    def __init__(self, hub: TestHub, agent: str = AGENT) -> None:
        self.hub = hub
        self.agent = agent
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return self._send("GET", path, None, headers)

    def seen(self, path: str) -> Seen:
        """Open a page that is there, and read it."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.headers)
        return Seen(answer.text)

    def json(self, path: str) -> dict:
        """The data of a page that is there."""
        answer = self.get(path, Accept="application/json")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form, with the token of the page that was shown last."""
        return self.send(path, {"csrf": self.csrf, **fields})

    def send(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        """Send a form as it is."""
        return self._send("POST", path, urlencode(form), headers)

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """Open the page and sign in; the tokens of forms are those of the session afterwards."""
        self.get("/login")
        answer = self.post("/login", name=name, password=password)
        assert answer.status_code == 303, answer.text
        self.get("/settings/profile")
        return answer

    def _send(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> httpx.Response:
        self.hub.client.cookies.clear()
        sent = {"Accept": "text/html", "User-Agent": self.agent, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self.hub.request(method, path, headers=sent, content=body)
        self.hub.client.cookies.clear()
        self._keep(answer)
        return answer

    def _keep(self, answer: httpx.Response) -> None:
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0].strip('"')
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        token = re.search(r'name="csrf" value="([^"]+)"', answer.text)
        if token:
            self.csrf = unescape(token[1])


def give_passwords(hub: TestHub) -> None:
    """Give the people of the tests the password of the tests."""
    stored = hash_password(PASSWORD)
    for name in ("alice", "bob", "root"):
        hub.write(lambda conn, name=name: commands.set_password(conn, name, stored))

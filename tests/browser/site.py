# SPDX-License-Identifier: Apache-2.0
"""A live hub for browsers: its people have passwords, and its cookies are got without clicking."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2 as httpx

from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.identity import commands
from hubkeep.identity.passwords import hash_password
from tests.harness.hub import LiveHub, running_hub, seed_folder
from tests.web.browser import PASSWORD, Seen

PEOPLE = ("alice", "bob", "root")


class Site:
    """A hub on a port, shared by the tests of a worker: each uses names of its own."""

    def __init__(self, hub: LiveHub) -> None:
        self.hub = hub
        self.cookies_of = cache(partial(signed_in, hub.url))

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return self.hub.url

    def api(self, method: str, path: str, *, user: str = "alice", **how: Any) -> httpx.Response:
        """Call the API with somebody's token; anything but a success is an error."""
        sent = {"Authorization": f"Bearer {getattr(self.hub.tokens, user)}"}
        headers = {**sent, **how.pop("headers", {})}
        answer = httpx.request(method, self.url + path, headers=headers, **how)
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        return answer

    def create(self, name: str, *, kind: str = "model", user: str = "alice", **more: Any) -> str:
        """Create a repository of this name and return its full name, `alice/name`."""
        body = {"name": name, "type": kind, **more}
        self.api("POST", "/api/repos/create", user=user, json=body)
        return f"{more.get('organization', user)}/{name}"

    def commit(
        self,
        repo: str,
        files: Mapping[str, str | bytes],
        *,
        kind: str = "model",
        summary: str = "Add files",
        user: str = "alice",
        revision: str = "main",
    ) -> str:
        """Commit files by their paths and return the commit's hash."""
        lines = [{"key": "header", "value": {"summary": summary}}]
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            encoded = {"content": base64.b64encode(data).decode(), "encoding": "base64"}
            lines.append({"key": "file", "value": {"path": path, **encoded}})
        answer = self.api(
            "POST",
            f"/api/{kind}s/{repo}/commit/{revision}",
            user=user,
            content="\n".join(map(json.dumps, lines)),
            headers={"Content-Type": "application/x-ndjson"},
        )
        return answer.json()["commitOid"]


def signed_in(url: str, user: str, password: str = PASSWORD) -> tuple[dict[str, str], ...]:
    """The cookies of a new session of somebody's, in Playwright's form."""
    with httpx.Client(base_url=url, headers={"Accept": "text/html"}) as client:
        csrf = Seen(client.get("/login").text).value("csrf")
        form = {"csrf": csrf, "name": user, "password": password}
        answer = client.post(
            "/login",
            content=urlencode(form),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert answer.status_code == 303, answer.text
    return tuple(
        {"name": name, "value": morsel.value, "url": url}
        for line in answer.headers.get_list("set-cookie")
        for name, morsel in SimpleCookie(line).items()
        if morsel.value
    )


@contextmanager
def running_site(folder: Path, **settings: str) -> Iterator[Site]:
    """Run a hub whose people have the password of the tests; `settings` without their prefix."""
    data = folder / "hub"
    seed_folder(data)
    database = Database(Config(data=data).database)
    stored = hash_password(PASSWORD)
    database.write_now(lambda conn: [commands.set_password(conn, one, stored) for one in PEOPLE])
    database.close()
    env = {f"HUBKEEP_{name.upper()}": value for name, value in settings.items()}
    with running_hub(data, env=env) as hub:
        yield Site(hub)

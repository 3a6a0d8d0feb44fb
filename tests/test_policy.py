# SPDX-License-Identifier: Apache-2.0
"""Every route, asked by everybody: who is let in is what the policy says, and nothing leaks.

The walk covers what `routes.py` holds, so a new route is in it at once. Where it cannot guess what
to send, the tables `PARAMETERS` and `BODIES` say so, and it fails with a hint until they do.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx2 as httpx
import msgspec
import pytest
from sqlalchemy import select, update

from hubkeep.db.tables import accounts, repos
from hubkeep.identity.queries_sessions import open_session
from hubkeep.identity.rules import Action
from hubkeep.identity.sessions import form_token
from hubkeep.route import Route
from hubkeep.routes import all_routes
from tests.harness.hub import TestHub, on_sqlite
from tests.repos.world import World

# What stands in addresses for parameters other than the repository.
PARAMETERS = {
    "branch": "topic",
    "epoch": "0",
    "figure": "f1",
    "file": "ada.svg",
    "file*": "main.tar.gz",
    "grant": "not-a-signed-grant",
    "hash": "0" * 64,
    "kind": "models",
    "lock": "1",
    "number": "1",
    "org": "lab",
    "path*": "README.md",
    "prefix": "default",
    "rev": "main",
    "revs": "main..main",
    "subject*": "ada/unlocked.svg",
    "tag": "v1",
    "token": "not-a-signed-token",
    "topic*": "any/topic",
    "user": "ada",
}

# What is sent where an empty body would be refused before the policy is asked. `<ns>` and `<name>`
# are those of the repository that is asked for. Bytes go as they are, other values as JSON.
BODIES: dict[str, object] = {
    "POST /api/repos/create": {"organization": "<ns>", "name": "fresh"},
    "DELETE /api/repos/delete": {"organization": "<ns>", "name": "<name>"},
    "POST /api/repos/move": {"fromRepo": "<ns>/<name>", "toRepo": "<ns>/moved"},
    "POST /api/{T}/{repo}/duplicate": {"repository": "<ns>/copy"},
    "PUT /api/{T}/{repo}/settings": {"gated": False},
    "POST /{web}{repo}/info/lfs/objects/batch": {"operation": "download", "objects": []},
    "POST /api/{T}/{repo}/lfs-files/batch": {"deletions": {"sha": []}},
    "POST /api/{T}/{repo}/lfs-files/duplicate": {
        "target": {"type": "model", "name": "<ns>/<name>"},
        "files": [],
    },
    "POST /api/{T}/{repo}/commit/{rev}": b'{"key":"header","value":{"summary":"nothing"}}\n',
    "POST /api/{T}/{repo}/preupload/{rev}": {"files": []},
    "POST /api/{T}/{repo}/paths-info/{rev}": {"paths": []},
    "POST /api/{T}/{repo}/tag/{rev}": {"tag": "v2"},
    "POST /api/{T}/{repo}/merge/{branch}": {"source": "other"},
    "POST /api/{T}/{repo}/revert/{branch}": {"commit": "0" * 40},
    "POST /{web}{repo}/git-upload-pack": b"0014command=ls-refs\n0000",
    "POST /{web}{repo}/git-receive-pack": b"0000",
    "POST /{web}{repo}/info/lfs/locks": {"path": "weights.bin"},
    "POST /api/validate-yaml": {"content": "", "repoType": "model"},
}

# What else is sent to addresses that would not know what is meant.
QUERIES = {"GET /{web}{repo}/info/refs": "service=git-upload-pack"}
HEADERS = {
    "POST /{web}{repo}/git-upload-pack": {
        "Content-Type": "application/x-git-upload-pack-request",
        "Git-Protocol": "version=2",
    },
    "POST /{web}{repo}/git-receive-pack": {
        "Content-Type": "application/x-git-receive-pack-request"
    },
}

# Forms of pages are taken from pages of the hub alone: the token follows from the cookie.
FORM_COOKIE = "a-browser-that-nobody-is-signed-in-with"
FORMS: dict[str, dict[str, str]] = {
    "POST /{web}{ns}/{name}/new/{rev}": {"path": "new.md", "text": "new"},
    "POST /{web}{ns}/{name}/edit/{rev}/{path*}": {"path": "README.md", "text": "new"},
    "POST /{web}{ns}/{name}/revert/{rev}": {"commit": "main"},
    "POST /settings/tokens": {"name": "mine"},
    "POST /new": {"owner": "<ns>", "name": "fresh"},
    "POST /organizations/new": {"name": "fresh"},
    "POST /organizations/{org}/settings/members": {"name": "outsider", "role": "read"},
    "POST /admin/users/{user}": {"do": "end-sessions"},
    "POST /admin/organisations/{org}": {"do": "member", "name": "outsider", "role": "read"},
    "POST /admin/jobs": {"do": "forget", "job": "1"},
    "POST /admin/invitations": {"days": "1"},
    "POST /admin/invitations/revoke": {"invitation": "no-such"},
    "POST /{web}{ns}/{name}/settings/name": {"owner": "<ns>", "name": "moved"},
    "POST /{web}{ns}/{name}/settings/visibility": {"visibility": "private"},
    "POST /{web}{ns}/{name}/settings/delete": {"typed": "<ns>/<name>"},
    "POST /{web}{ns}/{name}/settings/storage/delete": {"file": "nothing"},
}

# Repositories by namespace: `ada` is a user, `lab` an organisation. All names are of one length, so
# that answers about them can be compared byte by byte.
NAMESPACES = ("ada", "lab")
OPEN, CLOSED, ABSENT = "unlocked", "unlisted", "unwanted"
NOBODY = "anonymous"
DISABLED = "gone"
READER = "reader"

# Who may do what, written out once more than in the code: by namespace, least powerful first.
SEES_ALL = {"ada": {READER, "ada", "boss"}, "lab": {"lab_r", "lab_c", "lab_w", "lab_a", "boss"}}
MAKES = {"ada": {"ada", "boss"}, "lab": {"lab_c", "lab_w", "lab_a", "boss"}}
WRITES = {"ada": {"ada", "boss"}, "lab": {"lab_w", "lab_a", "boss"}}
RULES = {"ada": {"ada", "boss"}, "lab": {"lab_a", "boss"}}
ACTORS = (
    NOBODY,
    DISABLED,
    "outsider",
    READER,
    "lab_r",
    "lab_c",
    "lab_w",
    "lab_a",
    "ada",
    "boss",
)
CANNOT_CHANGE = {NOBODY, READER}

IS_OF_A_REPO = {Action.READ, Action.LIKE, Action.WRITE, Action.ADMINISTER, Action.CREATE_IN}
ASKS_NOBODY = {Action.ANYONE, Action.SIGNED, Action.OPERATE}
# A browser without a session gets a cookie that its forms are proven by, new each time.
VARIES = {"x-request-id", "date", "content-length", "set-cookie"}


@dataclass(frozen=True)
class Ask:
    """One request of the walk."""

    route: Route
    actor: str
    ns: str
    name: str

    @property
    def key(self) -> str:
        return f"{self.route.method} {self.route.pattern}"

    @property
    def pattern(self) -> str:
        """That of the route; pages know no ids of one segment."""
        return self.route.pattern.replace("{ns}/{name}", "{repo}")

    def send(self, world: World) -> httpx.Response:
        """Send it, and return the answer."""
        body = BODIES.get(self.key)
        how: dict[str, object] = {}
        if isinstance(body, bytes):
            how["content"] = body
        elif body is not None:
            how["content"] = self._filled(msgspec.json.encode(body).decode())
        if self.key in QUERIES:
            how["params"] = QUERIES[self.key]
        who = None if self.actor == NOBODY else self.actor
        headers = dict(HEADERS.get(self.key, {}))
        if self.route.area == "pages" and self.route.method == "POST":
            form = {"csrf": form_token(FORM_COOKIE), **FORMS.get(self.key, {})}
            how["content"] = self._filled(urlencode(form, safe="<>"))
            headers["Cookie"] = f"hubkeep-form={FORM_COOKIE}"
        return world.call(self.route.method, self._path(), who, headers=headers, **how)

    def _path(self) -> str:
        pattern = self.pattern.replace("{T}", "models").replace("{web}", "")
        path = pattern.replace("{repo}", f"{self.ns}/{self.name}")
        return re.sub(r"\{([^}]+)\}", self._parameter, path)

    def _parameter(self, found: re.Match[str]) -> str:
        name = found[1]
        if not self.route.is_implemented:
            return "x"
        assert name in PARAMETERS, f"{self.key}: say in PARAMETERS what {{{name}}} may be"
        return PARAMETERS[name]

    def _filled(self, body: str) -> str:
        return body.replace("<ns>", self.ns).replace("<name>", self.name)

    @property
    def names_a_repo(self) -> bool:
        return "{repo}" in self.pattern or "<name>" in str(BODIES.get(self.key))

    @property
    def is_seen(self) -> bool:
        return self.name == OPEN or self.actor in SEES_ALL[self.ns]

    @property
    def is_allowed(self) -> bool:
        """Whether the policy lets this actor do this to a repository that it sees."""
        action = self.route.action
        if action is Action.READ:
            return True
        if self.actor in CANNOT_CHANGE:
            return False
        may = {Action.CREATE_IN: MAKES, Action.WRITE: WRITES, Action.ADMINISTER: RULES}
        return action is Action.LIKE or self.actor in may[action][self.ns]


@pytest.fixture
def world(hub: TestHub) -> World:
    """A hub with an account for each actor; `restore` puts the repositories in."""
    made = World(hub)
    for name in ("ada", "outsider", "lab_r", "lab_c", "lab_w", "lab_a", DISABLED):
        made.user(name)
    made.user("boss", is_admin=True)
    made.token("ada", READER, "read")
    roles = {"lab_r": "read", "lab_c": "contributor", "lab_w": "write", "lab_a": "admin"}
    made.org("lab", **roles, **{DISABLED: "admin"})
    made.disable(DISABLED)
    return made


def routes() -> Iterable[object]:
    """The routes that are more than a word that something is not there yet."""
    return [
        pytest.param(one, id=f"{one.method}-{one.pattern}")
        for one in all_routes()
        if one.is_implemented
    ]


def restore(world: World) -> None:
    """Make the repositories as they were, whatever the last request did to them."""
    for ns in NAMESPACES:
        for name in (OPEN, CLOSED):
            path, private = f"{ns}/{name}", name == CLOSED
            found = select(repos.c.id, repos.c.private).where(
                repos.c.type == "model", repos.c.path == path
            )
            row = world.hub.read(lambda conn, found=found: conn.execute(found).first())
            if row is None:
                world.repo(path, private=private)
            elif row.private is not private:
                back = update(repos).where(repos.c.id == row.id).values(private=private)
                world.hub.write(lambda conn, back=back: conn.execute(back))


@pytest.mark.parametrize("route", routes())
def test_a_route_names_the_action_that_it_needs(route: Route):
    assert isinstance(route.action, Action)
    if "{repo}" in route.pattern or "{ns}/{name}" in route.pattern:
        assert route.action in IS_OF_A_REPO


@on_sqlite
def test_what_is_not_there_says_so_to_everybody(world: World):
    restore(world)
    for route in all_routes():
        if route.is_implemented:
            continue
        for actor in (NOBODY, DISABLED, "outsider"):
            answer = Ask(route, actor, "ada", CLOSED).send(world)
            assert answer.status_code == 501, route
            assert answer.headers["x-error-code"] == "NotImplemented", route


@on_sqlite
@pytest.mark.parametrize("route", routes())
def test_only_those_are_let_in_whom_the_policy_names(route: Route, world: World):
    for actor in ACTORS:
        for ns in NAMESPACES:
            for name in (OPEN, CLOSED):
                restore(world)
                ask = Ask(route, actor, ns, name)
                answer = ask.send(world)
                where = f"{ask} got {answer.status_code} {answer.text[:300]}"
                assert answer.status_code < 500, where
                check_right(ask, answer, where)


def check_right(ask: Ask, answer: httpx.Response, where: str) -> None:
    action, refused = ask.route.action, answer.status_code in (401, 403)
    hint = f"; if the body is at fault, give {ask.key!r} one in BODIES"
    if action in ASKS_NOBODY:
        return
    if action is Action.CAS:
        # No token of the hub's opens its chunk store, whoever it belongs to.
        assert answer.status_code == 401, where
        return
    if action is Action.ADMINISTER_HUB:
        # No token opens it, an administrator's neither: nothing is there.
        assert answer.status_code == 404, where
        assert "www-authenticate" not in answer.headers, where
    elif ask.actor == DISABLED:
        assert answer.status_code == 401, where + hint
    elif action is Action.ACT_AS_USER:
        assert (answer.status_code == 401) is (ask.actor == NOBODY), where + hint
    elif action is Action.LIST:
        assert not refused, where
    elif ask.names_a_repo and not ask.is_seen:
        assert answer.status_code == (401 if ask.actor == NOBODY else 404), where + hint
        if answer.headers["content-type"].startswith("text/plain"):  # which git shows to people
            assert answer.text == "Repository not found\n", where
        # A body that names a repository is not even looked at for who is not signed in.
        elif "{repo}" in ask.pattern or ask.actor != NOBODY:
            assert answer.headers["x-error-code"] == "RepoNotFound", where
    elif ask.is_allowed:
        assert not refused, where
        assert answer.headers.get("x-error-code") != "RepoNotFound", where
    else:
        assert answer.status_code == (401 if ask.actor == NOBODY else 403), where + hint


@on_sqlite
@pytest.mark.parametrize("name", ["outsider", "lab_a", "boss", DISABLED])
def test_the_hub_is_administered_by_who_is_signed_in_here_as_an_administrator(
    name: str, world: World
):
    hub, cookie = world.hub, f"the-browser-of-{name}"
    user = select(accounts.c.id).where(accounts.c.name == name)
    user_id = hub.read(lambda conn: conn.execute(user).scalar_one())
    hub.write(lambda conn: open_session(conn, user_id, cookie, "", hub.clock()))
    csrf = form_token(cookie)
    for route in all_routes():
        if route.action is not Action.ADMINISTER_HUB:
            continue
        ask = Ask(route, NOBODY, "ada", OPEN)
        form = urlencode({"csrf": csrf, **FORMS.get(ask.key, {})})
        headers = {"Cookie": f"hubkeep={cookie}"}
        content = form if route.method == "POST" else None
        answer = hub.request(route.method, ask._path(), headers=headers, content=content)
        where = f"{route} got {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, where
        is_there = answer.text != f'{{"error":"Nothing is at {ask._path()}"}}'
        assert is_there is (name == "boss"), where
        assert is_there or answer.status_code == 404, where


@on_sqlite
@pytest.mark.parametrize("route", routes())
def test_private_and_missing_look_alike_to_who_may_not_see(route: Route, world: World):
    for actor in ACTORS:
        for ns in NAMESPACES:
            closed, absent = Ask(route, actor, ns, CLOSED), Ask(route, actor, ns, ABSENT)
            if closed.is_seen or not closed.names_a_repo:
                continue
            restore(world)
            assert shape(closed.send(world), CLOSED) == shape(absent.send(world), ABSENT), closed


def shape(answer: httpx.Response, name: str) -> tuple[int, list[tuple[str, str]], str]:
    """All that a caller gets to see, but for the name that it sent itself."""
    headers = sorted(
        (key, value.replace(name, "<name>"))
        for key, value in answer.headers.items()
        if key not in VARIES
    )
    return answer.status_code, headers, answer.text.replace(name, "<name>")


@on_sqlite
@pytest.mark.parametrize("route", routes())
def test_what_lists_and_counts_say_does_not_change_by_what_is_hidden(route: Route, world: World):
    """A hub with private repositories and one without answer strangers alike, to the byte."""
    asks = [Ask(route, actor, "ada", OPEN) for actor in (NOBODY, "outsider", "lab_r")]
    if asks[0].names_a_repo or route.method != "GET" or route.action is Action.OPERATE:
        return
    world.repo(f"ada/{OPEN}")
    before = [shape(ask.send(world), OPEN) for ask in asks]
    world.repo(f"ada/{CLOSED}", private=True)
    assert [shape(ask.send(world), OPEN) for ask in asks] == before

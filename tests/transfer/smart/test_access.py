# SPDX-License-Identifier: Apache-2.0
"""Who may come in by git: people of all kinds at repositories of both kinds, on a live hub."""

import base64
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete

from hubkeep.db.tables import tokens
from hubkeep.git.pktline import FLUSH, packet
from tests.harness.hub import LiveHub, running_hub, seed_folder
from tests.transfer.smart.native import GitClient, Ran, Remote, make_client, make_remote
from tests.transfer.smart.people import PUSH_TYPE, Line, People, basic, push_of, quick_hash
from tests.transfer.town import Town, as_user

BATCH = "/info/lfs/objects/batch"
REFS = "/info/refs?service="
PASSWORD = "correct horse battery"


@pytest.fixture
def people(live_hub: LiveHub) -> People:
    """Somebody of each kind that the matrix has."""
    made = People(live_hub)
    gone = made.user()
    made.tokens = {
        "anonymous": "",
        "outsider": live_hub.tokens.bob,
        "read": live_hub.tokens.alice_read,
        "fine-grained": made.token("alice", "fineGrained"),
        "write": live_hub.tokens.alice,
        "expired": made.token("alice", expired=True),
        "revoked": f"hf_{uuid4().hex}",
        "disabled": made.token(gone),
    }
    made.set(gone, disabled=True)
    return made


ASKED = "could not read Username"
FAILED = "Authentication failed"
MISSING = "not found"
ROLE = "This token has the role 'read'"
RIGHT = "You don't have the right to write"
# What each is told: when they fetch from and push to a public repository, and a private one. git
# says who it is once it is asked, and to fetch from a public one it is not.
SAYS = {
    "anonymous": ("", ASKED, ASKED, ASKED),
    "outsider": ("", RIGHT, MISSING, MISSING),
    "read": ("", ROLE, "", ROLE),
    "fine-grained": ("", "writing needs", "", "writing needs"),
    "write": ("", "", "", ""),
    "expired": ("", FAILED, FAILED, FAILED),
    "revoked": ("", FAILED, FAILED, FAILED),
    "disabled": ("", FAILED, FAILED, FAILED),
}


@pytest.mark.parametrize("private", [False, True])
def test_who_fetches_and_who_pushes(
    people: People, new_remote: Callable[..., Remote], git: GitClient, private: bool
):
    remote = new_remote(private=private)
    for kind, said in SAYS.items():
        fetches, pushes = said[2:] if private else said[:2]
        person = git.signed_in(people.tokens[kind], "helper")
        for doing, expected in (
            (person.run("ls-remote", remote.url, check=False), fetches),
            (pushed(person, remote, kind), pushes),
        ):
            assert expected in doing.err, (kind, doing.err)
            assert (doing.code == 0) is (expected == ""), (kind, doing.err)
    assert remote.refs().keys() == {"refs/heads/main", "refs/heads/write"}


def pushed(person: GitClient, remote: Remote, branch: str) -> Ran:
    copy = person.begin(remote)
    copy.commit({"a.txt": branch.encode()})
    return copy.push(f"HEAD:refs/heads/{branch}", check=False)


@pytest.mark.parametrize("private", [False, True])
def test_who_gets_large_files_locks_and_archives(
    people: People, new_remote: Callable[..., Remote], private: bool
):
    remote = new_remote(private=private)
    seen = 404 if private else 200
    expected = {
        "anonymous": (401 if private else 200, 401),
        "outsider": (seen, 404 if private else 403),
        "read": (200, 403),
        "fine-grained": (200, 403),
        "write": (200, 200),
        "expired": (401, 401),
        "revoked": (401, 401),
        "disabled": (401, 401),
    }
    for kind, (reads, writes) in expected.items():
        git = f"{remote.web}.git"
        with Line(remote, basic("anyone", people.tokens[kind])) as line:
            down = line.ask("POST", f"{git}{BATCH}", b'{"operation":"download","objects":[]}')
            up = line.ask("POST", f"{git}{BATCH}", b'{"operation":"upload","objects":[]}')
            verified = line.ask("POST", f"{git}/info/lfs/locks/verify", b"{}")
            got = (
                down.status,
                line.ask("GET", f"{git}/info/lfs/locks").status,
                line.ask("GET", f"{remote.web}/archive/main.tar.gz").status,
                line.ask("GET", f"{git}/HEAD").status,
            )
        assert (set(got), {up.status, verified.status}) == ({reads}, {writes}), kind
        for answer in (down, up, verified):
            asks = answer.headers.get("LFS-Authenticate"), answer.headers.get("WWW-Authenticate")
            assert all(asks) is (answer.status == 401), (kind, asks)


def test_private_and_missing_look_alike_to_who_may_not_see(
    people: People, new_remote: Callable[..., Remote]
):
    private = new_remote(private=True)
    missing = Remote(private.hub, private.path[:-1] + "x")
    asks: list[tuple[str, str, bytes | None]] = [
        ("GET", f"{REFS}git-upload-pack", None),
        ("GET", f"{REFS}git-receive-pack", None),
        ("GET", "/info/refs", None),
        ("POST", "/git-upload-pack", b"0000"),
        ("POST", "/git-receive-pack", b"0000"),
        ("GET", "/HEAD", None),
        ("GET", "/archive/main.zip", None),
        ("POST", BATCH, b'{"operation":"download","objects":[]}'),
        ("GET", "/info/lfs/locks", None),
        ("POST", "/info/lfs/locks", b'{"path":"x"}'),
    ]
    for kind in ("anonymous", "outsider"):
        for method, path, body in asks:
            shapes = []
            for remote in (private, missing):
                with Line(remote, basic("anyone", people.tokens[kind])) as line:
                    asked = f"{remote.web}.git{path}"
                    shapes.append(line.ask(method, asked, body, **sent_as(path)).shape)
            assert shapes[0] == shapes[1], (kind, path)
            assert shapes[0][0] == (401 if kind == "anonymous" else 404)
            assert "epository not found" in shapes[0][2]


def sent_as(path: str) -> dict[str, str]:
    """The header that git's POSTs have."""
    service = path.removeprefix("/")
    return {"Content-Type": f"application/x-{service}-request"} if "git-" in service else {}


def write_access(people: People) -> tuple[str, dict[str, str]]:
    """A user of their own who may write to acme's repositories, and their token as a header."""
    name = people.user()
    people.join("acme", name)
    return name, {"Authorization": f"Bearer {people.token(name)}"}


@pytest.fixture
def acme(live_hub: LiveHub) -> Remote:
    """A private repository of the organisation."""
    made = Remote(live_hub, f"acme/r{uuid4().hex[:12]}")
    body = {"organization": "acme", "name": made.path.partition("/")[2], "private": True}
    assert made.call("POST", "/api/repos/create", json=body).status_code == 200
    return made


def take_away(people: People, name: str, how: str) -> None:
    if how == "revoked":
        people.revoke(name)
    elif how == "disabled":
        people.set(name, disabled=True)
    else:
        people.leave("acme", name)


HOW = {"revoked": 401, "disabled": 401, "no member": 404}


@pytest.mark.parametrize("how", HOW)
def test_what_is_taken_away_stops_on_an_open_connection(people: People, acme: Remote, how: str):
    name, signed = write_access(people)
    paths = [f"{acme.web}{REFS}git-{service}-pack" for service in ("upload", "receive")]
    paths += [f"{acme.web}.git/info/lfs/locks", f"{acme.web}/archive/main.zip"]
    body = push_of(acme, "late")
    with Line(acme, signed) as line:
        assert [line.ask("GET", path).status for path in paths] == [200] * 4
        socket = line.connection.sock
        take_away(people, name, how)
        assert [line.ask("GET", path).status for path in paths] == [HOW[how]] * 4
        # The refs were asked for before, and the push comes now.
        refused = line.ask("POST", f"{acme.web}/git-receive-pack", body, **PUSH_TYPE)
        assert refused.status == HOW[how]
        assert line.connection.sock is socket
    assert "refs/heads/late" not in acme.refs()


@pytest.mark.parametrize("how", HOW)
def test_what_is_taken_away_while_a_push_comes_lands_nothing(
    people: People, acme: Remote, how: str
):
    name, signed = write_access(people)
    path = f"{acme.web}/git-receive-pack"
    with Line(acme, signed) as line:
        assert b"unpack ok" in line.ask("POST", path, push_of(acme, "topic"), **PUSH_TYPE).body
        late = push_of(acme, "late")
        line.begin(path, len(late), **PUSH_TYPE)
        line.connection.send(late[:-10])
        take_away(people, name, how)
        answer = line.end(late[-10:])
    assert answer.status == HOW[how] or b"ng refs/heads/late" in answer.body, answer.body
    assert acme.refs().keys() == {"refs/heads/main", "refs/heads/topic"}


@pytest.mark.anyio
async def test_what_is_revoked_while_a_fetch_is_asked_for_tells_nothing(quick_town: Town):
    town = quick_town
    town.repo("bob/m", private=True)
    body = packet(b"command=ls-refs\n") + FLUSH
    headers = {**as_user("bob"), **sent_as("/git-upload-pack"), "Git-Protocol": "version=2"}

    async def pieces(*, revoked: bool) -> AsyncIterator[bytes]:
        yield body[:10]
        if revoked:
            mine = delete(tokens).where(tokens.c.user_id == town.ids["bob"])
            town.app.db.write_now(lambda conn: conn.execute(mine))
        yield body[10:]

    async def fetch(*, revoked: bool) -> int:
        path, sent = "/bob/m/git-upload-pack", pieces(revoked=revoked)
        return (await town.client.post(path, content=sent, headers=headers)).status_code

    assert [await fetch(revoked=False), await fetch(revoked=True)] == [200, 401]


@pytest.fixture(scope="module")
def password_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A hub that takes passwords."""
    data = tmp_path_factory.mktemp("passwords") / "hub"
    seed_folder(data)
    with running_hub(data, "--no-job-worker", env={"HUBKEEP_GIT_PASSWORDS": "true"}) as hub:
        yield hub


def by_password(hub: LiveHub, home: Path, user: str, password: str) -> GitClient:
    """A person whose git remembers name and password."""
    client = make_client(hub, home).with_env(HUB_USER=user, HUB_PASSWORD=password)
    with (home / ".gitconfig").open("a") as config:
        config.write(
            '[credential]\n\thelper = "!f() { test \\"$1\\" = get && echo username=$HUB_USER'
            ' && echo password=$HUB_PASSWORD; }; f"\n'
        )
    return client


def test_git_and_git_lfs_sign_in_with_a_password(password_hub: LiveHub, tmp_path: Path):
    people = People(password_hub)
    people.set("alice", password_hash=quick_hash(PASSWORD))
    remote = make_remote(password_hub, private=True)
    alice = by_password(password_hub, tmp_path / "home", "alice", PASSWORD)
    alice.set_up_lfs()
    copy = alice.clone(remote)
    copy.commit({"x.bin": b"large" * 1000, "a.txt": b"small"})
    copy.push()
    copy.run("lfs", "lock", "x.bin")
    assert "alice" in copy.run("lfs", "locks").out
    assert (alice.clone(remote).folder / "x.bin").read_bytes() == b"large" * 1000

    wrong = by_password(password_hub, tmp_path / "wrong", "alice", "incorrect!")
    refused = wrong.run("ls-remote", remote.url, check=False)
    assert "an access token does as the password too" in refused.remote
    assert FAILED in refused.err


def test_a_password_that_is_changed_while_a_push_comes_lands_nothing(password_hub: LiveHub):
    people = People(password_hub)
    remote = make_remote(password_hub)
    for change in ({"password_hash": quick_hash("another one")}, {"disabled": True}):
        people.set("alice", password_hash=quick_hash(PASSWORD), disabled=False)
        late = push_of(remote, "late")
        with Line(remote, basic("alice", PASSWORD)) as line:
            line.begin(f"{remote.web}/git-receive-pack", len(late), **PUSH_TYPE)
            line.connection.send(late[:-10])
            people.set("alice", **change)
            answer = line.end(late[-10:])
        assert answer.status == 401 or b"ng refs/heads/late" in answer.body, answer.body
        people.set("alice", disabled=False)
        assert remote.refs().keys() == {"refs/heads/main"}


def test_a_hub_that_takes_no_passwords_says_what_it_takes(
    new_remote: Callable[..., Remote], tmp_path: Path
):
    remote = new_remote(private=True)
    person = by_password(remote.hub, tmp_path / "p", "alice", PASSWORD)
    refused = person.run("ls-remote", remote.url, check=False)
    assert refused.remote == "Use an access token as the password"
    assert FAILED in refused.err


def test_credentials_are_not_in_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    data = tmp_path / "hub"
    seed_folder(data)
    env = {"HUBKEEP_GIT_PASSWORDS": "true", "HUBKEEP_LOG_LEVEL": "debug"}
    wrong_password, wrong_token = "incorrect-horse", "hf_no_such_token_of_anybody"
    with running_hub(data, "--no-job-worker", env=env) as hub:
        people = People(hub)
        people.set("alice", password_hash=quick_hash(PASSWORD))
        remote = make_remote(hub, private=True)
        given = (hub.token, PASSWORD, wrong_password, wrong_token)
        for secret in given:
            with Line(remote, basic("alice", secret)) as line:
                for path in (f"{REFS}git-upload-pack", "/info/lfs/locks", "/nothing"):
                    line.ask("GET", f"{remote.web}.git{path}")
                line.ask("POST", f"{remote.web}.git/git-receive-pack", b"nonsense", **PUSH_TYPE)
        hub.stop()
    logged = "".join(capfd.readouterr())
    for secret in given:
        assert secret not in logged
        assert base64.b64encode(f"alice:{secret}".encode()).decode() not in logged

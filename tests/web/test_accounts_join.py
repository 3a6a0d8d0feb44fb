# SPDX-License-Identifier: Apache-2.0
"""Signing up: not at all, by invitation, or as one likes."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx2 as httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from hubkeep.cli import main
from hubkeep.config import Config
from hubkeep.db.tables import accounts, invitations
from hubkeep.identity import commands
from hubkeep.identity.own import Newcomer, UsedUp, sign_up
from hubkeep.identity.queries_invitations import list_invitations
from hubkeep.kit.time import DAY
from tests.harness.hub import TestHub, on_sqlite, started_hub
from tests.harness.world import seed
from tests.web.browser import PASSWORD, Browser, Seen


@pytest.fixture
def hub(tmp_path: Path, database_url: str, quick: None, request) -> Iterator[TestHub]:
    """A hub with the accounts of the tests that lets people in as the test says; else openly."""
    how = getattr(request, "param", "open")
    config = Config(data=tmp_path / "hub", database_url=database_url, sign_up=how)
    with started_hub(config) as hub:
        hub.write(lambda conn: seed(conn, hub.clock()))
        yield hub


by_invitation = pytest.mark.parametrize("hub", ["invitation"], indirect=True)


def invitation(hub: TestHub, days: float = 7) -> str:
    """The path of the link of a new invitation."""
    ends_at = round(hub.clock() + days * DAY)
    made = hub.write(
        lambda conn: commands.invite(conn, "http://x", hub.clock(), expires_at=ends_at)
    )
    return made.link.removeprefix("http://x")


def join(browser: Browser, **fields: str) -> httpx.Response:
    return browser.post("/join", **{"name": "carol", "password": PASSWORD, **fields})


def people(hub: TestHub) -> int:
    count = select(func.count()).select_from(accounts)
    return hub.read(lambda conn: conn.execute(count).scalar_one())


def test_who_signs_up_is_signed_in(hub: TestHub):
    browser = Browser(hub)
    assert "At least 8 characters" in browser.seen("/join").text
    answer = join(browser, name="Carol", fullname=" Carol C. ", email="carol@example.org")
    assert (answer.status_code, answer.headers["location"]) == (303, "/Carol")
    page = browser.seen("/settings/profile")
    assert (page.value("fullname"), page.value("email")) == ("Carol C.", "carol@example.org")
    other = Browser(hub)
    other.sign_in("carol")
    assert other.get("/settings/profile").status_code == 200


@on_sqlite
@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"name": ""}, "name", "Choose a name"),
        ({"name": "a/b"}, "name", "is not allowed"),
        ({"name": "settings"}, "name", "is reserved"),
        ({"name": "Alice"}, "name", "is taken"),
        ({"name": "acme"}, "name", "is taken"),
        ({"fullname": "a\x00b"}, "fullname", "control characters"),
        ({"fullname": "a" * 129}, "fullname", "At most 128"),
        ({"email": "no address"}, "email", "no e-mail address"),
        ({"email": "a@b\r\nBcc:c"}, "email", "no e-mail address"),
        ({"password": "short"}, "password", "At least 8"),
        ({"password": "x" * 1025}, "password", "At most 1024"),
        ({"name": "caroline", "password": "Caroline"}, "password", "first thing"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field(
    hub: TestHub, fields: dict[str, str], field: str, says: str
):
    before = people(hub)
    browser = Browser(hub)
    browser.get("/join")
    answer = join(browser, **{"fullname": "Carol C.", **fields})
    page = Seen(answer.text)
    assert answer.status_code == 422
    assert says in page.text
    assert page.describes(field) == f"{field}-wrong"
    assert page.value("fullname") == fields.get("fullname", "Carol C.").strip()
    assert page.value("password") is None
    assert people(hub) == before


@on_sqlite
@pytest.mark.parametrize("hub", ["closed"], indirect=True)
def test_a_closed_hub_takes_nobody_not_even_by_invitation(hub: TestHub):
    browser = Browser(hub)
    link = invitation(hub)
    for path in ("/join", link):
        page = browser.seen(path)
        assert "ask who runs this hub" in page.text
        assert page.value("name") is None
    browser.get("/login")
    answer = join(browser, invitation=link.partition("=")[2])
    assert answer.status_code == 403
    assert people(hub) == 4
    assert "/join" not in browser.seen("/login").links()


@by_invitation
def test_an_invitation_lets_one_in_once(hub: TestHub):
    link = invitation(hub)
    browser, late = Browser(hub), Browser(hub)
    assert "by invitation" in browser.seen("/join").text
    for one in (browser, late):
        assert one.seen(link).value("invitation") == link.partition("=")[2]
    assert join(browser, invitation=link.partition("=")[2]).status_code == 303
    answer = join(late, name="dora", invitation=link.partition("=")[2])
    assert answer.status_code == 403
    assert "has been used" in Seen(answer.text).text
    assert "has been used" in late.seen(link).text
    assert late.get("/dora").status_code == 404


@on_sqlite
@by_invitation
def test_an_invitation_is_not_used_up_by_a_form_that_is_not_taken(hub: TestHub):
    link = invitation(hub)
    browser = Browser(hub)
    browser.get(link)
    for name in ("alice", "a b"):
        assert join(browser, name=name, invitation=link.partition("=")[2]).status_code == 422
    for given in ("", "made up", link.partition("=")[2][:-1]):
        assert join(browser, invitation=given).status_code == 403
    assert join(browser, invitation=link.partition("=")[2]).status_code == 303


@on_sqlite
@by_invitation
def test_an_invitation_ends(hub: TestHub):
    link = invitation(hub, days=1)
    browser = Browser(hub)
    browser.get(link)
    hub.clock.move(days=1)
    assert join(browser, invitation=link.partition("=")[2]).status_code == 403
    assert hub.read(lambda conn: list_invitations(conn, hub.clock())) == []


@by_invitation
def test_of_two_at_once_one_wins_and_the_other_is_told(hub: TestHub):
    """Whatever was looked at before, what counts is decided in the transaction that writes."""
    first, second = invitation(hub), invitation(hub)

    def newcomer(name: str, link: str) -> Newcomer:
        return Newcomer(name, "", None, "no hash", link.partition("=")[2])

    hub.write(lambda conn: sign_up(conn, newcomer("carol", first), hub.clock()))
    with pytest.raises(UsedUp):
        hub.write(lambda conn: sign_up(conn, newcomer("dora", first), hub.clock()))
    with pytest.raises(commands.Refused, match="is taken"):
        hub.write(lambda conn: sign_up(conn, newcomer("Carol", second), hub.clock()))
    # Who lost the name keeps the invitation.
    hub.write(lambda conn: sign_up(conn, newcomer("dora", second), hub.clock()))


@by_invitation
def test_a_crowd_with_one_invitation_is_one_account(hub: TestHub):
    link = invitation(hub)
    browser = Browser(hub)
    browser.get(link)
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items()),
        "Accept": "text/html",
        "Host": "127.0.0.1",
    }

    async def crowd() -> list[int]:
        transport = httpx.ASGITransport(hub.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            forms = [
                {
                    "csrf": browser.csrf,
                    "name": f"carol{number % 2}",
                    "password": PASSWORD,
                    "invitation": link.partition("=")[2],
                }
                for number in range(6)
            ]
            answers = await asyncio.gather(
                *(client.post("/join", content=urlencode(f), headers=headers) for f in forms)
            )
            return sorted(answer.status_code for answer in answers)

    assert hub.client.portal is not None
    assert hub.client.portal.call(crowd) == [303, 403, 403, 403, 403, 403]
    assert people(hub) == 5


def test_a_command_makes_invitations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HUBKEEP_SIGN_UP", "invitation")
    monkeypatch.setenv("HUBKEEP_PUBLIC_URL", "https://hub.example.org/")
    words = ["user", "invite", "--note", "for Ada", "--data", str(tmp_path / "d")]
    made = CliRunner().invoke(main, words)
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("https://hub.example.org/join?invitation=")
    assert made.stderr == ""
    again = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)
    assert again["note"] == "for Ada"
    monkeypatch.setenv("HUBKEEP_SIGN_UP", "closed")
    assert "HUBKEEP_SIGN_UP" in CliRunner().invoke(main, words).stderr


@on_sqlite
@by_invitation
def test_what_opens_the_door_is_not_stored(hub: TestHub):
    secret = invitation(hub).partition("=")[2]
    row = hub.read(lambda conn: conn.execute(select(invitations)).mappings().one())
    assert secret not in str(dict(row))

# SPDX-License-Identifier: Apache-2.0
"""Who gets to send and fetch which files: by links and rights, never by a hash."""

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from hubkeep.db.tables import accounts, repos, tokens
from hubkeep.identity.queries_sessions import end_session_of, open_session
from hubkeep.identity.sessions import form_token
from hubkeep.kit.ids import new_id
from hubkeep.repos.types import DELETED
from tests.transfer.town import BASE, Town, as_user, named, sha

pytestmark = pytest.mark.anyio

CONTENT = b"weights" * 1000


async def test_who_only_knows_the_hash_has_to_send_the_bytes(town: Town):
    town.repo("ann/secret", private=True)
    town.repo("eve/m")
    await town.upload("ann", "ann/secret", CONTENT)

    actions = await town.actions("eve", "eve/m", CONTENT)
    links = town.links("eve/m")
    download = await town.batch("eve", "eve/m", CONTENT, operation="download")

    assert "upload" in actions
    assert links == set()
    assert download.json()["objects"][0]["error"]["code"] == 404


async def test_an_unknown_file_and_a_private_one_look_alike(town: Town):
    town.repo("ann/secret", private=True)
    town.repo("eve/m")
    await town.upload("ann", "ann/secret", CONTENT)

    for operation in ("upload", "download"):
        private = (await town.batch("eve", "eve/m", CONTENT, operation=operation)).json()
        unknown = (await town.batch("eve", "eve/m", b"unknown", operation=operation)).json()
        for answer in (private, unknown):
            one = answer["objects"][0]
            del one["oid"], one["size"]
            for action in one.get("actions", {}).values():
                del action["href"]
        assert private == unknown


async def test_a_false_size_for_a_private_file_tells_nothing(town: Town):
    town.repo("ann/secret", private=True)
    town.repo("eve/m")
    await town.upload("ann", "ann/secret", CONTENT)
    answer = await town.batch("eve", "eve/m", {**named(CONTENT), "size": 5})
    assert "error" not in answer.json()["objects"][0]


async def test_sending_the_bytes_of_a_private_file_links_it(town: Town):
    town.repo("ann/secret", private=True)
    town.repo("eve/m")
    await town.upload("ann", "ann/secret", CONTENT)
    await town.upload("eve", "eve/m", CONTENT)
    assert town.links("eve/m") == {sha(CONTENT)}


@pytest.mark.parametrize("who", ["owner", "member", "public"])
async def test_what_one_can_read_elsewhere_is_linked_without_sending(town: Town, who: str):
    owner = "lab" if who == "member" else "ann"
    if who == "member":
        town.user("lab")
        town.join("lab", "ann", "read")
    if who == "public":
        owner = "bob"
    town.repo(f"{owner}/source", private=who != "public")
    town.repo("ann/m")
    await town.upload(owner, f"{owner}/source", CONTENT)

    assert await town.actions("ann", "ann/m", CONTENT) is None
    assert town.links("ann/m") == {sha(CONTENT)}


async def test_a_gated_or_disabled_repository_lends_nothing(town: Town):
    town.repo("bob/source")
    town.repo("ann/m")
    await town.upload("bob", "bob/source", CONTENT)
    for state in ({"gated": "auto"}, {"gated": "", "disabled": True}):
        town.app.db.write_now(lambda conn, s=state: conn.execute(update(repos).values(**s)))
        assert await town.actions("ann", "ann/m", CONTENT) is not None


@pytest.mark.parametrize(
    ("user", "private", "status"),
    [
        (None, False, 401),
        (None, True, 401),
        ("bob", False, 403),
        ("bob", True, 404),
        ("ann_read", False, 403),
        ("nobody", False, 401),
    ],
)
async def test_who_may_not_write_is_refused(town: Town, user, private: bool, status: int):
    town.repo("ann/m", private=private)
    answer = await town.batch(user, "ann/m", CONTENT)
    assert answer.status_code == status
    assert ("lfs-authenticate" in answer.headers) == (status == 401)


async def test_git_lfs_signs_in_with_basic(town: Town):
    town.repo("ann/m", private=True)
    body = {"operation": "download", "objects": [named(CONTENT)]}
    answer = await town.client.post(
        "/ann/m.git/info/lfs/objects/batch", json=body, auth=("ann", "hf_ann")
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["dataset", "space", "kernel"])
async def test_every_kind_of_repository_has_the_address(town: Town, kind: str):
    town.repo("ann/m", kind=kind)
    assert (await town.batch("ann", f"{kind}s/ann/m", CONTENT)).status_code == 200
    assert (await town.batch("ann", "ann/m", CONTENT)).status_code == 404


async def revoke(town: Town) -> None:
    token = delete(tokens).where(tokens.c.user_id == town.ids["bob"], tokens.c.role == "write")
    town.app.db.write_now(lambda conn: conn.execute(token))


async def disable(town: Town) -> None:
    account = update(accounts).where(accounts.c.id == town.ids["bob"]).values(disabled=True)
    town.app.db.write_now(lambda conn: conn.execute(account))


async def take_away(town: Town) -> None:
    moved = update(repos).values(owner_id=town.ids["ann"], private=True)
    town.app.db.write_now(lambda conn: conn.execute(moved))


async def bury(town: Town) -> None:
    town.app.db.write_now(lambda conn: conn.execute(update(repos).values(type=DELETED)))


async def lock(town: Town) -> None:
    town.app.db.write_now(lambda conn: conn.execute(update(repos).values(disabled=True)))


@pytest.mark.parametrize("loss", [revoke, disable, take_away, bury, lock])
async def test_a_signed_address_ends_with_the_right_it_was_made_of(town: Town, loss):
    town.repo("bob/m")
    actions = await town.actions("bob", "bob/m", CONTENT)
    await town.upload("bob", "bob/m", b"other")
    get = await town.actions("bob", "bob/m", b"other", operation="download")
    await loss(town)

    put = await town.client.put(actions["upload"]["href"], content=CONTENT)
    verified = await town.client.post(actions["verify"]["href"], json=named(CONTENT))
    got = await town.client.get(get["download"]["href"])

    assert {put.status_code, verified.status_code, got.status_code} <= {403, 404}
    assert town.links("bob/m") == {sha(b"other")}


async def test_a_browser_sends_files_for_as_long_as_its_session_lasts(town: Town):
    """The cookie alone sends nothing: it comes along whoever has the browser ask."""
    town.repo("bob/m", private=True)
    bob, secret = town.ids["bob"], "a secret of a session"
    now = town.time()
    town.app.db.write_now(lambda conn: open_session(conn, bob, secret, "", now))
    cookie = {"Cookie": f"hubkeep={secret}"}
    own = {**cookie, "x-csrf-token": form_token(secret)}
    foreign = {**cookie, "x-csrf-token": form_token("another")}

    async def ask(headers: dict[str, str]):
        body = {"operation": "upload", "objects": [named(CONTENT)]}
        address = "/bob/m/info/lfs/objects/batch"
        return await town.client.post(address, json=body, headers=headers)

    refused = [await ask(headers) for headers in (cookie, foreign)]
    hrefs = [
        (await ask(own)).json()["objects"][0]["actions"]["upload"]["href"],
        (await town.actions("bob", "bob/m", CONTENT))["upload"]["href"],
    ]
    town.app.db.write_now(lambda conn: end_session_of(conn, secret))
    sent = [(await town.client.put(href, content=CONTENT)).status_code for href in hrefs]

    assert [answer.status_code for answer in refused] == [401, 401]
    # What is no script of a page is asked for a name and a password.
    assert ["www-authenticate" in answer.headers for answer in refused] == [True, False]
    assert sent == [403, 200]


async def test_what_lets_one_write_is_not_given_for_a_cookie_alone(town: Town):
    town.repo("bob/m")
    bob, secret = town.ids["bob"], "a secret of a session"
    town.app.db.write_now(lambda conn: open_session(conn, bob, secret, "", town.time()))
    cookie = {"Cookie": f"hubkeep={secret}"}
    own = {**cookie, "x-csrf-token": form_token(secret)}
    status: dict[str, list[int]] = {}
    for path in (
        "/api/models/bob/m/xet-write-token",
        "/bob/m.git/info/refs?service=git-receive-pack",
        "/api/models/bob/m/xet-read-token/main",
    ):
        answers = [await town.client.get(path, headers=headers) for headers in (cookie, own)]
        status[path] = [one.status_code for one in answers]
    assert list(status.values()) == [[401, 200], [401, 200], [200, 200]]


async def test_an_address_is_not_its_successors_who_got_the_same_row(quick_town: Town):
    """SQLite gives the id of the newest row again, once that is gone."""
    town = quick_town
    town.user("makers")
    town.app.db.write_now(lambda conn: conn.execute(update(accounts).values(kind="org")))
    town.repo("makers/m", private=True)
    repo = "makers/m"

    def begin(name: str) -> dict[str, str]:
        town.user(name)
        town.join("makers", name, "write")
        secret = f"session of {name}"
        town.app.db.write_now(
            lambda conn: open_session(conn, town.ids[name], secret, "", town.time())
        )
        return {"Cookie": f"hubkeep={secret}", "x-csrf-token": form_token(secret)}

    async def rights(name: str, session: dict[str, str]) -> list[str]:
        """Who came by a token, and who by a session."""
        found = []
        for headers in (as_user(name), session):
            body = {"operation": "upload", "objects": [named(CONTENT)]}
            answer = await town.client.post(
                f"/{repo}/info/lfs/objects/batch", json=body, headers=headers
            )
            found.append(answer.json()["objects"][0]["actions"]["upload"]["href"])
        return found

    async def sent(hrefs: list[str]) -> list[int]:
        return [(await town.client.put(href, content=CONTENT)).status_code for href in hrefs]

    before = await rights("zoe", begin("zoe"))
    gone = delete(accounts).where(accounts.c.id == town.ids["zoe"])
    town.app.db.write_now(lambda conn: conn.execute(gone))
    session = begin("yve")
    assert town.ids["yve"] == town.ids["zoe"]
    after = await rights("yve", session)
    assert await sent(before) == [403, 403]

    def renew(conn: Connection) -> None:
        end_session_of(conn, "session of yve")
        open_session(conn, town.ids["yve"], "session of yve", "", town.time())
        mine = (tokens.c.user_id == town.ids["yve"]) & (tokens.c.role == "write")
        row = dict(conn.execute(select(tokens).where(mine)).mappings().one())
        conn.execute(delete(tokens).where(mine))
        conn.execute(insert(tokens).values(row | {"public_id": new_id()}))

    assert await sent(after[:1]) == [200]
    town.app.db.write_now(renew)
    assert await sent(after) == [403, 403]


async def test_a_right_lost_while_the_bytes_come_links_nothing(town: Town):
    town.repo("bob/m")
    href = (await town.actions("bob", "bob/m", CONTENT))["upload"]["href"]

    async def pieces():
        yield CONTENT[:100]
        await take_away(town)
        yield CONTENT[100:]

    answer = await town.client.put(href, content=pieces())

    assert answer.status_code == 403
    assert town.links("bob/m") == set()


async def test_an_address_holds_for_its_time_its_purpose_and_its_hub(town: Town):
    town.repo("ann/m")
    actions = await town.actions("ann", "ann/m", CONTENT)
    token = actions["upload"]["href"].rpartition("/")[2]
    body, _, mac = token.partition(".")
    flipped = ("B" if body[5] == "A" else "A").join((body[:5], body[6:]))

    bad = [
        f"{BASE}/lfs/objects/{flipped}.{mac}",
        f"{BASE}/lfs/objects/{body}.{mac[:-4]}",
        f"{BASE}/lfs/objects/{body}",
        f"{BASE}/lfs/objects/%FF%00.%C3",
        f"{BASE}/lfs/parts/{token}/1",
        actions["verify"]["href"].replace("/verify/", "/objects/"),
    ]
    statuses = {(await town.client.put(url, content=CONTENT)).status_code for url in bad}
    got = (await town.client.get(actions["upload"]["href"])).status_code
    town.time.pass_days(1)
    late = (await town.client.put(actions["upload"]["href"], content=CONTENT)).status_code

    assert (statuses, got, late) == ({403}, 403, 403)
    assert town.links("ann/m") == set()

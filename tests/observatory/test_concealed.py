# SPDX-License-Identifier: Apache-2.0
"""What strangers may not see any more is known by name: every way to hide something, on both
databases.
"""

from collections.abc import Sequence

import pytest
from sqlalchemy import update

from hubkeep.db.tables import accounts
from hubkeep.identity import commands
from hubkeep.observatory.queries_concealed import Hidden, forget_concealed, hidden_since
from tests.harness.hub import TestHub
from tests.repos.world import World

MINUTE = 60_000


@pytest.fixture
def world(hub: TestHub) -> World:
    """Ada, who also administers the hub, her organisation, and public repositories of each kind."""
    made = World(hub)
    made.user("ada", is_admin=True)
    made.user("ben")
    made.org("lab", ada="admin")
    for kind in ("model", "dataset", "space", "kernel"):
        made.repo("ada/Thing", kind=kind)
    hub.clock.move(hours=1)
    return made


def hidden(world: World, hours: float = 0) -> Sequence[tuple[str, str]]:
    """What snapshots of the last so many hours are to leave out, besides those of a minute ago."""
    oldest = world.hub.clock() - round(hours * 60 * MINUTE)
    found = world.hub.read(lambda conn: hidden_since(conn, oldest))
    return [(one.type, one.path) for one in found]


def close(world: World, kind: str, path: str, private: bool = True) -> None:
    address = f"/api/{kind}s/{path}/settings"
    assert world.call("PUT", address, "ada", {"private": private}).status_code == 200


def move(world: World, kind: str, old: str, new: str) -> None:
    body = {"fromRepo": old, "toRepo": new, "type": kind}
    assert world.call("POST", "/api/repos/move", "ada", body).status_code == 200


def delete(world: World, kind: str, name: str) -> None:
    answer = world.call("DELETE", "/api/repos/delete", "ada", {"name": name, "type": kind})
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["model", "dataset", "space", "kernel"])
def test_every_way_to_hide_a_repository_is_noted(world: World, kind: str):
    close(world, kind, "ada/Thing")
    assert hidden(world) == [(kind, "ada/Thing")]
    close(world, kind, "ada/Thing", private=False)
    assert hidden(world) == []
    move(world, kind, "ada/Thing", "lab/Other")
    assert hidden(world) == [(kind, "ada/Thing")]
    close(world, kind, "lab/Other")
    assert hidden(world) == [(kind, "ada/Thing"), (kind, "lab/Other")]
    close(world, kind, "lab/Other", private=False)
    assert hidden(world) == [(kind, "ada/Thing")]
    move(world, kind, "lab/Other", "ada/Thing")
    assert hidden(world) == [(kind, "lab/Other")]
    delete(world, kind, "Thing")
    assert hidden(world) == [(kind, "ada/Thing"), (kind, "lab/Other")]
    # The job that clears away what was deleted takes nothing out of it.
    world.hub.run_jobs()
    assert hidden(world) == [(kind, "ada/Thing"), (kind, "lab/Other")]


def test_what_never_was_public_is_not_named(world: World):
    world.repo("ada/secret", private=True)
    move(world, "model", "ada/secret", "lab/secret")
    assert world.call(
        "DELETE", "/api/repos/delete", "ada", {"name": "secret", "organization": "lab"}
    ).is_success
    assert hidden(world) == []


def test_what_is_renamed_while_it_is_private_stays_hidden_by_all_its_names(world: World):
    close(world, "model", "ada/Thing")
    move(world, "model", "ada/Thing", "ada/second")
    close(world, "model", "ada/second", private=False)
    assert hidden(world) == [("model", "ada/Thing")]
    world.hub.clock.move(hours=2)
    delete(world, "model", "second")
    # Names that led to it are hidden with it, in snapshots from between too.
    assert hidden(world) == [("model", "ada/second"), ("model", "ada/Thing")]


def test_a_name_that_another_has_taken_is_hidden_before_that_alone(world: World):
    move(world, "model", "ada/Thing", "lab/thing")
    moved = world.hub.clock()
    world.hub.clock.move(hours=1)
    world.repo("ada/thing")
    found = world.hub.read(lambda conn: hidden_since(conn, moved - MINUTE))
    assert found == [Hidden("model", "ada/Thing", moved + MINUTE)]
    assert found[0].key == "ada/thing"
    assert hidden(world) == []


def test_a_change_in_a_transaction_that_ends_late_is_told_for_a_minute_more(world: World):
    close(world, "model", "ada/Thing")
    world.hub.clock.move(seconds=50)
    assert hidden(world) == [("model", "ada/Thing")]
    world.hub.clock.move(seconds=11)
    assert hidden(world) == []
    assert hidden(world, hours=1) == [("model", "ada/Thing")]


def test_accounts_that_are_disabled_or_deleted_are_noted(world: World):
    hub = world.hub
    hub.write(lambda conn: commands.set_disabled(conn, "BEN", True, hub.clock()))
    assert hidden(world) == [("account", "ben")]
    hub.write(lambda conn: commands.set_disabled(conn, "ben", False, hub.clock()))
    assert hidden(world) == []
    hub.write(lambda conn: commands.delete_account(conn, "user", "ben", hub.clock()))
    hub.write(lambda conn: commands.delete_account(conn, "org", "lab", hub.clock()))
    assert hidden(world) == [("account", "ben"), ("account", "lab")]


def test_what_was_hidden_before_the_oldest_snapshot_is_forgotten(world: World):
    close(world, "model", "ada/Thing")
    world.hub.clock.move(hours=1)
    close(world, "dataset", "ada/Thing")
    oldest = world.hub.clock()
    assert world.hub.write(lambda conn: forget_concealed(conn, oldest)) == 1
    assert hidden(world, hours=2) == [("dataset", "ada/Thing")]


def test_a_change_that_is_undone_leaves_no_note(world: World):
    def work(conn):
        commands.set_disabled(conn, "ben", True, world.hub.clock())
        raise LookupError

    with pytest.raises(LookupError):
        world.hub.write(work)
    assert hidden(world) == []
    is_out = update(accounts).where(accounts.c.name == "ben", accounts.c.disabled)
    assert world.hub.write(lambda conn: conn.execute(is_out.values(fullname="x")).rowcount) == 0

# SPDX-License-Identifier: Apache-2.0
"""All kinds of jobs run on a hub, whatever is in it, and twice in a row."""

import pytest

from hubkeep.job_kinds import all_kinds, periodic
from tests.harness.hub import TestHub


def test_all_run_and_nothing_is_left(hub: TestHub):
    for name in ("kept", "gone"):
        body = {"name": name, "type": "model"}
        assert hub.post("/api/repos/create", token=hub.tokens.alice, json=body).status_code == 200
    assert (
        hub.request(
            "DELETE", "/api/repos/delete", token=hub.tokens.alice, json={"name": "gone"}
        ).status_code
        == 200
    )
    assert hub.run_jobs() == len(periodic())
    hub.clock.move(days=8)
    assert hub.run_jobs() == len(periodic())
    assert hub.get("/api/models/alice/kept").status_code == 200


def test_every_kind_says_why():
    for kind in all_kinds().values():
        assert kind.__doc__


@pytest.mark.parametrize("each", periodic(), ids=lambda each: each.job.KIND)
def test_what_comes_round_is_known(each):
    assert each.job.KIND in all_kinds()

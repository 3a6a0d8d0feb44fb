# SPDX-License-Identifier: Apache-2.0
"""Values that a database does not hold: answered as what is not there, never by a failure."""

import base64
import json

import pytest

from tests.content.shelf import Shelf
from tests.harness.hub import TestHub, on_sqlite

TOO_MUCH = 2**63


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


@pytest.mark.parametrize(
    "path",
    [
        "/api/models/alice/shelf/likers",
        "/api/users/alice/likes",
        "/api/organizations/acme/members",
        "/api/organizations/acme/settings/repositories",
        "/api/settings/repositories",
        "/api/models/alice/shelf/lfs-files",
    ],
)
def test_cursors_hold_what_a_database_holds(shelf: Shelf, path: str):
    for position in (TOO_MUCH, -1, [TOO_MUCH, 1], [1, TOO_MUCH], [-(2**70), 0]):
        cursor = base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")
        answer = shelf.hub.get(f"{path}?cursor={cursor}", token=shelf.token)
        assert answer.status_code == 400, (position, answer.text)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/models/%00", None),
        ("GET", "/api/models/alice/a%00b", None),
        ("GET", "/alice/%00/resolve/main/x", None),
        ("GET", "/api/users/%00/overview", None),
        ("GET", "/api/organizations/%00/members", None),
        ("DELETE", "/api/repos/delete", {"name": "\0"}),
        ("POST", "/api/repos/move", {"fromRepo": "alice/\0", "toRepo": "alice/x"}),
        ("POST", "/api/models/alice/shelf/lfs-files/batch", {"deletions": {"sha": ["\0"]}}),
    ],
)
def test_a_name_with_a_nul_names_nothing(shelf: Shelf, method: str, path: str, body: object):
    how = {} if body is None else {"json": body}
    answer = shelf.hub.request(method, path, token=shelf.token, **how)
    assert answer.status_code == 404, answer.text


def test_nothing_is_made_in_a_namespace_with_a_nul(shelf: Shelf):
    for path, body in (
        ("/api/repos/create", {"name": "x", "organization": "\0"}),
        ("/api/repos/move", {"fromRepo": shelf.path, "toRepo": "\0/x"}),
        (f"{shelf.api}/duplicate", {"repository": "\0/x"}),
    ):
        assert shelf.hub.post(path, token=shelf.token, json=body).status_code == 403


def test_history_ends_however_far_one_skips(shelf: Shelf):
    answer = shelf.hub.get(f"{shelf.api}/commits/main?p=10000000&limit=1000", token=shelf.token)
    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["x-total-count"] == "1"


@on_sqlite
def test_a_date_that_no_calendar_has_is_passed_over(shelf: Shelf):
    date = {"If-Modified-Since": "Mon, 99999999999 Jan 2020 00:00:00 GMT"}
    assert shelf.file(".gitattributes", headers=date).status_code == 200

# SPDX-License-Identifier: Apache-2.0
"""The coverage table says of each address what the hub does there."""

import re

import pytest

from tests.harness.hub import TestHub, on_sqlite
from tools.api_table import State, Table
from tools.contract import Endpoint, read_contract

ENDPOINTS = [endpoint for area in read_contract() for endpoint in area.endpoints]


@on_sqlite
def test_the_hub_answers_as_the_table_says(hub: TestHub):
    table = Table()
    for endpoint in ENDPOINTS:
        state = table.state(endpoint)
        for pattern in endpoint.patterns:
            status = hub.request(endpoint.method, _an_address(pattern)).status_code
            place = f"{endpoint.method} {pattern} is {state} and answers {status}"
            assert (status == 501) is (state is State.LATER), place
            assert not (state is State.UNKNOWN and status < 400), place


def test_a_repository_of_that_name_is_no_endpoint():
    # `GET /api/spaces/{name}` is routed for the one-segment ids of old.
    assert Table().state(Endpoint("GET", ("/api/spaces/no-such-endpoint",))) is State.UNKNOWN


def test_an_endpoint_is_as_good_as_its_worst_spelling():
    spellings = ("/api/whoami-v2", "/api/no-such-endpoint/at-all")
    assert Table().state(Endpoint("GET", spellings)) is State.UNKNOWN


def test_areas_are_numbered_and_no_endpoint_is_in_two():
    assert [area.number for area in read_contract()] == list(range(27))
    assert len(set(ENDPOINTS)) == len(ENDPOINTS)


@pytest.mark.parametrize("text", ["GET /api", "= 1 P0 x\nFETCH /api", "= 1 P9x", "= 1 P0 x\nGET"])
def test_a_line_that_says_nothing_is_named(text: str):
    with pytest.raises(ValueError, match="line"):
        read_contract(text)


def _an_address(pattern: str) -> str:
    written_out = pattern.replace("{T}", "models").replace("{web}", "").replace("{repo}", "x/y")
    return re.sub(r"\{\w+\*?\}", "x", written_out)

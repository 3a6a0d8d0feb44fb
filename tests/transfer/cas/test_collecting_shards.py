# SPDX-License-Identifier: Apache-2.0
"""What shards take up and let go of, as far as collecting goes by it."""

import pytest

from tests.transfer.cas.parcels import keep, made_of, parcel, post
from tests.transfer.cas.world import make_xorb, row_of, store_of
from tests.transfer.town import Town

pytestmark = pytest.mark.anyio


async def test_a_xorb_that_no_file_got_is_still_collected_in_time(town: Town):
    """The file is there already, made of another xorb with the same chunks."""
    town.repo("ann/m")
    one = make_xorb()
    two = make_xorb([*one.chunks, b"more"])
    await keep(town, "ann", one, two)
    sent, again = made_of((one, 0, 3)), made_of((two, 0, 3))
    assert sent.hash == again.hash
    for body in (parcel(sent), parcel(again)):
        town.time.pass_days(1)
        store = await store_of(town, "ann", "ann/m")
        assert (await post(store, body)).status_code == 200
    assert row_of(town, one).unlinked_at is None
    # From now on: its sender remembers to have sent it.
    assert row_of(town, two).unlinked_at == town.time()

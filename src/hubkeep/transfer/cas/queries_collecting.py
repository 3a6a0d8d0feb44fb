# SPDX-License-Identifier: Apache-2.0
"""SQL of xorbs that no file needs any more.

They go as files do (`transfer.queries_collecting`): a grace time after they lost their last file,
row and bytes in one step under the row's lock. Who sends or names a xorb renews `unlinked_at` or
takes it away before it relies on the row.
"""

from sqlalchemy import Connection, delete, select, update

from hubkeep.db.tables import file_xorbs, xorbs
from hubkeep.kit.batches import batches
from hubkeep.kit.time import Millis


def let_go_of_xorbs(conn: Connection, file_id: int, now: Millis) -> None:
    """Take a file's xorbs from it; those that no other file needs are unlinked from `now` on."""
    held = select(file_xorbs.c.xorb_id).where(file_xorbs.c.file_id == file_id)
    ids = sorted(conn.execute(held).scalars())
    for some in batches(ids):
        # Locked first, so that of two files that let go at once the later one sees that it is the
        # last.
        conn.execute(
            select(xorbs.c.id)
            .where(xorbs.c.id.in_(some))
            .order_by(xorbs.c.id)
            .with_for_update(key_share=True)
        )
        conn.execute(
            delete(file_xorbs).where(
                file_xorbs.c.file_id == file_id, file_xorbs.c.xorb_id.in_(some)
            )
        )
        still = select(file_xorbs.c.file_id).where(file_xorbs.c.xorb_id == xorbs.c.id).exists()
        conn.execute(update(xorbs).where(xorbs.c.id.in_(some), ~still).values(unlinked_at=now))

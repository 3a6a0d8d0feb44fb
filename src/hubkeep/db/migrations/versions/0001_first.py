# SPDX-License-Identifier: Apache-2.0
"""The first schema."""

from alembic import op

from hubkeep.db.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())

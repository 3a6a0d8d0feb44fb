# SPDX-License-Identifier: Apache-2.0
"""Names that strangers may not see any more, though older snapshots of the hub hold them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "concealed",
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(8), nullable=False),
        sa.Column("path_key", sa.String(193), nullable=False),
        sa.Column("path", sa.String(193), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "type", "path_key", name="pk_concealed"),
    )
    op.create_index("ix_concealed_at", "concealed", ["at"])

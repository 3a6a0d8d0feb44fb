# SPDX-License-Identifier: Apache-2.0
"""Pictures of accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "avatars",
        sa.Column("account_id", key, nullable=False, autoincrement=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_avatars"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_avatars_account_id", ondelete="CASCADE"
        ),
    )

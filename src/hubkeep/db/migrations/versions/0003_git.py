# SPDX-License-Identifier: Apache-2.0
"""Git over HTTP: locks of git-lfs, and failed sign-ins by password."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "lfs_locks",
        sa.Column("id", key, nullable=False),
        sa.Column("repo_id", key, nullable=False),
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("ref", sa.String(length=512), nullable=True),
        sa.Column("owner_id", key, nullable=False),
        sa.Column("locked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lfs_locks"),
        sa.UniqueConstraint("public_id", name="uq_lfs_locks_public_id"),
        sa.UniqueConstraint("repo_id", "path", name="uq_lfs_locks_repo_id_path"),
        sa.ForeignKeyConstraint(
            ["repo_id"], ["repos.id"], name="fk_lfs_locks_repo_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["accounts.id"], name="fk_lfs_locks_owner_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_lfs_locks_owner_id", "lfs_locks", ["owner_id"])
    op.create_table(
        "failed_sign_ins",
        sa.Column("name_key", sa.String(length=96), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name_key", name="pk_failed_sign_ins"),
    )
    op.create_index("ix_failed_sign_ins_since", "failed_sign_ins", ["since"])

# SPDX-License-Identifier: Apache-2.0
"""Pages: sessions of browsers, invitations to sign up, and accounts found by how they begin."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "sessions",
        sa.Column("id", key, nullable=False),
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", key, nullable=False),
        sa.Column("agent", sa.String(length=256), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("hash", name="uq_sessions_hash"),
        sa.UniqueConstraint("public_id", name="uq_sessions_public_id"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts.id"], name="fk_sessions_user_id", ondelete="CASCADE"
        ),
    )
    for column in ("user_id", "expires_at"):
        op.create_index(f"ix_sessions_{column}", "sessions", [column])
    op.create_table(
        "invitations",
        sa.Column("id", key, nullable=False),
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.String(length=256), server_default="", nullable=False),
        sa.Column("made_by", key, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("hash", name="uq_invitations_hash"),
        sa.UniqueConstraint("public_id", name="uq_invitations_public_id"),
        sa.ForeignKeyConstraint(
            ["made_by"], ["accounts.id"], name="fk_invitations_made_by", ondelete="CASCADE"
        ),
    )
    for column in ("made_by", "expires_at"):
        op.create_index(f"ix_invitations_{column}", "invitations", [column])
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("accounts", "name_key", type_=sa.String(96, collation="C"))

# SPDX-License-Identifier: Apache-2.0
"""Xet: files as chunks of xorbs, and the hash by which a repository knows each of its files."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _files()
    _xorbs()
    _terms()


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _files() -> None:
    op.add_column("files", sa.Column("xet_hash", sa.LargeBinary(), nullable=True))
    op.add_column(
        "files", sa.Column("whole", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.add_column("files", sa.Column("spare_since", sa.BigInteger(), nullable=True))
    for column in ("checked_at", "damaged_at"):
        op.add_column("files", sa.Column(column, sa.BigInteger(), nullable=True))
    # They were hashed as they came.
    op.execute("UPDATE files SET checked_at = created_at")
    for column in ("checked_at", "damaged_at", "spare_since"):
        op.create_index(f"ix_files_{column}", "files", [column])
    op.create_index("ix_files_xet_hash", "files", ["xet_hash"], unique=True)
    op.create_index(
        "ix_files_unchecked",
        "files",
        ["created_at"],
        sqlite_where=sa.text("sha256 IS NULL"),
        postgresql_where=sa.text("sha256 IS NULL"),
    )
    for name, which in (
        ("ix_files_convertible", sa.text("xet_hash IS NULL AND size >= 65536")),
        ("ix_files_twofold", sa.text("xet_hash IS NOT NULL AND whole")),
    ):
        op.create_index(name, "files", ["id"], sqlite_where=which, postgresql_where=which)
    op.add_column("repo_files", sa.Column("oid", sa.LargeBinary(), nullable=True))
    op.execute(
        "UPDATE repo_files SET oid = "
        "(SELECT files.sha256 FROM files WHERE files.id = repo_files.file_id)"
    )
    op.create_index("ix_repo_files_oid", "repo_files", ["repo_id", "oid"])


def _xorbs() -> None:
    op.create_table(
        "xorbs",
        sa.Column("id", _id(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("raw_size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("chunks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ready", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("unlinked_at", sa.BigInteger(), nullable=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("damaged_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_xorbs"),
        sa.UniqueConstraint("hash", name="uq_xorbs_hash"),
    )
    for column in ("checked_at", "damaged_at", "unlinked_at"):
        op.create_index(f"ix_xorbs_{column}", "xorbs", [column])
    op.create_table(
        "xorb_chunks",
        sa.Column("xorb_id", _id(), nullable=False),
        sa.Column("ends", sa.LargeBinary(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("xorb_id", name="pk_xorb_chunks"),
        sa.ForeignKeyConstraint(
            ["xorb_id"], ["xorbs.id"], name="fk_xorb_chunks_xorb_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "xorb_senders",
        sa.Column("xorb_id", _id(), nullable=False),
        sa.Column("user_id", _id(), nullable=False),
        sa.PrimaryKeyConstraint("xorb_id", "user_id", name="pk_xorb_senders"),
        sa.ForeignKeyConstraint(
            ["xorb_id"], ["xorbs.id"], name="fk_xorb_senders_xorb_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts.id"], name="fk_xorb_senders_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_xorb_senders_user_id", "xorb_senders", ["user_id"])
    op.create_table(
        "dedup_chunks",
        sa.Column("chunk", sa.LargeBinary(length=32), nullable=False),
        sa.Column("xorb_id", _id(), nullable=False),
        sa.PrimaryKeyConstraint("chunk", "xorb_id", name="pk_dedup_chunks"),
        sa.ForeignKeyConstraint(
            ["xorb_id"], ["xorbs.id"], name="fk_dedup_chunks_xorb_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_dedup_chunks_xorb_id", "dedup_chunks", ["xorb_id"])


def _terms() -> None:
    op.create_table(
        "file_terms",
        sa.Column("file_id", _id(), nullable=False),
        sa.Column("raw_start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", "raw_start", name="pk_file_terms"),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name="fk_file_terms_file_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "file_xorbs",
        sa.Column("file_id", _id(), nullable=False),
        sa.Column("xorb_id", _id(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", "xorb_id", name="pk_file_xorbs"),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name="fk_file_xorbs_file_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["xorb_id"], ["xorbs.id"], name="fk_file_xorbs_xorb_id"),
    )
    op.create_index("ix_file_xorbs_xorb_id", "file_xorbs", ["xorb_id"])

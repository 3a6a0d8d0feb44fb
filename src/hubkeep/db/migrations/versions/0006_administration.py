# SPDX-License-Identifier: Apache-2.0
"""Indexes for what administrators look at: repositories by size, jobs by kind, some accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("ix_repos_by_used_storage", "repos", ["type", "private", "used_storage", "id"])
    op.create_index("ix_jobs_kind", "jobs", ["kind", "failed", "run_at"])
    leased = sa.text("lease_until IS NOT NULL")
    op.create_index(
        "ix_jobs_lease_until",
        "jobs",
        ["lease_until"],
        sqlite_where=leased,
        postgresql_where=leased,
    )
    op.create_index("ix_accounts_kind", "accounts", ["kind", "name_key"])
    op.create_index("ix_accounts_email", "accounts", ["email"])
    for column in ("is_admin", "disabled"):
        op.create_index(
            f"ix_accounts_{column}",
            "accounts",
            ["kind", "name_key"],
            sqlite_where=sa.text(column),
            postgresql_where=sa.text(column),
        )

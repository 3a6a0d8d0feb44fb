# SPDX-License-Identifier: Apache-2.0
"""What snapshots tell of a repository and only its facts told so far. Null until its next commit
that changes what it says of itself.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("repos", sa.Column("has_card", sa.Boolean()))
    op.add_column("repos", sa.Column("weight_formats", sa.String(32)))
    op.add_column("repos", sa.Column("parameters_from", sa.String(16)))
    op.add_column("repos", sa.Column("emissions_text", sa.String(200)))

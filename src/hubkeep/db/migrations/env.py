# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: migrations run on the connection, and in the transaction, of the caller."""

from alembic import context

from hubkeep.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()

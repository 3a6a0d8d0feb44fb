# SPDX-License-Identifier: Apache-2.0
"""Engines, tables, the unit of work and migrations."""

from hubkeep.db.engine import Database
from hubkeep.db.errors import DatabaseError, DatabaseFull, DatabaseUnavailable, WrongSchema

__all__ = ["Database", "DatabaseError", "DatabaseFull", "DatabaseUnavailable", "WrongSchema"]

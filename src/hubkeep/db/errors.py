# SPDX-License-Identifier: Apache-2.0
"""What a database can fail with, in the hub's own words."""


class DatabaseError(Exception):
    """Base of this module's errors."""


class DatabaseFull(DatabaseError):
    """No space for a write; nothing was written, reading goes on."""


class DatabaseUnavailable(DatabaseError):
    """The database is down or busy for too long; the same call may succeed later."""


class WrongSchema(DatabaseError):
    """The schema is not the one of this program; the text says which command helps."""

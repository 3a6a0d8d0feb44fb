# SPDX-License-Identifier: Apache-2.0
"""A user or an organisation as lists show it."""

import msgspec

from hubkeep.identity.actor import Account


class PersonRow(msgspec.Struct, rename="camel"):
    """`kind` is `user` or `org`; `fullname` is empty where it says no more than the name."""

    name: str
    fullname: str
    kind: str


class Person(msgspec.Struct, rename="camel"):
    """Somebody among others; `role` is null for who may not see it."""

    name: str
    fullname: str
    role: str | None = None


def person_row(account: Account) -> PersonRow:
    """Return what lists show of an account."""
    fullname = account.fullname if account.fullname != account.name else ""
    return PersonRow(account.name, fullname, account.kind)

# SPDX-License-Identifier: Apache-2.0
"""Names of accounts and repositories: what is allowed, and what is reserved for addresses."""

import re

MAX_LENGTH = 96

# Hugging Face's rule for both parts of a repository's id (`validate_repo_id` in the client).
_NAME = re.compile(r"[\w\-.]{1,96}", re.ASCII)
# Technical accounts of test set-ups are called __LIKE_THIS__.
_DUNDER = re.compile(r"__[A-Za-z0-9_\-.]*[A-Za-z0-9][A-Za-z0-9_\-.]*__")

# First segments of addresses that are, or will be, the hub's own: no account may be called so.
_RESERVED_WORDS = (
    "admin api assets avatars blog buckets cas changelog chat collections console content "
    "datasets design discussions docs downloads enterprise events explore favicon.ico files follow "
    "healthz help hub-docs inference insights join kernels learn lfs login logout main me "
    "metrics model models new notifications oauth organizations papers posts pricing privacy "
    "public raw readyz resolve robots.txt rss search security sessions settings signup "
    "snapshots social spaces static status storage support tasks teams telemetry terms tos "
    "tree trending upload uploads user users v1 v2 web webhooks well-known .well-known"
)
RESERVED = frozenset(_RESERVED_WORDS.split())


class BadName(ValueError):
    """The name cannot be used; the text says why."""


def check_name(name: str, what: str = "name") -> None:
    """Raise BadName unless `name` may be one part of a repository's id."""
    if not _NAME.fullmatch(name):
        raise BadName(
            f"{what} {name[:100]!r} is not allowed: use 1 to {MAX_LENGTH} letters, digits, "
            "'-', '_' and '.'"
        )
    if _DUNDER.fullmatch(name):
        return
    if "--" in name or ".." in name:
        raise BadName(f"{what} {name!r} is not allowed: '--' and '..' are forbidden")
    if name[0] in "-." or name[-1] in "-.":
        raise BadName(f"{what} {name!r} is not allowed: it may not start or end with '-' or '.'")
    if name.lower().endswith(".git"):
        raise BadName(f"{what} {name!r} is not allowed: it may not end with '.git'")


def check_account_name(name: str) -> None:
    """Raise BadName unless a user or an organisation may be called so."""
    check_name(name, "account name")
    if name.lower() in RESERVED:
        raise BadName(f"account name {name!r} is reserved for the hub's own addresses")


def key(name: str) -> str:
    """Return the form under which a name is looked up: names are ASCII, so lower case is enough."""
    return name.lower()

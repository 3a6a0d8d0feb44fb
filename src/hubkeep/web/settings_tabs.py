# SPDX-License-Identifier: Apache-2.0
"""What the pages have in common on which people set up their own accounts."""

from collections.abc import Sequence

from hubkeep.web.repo_head import Link

HEADING = "Settings"
_TABS = (
    ("Profile", "profile"),
    ("Password", "password"),
    ("Sessions", "sessions"),
    ("Access tokens", "tokens"),
)


def settings_tabs(current: str) -> Sequence[Link]:
    """Return the tabs of the settings, with the page that is looked at marked."""
    return [Link(name, f"/settings/{page}", page == current) for name, page in _TABS]

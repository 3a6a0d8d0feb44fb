# SPDX-License-Identifier: Apache-2.0
"""The content security policy of the hub's pages: what the hub serves, and nothing that stands in
the page itself.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The origins besides the hub's own that a page cannot do without, by what for."""

    frames: tuple[str, ...] = ()
    """Whose pages it frames."""
    files: tuple[str, ...] = ()
    """Where pictures, sounds and films come from, and where its scripts send and fetch files."""


NOWHERE = Elsewhere()


def policy(elsewhere: Elsewhere = NOWHERE) -> str:
    """Return the policy of a page."""
    frames = " ".join(elsewhere.frames) or "'none'"
    files = "".join(f" {origin}" for origin in elsewhere.files)
    return (
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
        f"font-src 'self'; img-src 'self' data:{files}; media-src 'self'{files}; "
        f"connect-src 'self'{files}; frame-src {frames}; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
    )

# SPDX-License-Identifier: Apache-2.0
"""Who looks on while a hub is read."""

from typing import Protocol


class Report(Protocol):
    """Is told how far a crawl is, by any of its threads."""

    def step(self, text: str) -> None:
        """Something begins that is worth a line."""
        ...

    def expect(self, name: str, total: int) -> None:
        """So many rows a list has, or had when it was read last."""
        ...

    def rows(self, name: str, count: int, *, was_kept: bool = False) -> None:
        """So many more rows of a list are there; with `was_kept` from a run before this one."""
        ...

    def waits(self, seconds: float) -> None:
        """The hub wants no request for so long."""
        ...


class Silent:
    """Tells nobody."""

    def step(self, text: str) -> None:
        """Nothing."""

    def expect(self, name: str, total: int) -> None:
        """Nothing."""

    def rows(self, name: str, count: int, *, was_kept: bool = False) -> None:
        """Nothing."""

    def waits(self, seconds: float) -> None:
        """Nothing."""

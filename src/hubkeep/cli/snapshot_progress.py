# SPDX-License-Identifier: Apache-2.0
"""How far a crawl is, on the last line of a terminal."""

import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import click

from hubkeep.cli.common import visible

_EVERY = 0.5


@dataclass(slots=True)
class _List:
    rows: int = 0
    kept: int = 0
    total: int | None = None
    began: float | None = None


class Progress:
    """Shows rows, their rate and the time that is left; nothing where nobody looks on.

    Any thread may tell it. Where it goes on with an earlier run it says so, also to a log.
    """

    def __init__(
        self, is_shown: bool | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._is_shown = sys.stderr.isatty() if is_shown is None else is_shown
        self._clock = clock
        self._lists: dict[str, _List] = {}
        self._lock = threading.Lock()
        self._drawn = float("-inf")
        self._until = float("-inf")

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._clear()

    def step(self, text: str) -> None:
        """Say what is done next."""
        with self._lock:
            self._clear()
            if self._is_shown or text.startswith("going on"):
                click.echo(f"{visible(text)} ...", err=True)

    def expect(self, name: str, total: int) -> None:
        """Reckon with so many rows of a list."""
        with self._lock:
            self._list(name).total = total

    def rows(self, name: str, count: int, *, was_kept: bool = False) -> None:
        """Count rows of a list."""
        with self._lock:
            one = self._list(name)
            one.rows += count
            if was_kept:
                one.kept += count
            elif one.began is None:
                one.began = self._clock()
                # The first page says nothing of how fast pages come.
                one.kept += count
            self._draw()

    def waits(self, seconds: float) -> None:
        """Say that the hub wants to be left alone for so long."""
        with self._lock:
            self._until = max(self._until, self._clock() + seconds)
            self._draw(at_once=True)

    def line(self) -> str:
        """Return what is shown now."""
        parts = [self._text(name, one) for name, one in self._lists.items() if one.rows]
        wait = self._until - self._clock()
        if wait >= 1:
            parts.append(f"the hub asks to wait {_duration(wait)}")
        return " | ".join(parts)

    def _text(self, name: str, one: _List) -> str:
        text = f"{name} {one.rows:,}"
        spent = self._clock() - one.began if one.began is not None else 0.0
        fresh = one.rows - one.kept
        if fresh <= 0 or spent <= 0:
            return text
        rate = fresh / spent
        told = f"{rate:,.0f}/s" if rate >= 1 else f"{rate * 60:,.0f}/min"
        if one.total is not None and one.total > one.rows:
            told += f", about {_duration((one.total - one.rows) / rate)} left"
        return f"{text} ({told})"

    def _list(self, name: str) -> _List:
        return self._lists.setdefault(name, _List())

    def _draw(self, at_once: bool = False) -> None:
        if not self._is_shown or (self._clock() - self._drawn < _EVERY and not at_once):
            return
        self._drawn = self._clock()
        width = shutil.get_terminal_size().columns - 1
        click.echo(f"\r\x1b[K{self.line()[:width]}", nl=False, err=True)

    def _clear(self) -> None:
        if self._is_shown and self._lists:
            click.echo("\r\x1b[K", nl=False, err=True)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"

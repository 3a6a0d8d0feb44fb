# SPDX-License-Identifier: Apache-2.0
"""A figure and what it has to reach, and the table of all of them."""

import datetime
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
RESULTS = Path(__file__).with_name("results.json")

_HEAD = """\
# Benchmarks

`make bench` measures all of this and writes this page; `python -m bench NAME` measures a part.
Every figure is taken over loopback, between processes of one machine that share its processors with
the load. Where a figure is a ratio, both sides were measured in turns within one run; each is the
best of its rounds (a median where the table says p50 or p95).

Ratios of CPU depend on what else runs: on an idle machine threads that wake each other cost more
than on a busy one. On the machine below, info of a repository took 3.3 to 5.9 times the bare route
on SQLite from run to run, and 9.8 to 12.1 times on PostgreSQL. Free memory that a virtual machine
has given back to its host costs its taker up to two seconds of CPU per GiB, so that uploads are
measured after it was fetched; before that was known they took 1.0 to 1.9 times the bare server's.

| what | to reach | measured | reached | date | command |
|---|---|---|---|---|---|
"""


class Figure(msgspec.Struct, frozen=True):
    """One measured number; `limit` is what it has to reach, from above or from below."""

    name: str
    what: str
    value: float
    sense: Literal["<=", ">="]
    limit: float
    unit: str = ""
    """`x` for a ratio of two measurements; else what is counted."""
    note: str = ""
    """What the number was made of: both sides of a ratio, sizes, counts."""

    @property
    def is_reached(self) -> bool:
        return self.value <= self.limit if self.sense == "<=" else self.value >= self.limit


class Entry(msgspec.Struct, frozen=True):
    """A figure with where and when it was taken."""

    figure: Figure
    date: str
    machine: str
    command: str


def entries(command: str, figures: Iterable[Figure]) -> list[Entry]:
    """Return the figures as taken now, on this machine."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return [Entry(figure, today, _machine(), command) for figure in figures]


def write(fresh: Sequence[Entry], table: Path = TABLE, results: Path = RESULTS) -> None:
    """Put figures into the table; those of other benchmarks stay as they were."""
    known = msgspec.json.decode(results.read_bytes(), type=list[Entry]) if results.exists() else []
    by_name = {entry.figure.name: entry for entry in (*known, *fresh)}
    ordered = [by_name[name] for name in sorted(by_name)]
    results.write_bytes(msgspec.json.format(msgspec.json.encode(ordered), indent=2) + b"\n")
    machines = "\n".join(f"- {one}" for one in sorted({entry.machine for entry in ordered}))
    rows = "".join(map(_row, ordered))
    table.write_text(f"{_HEAD}{rows}\nMachine:\n\n{machines}\n")


def show(figure: Figure) -> str:
    """Return a figure as a line of text."""
    mark = "reached" if figure.is_reached else "MISSED "
    return f"{mark}  {_value(figure):>14}  ({_target(figure)})  {figure.what}  [{figure.note}]"


def _row(entry: Entry) -> str:
    figure = entry.figure
    what = f"{figure.what} ({figure.note})" if figure.note else figure.what
    reached = "yes" if figure.is_reached else "**no**"
    return (
        f"| {what} | {_target(figure)} | {_value(figure)} | {reached} "
        f"| {entry.date} | `{entry.command}` |\n"
    )


def _value(figure: Figure) -> str:
    digits = 0 if figure.value >= 100 else 1 if figure.value >= 20 else 2
    return f"{figure.value:.{digits}f}{_unit(figure)}"


def _target(figure: Figure) -> str:
    return f"{figure.sense} {figure.limit:g}{_unit(figure)}"


def _unit(figure: Figure) -> str:
    return figure.unit if figure.unit == "x" or not figure.unit else f" {figure.unit}"


def _machine() -> str:
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (
        f"{os.cpu_count()} processors ({model}), {pages >> 30} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )

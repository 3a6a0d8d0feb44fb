# SPDX-License-Identifier: Apache-2.0
"""The observatory: figures over 3,040,000 models and over a census, its import, report and pages.

    HUBKEEP_SHARED_DATA=FOLDER python -m bench.observatory [--pandas INTERPRETER] [PART...]

The folder has the censuses; without them nothing is measured. pandas runs in an interpreter of its
own: the one that is named, by BENCH_PANDAS too, or that of `make e2e`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.observatory_pages import figures as pages
from bench.table import Figure
from hubkeep.observatory.dimensions import FOLDER
from hubkeep.observatory.store import SnapshotStore, read_manifest

DATA: Final = "HUBKEEP_SHARED_DATA"
PANDAS: Final = "BENCH_PANDAS"
CENSUS: Final = "hub_models_2024-07-11.parquet"
EARLIER: Final = {
    "hub_models_2022_huggingfaceR.parquet": "2022-07-02",
    "hub_models_2022-10_liang.parquet": "2022-10-01",
}
WITH_PANDAS: Final = ("S1", "S2", "S3", "S4", "S5", "F2", "B1", "B6", "B9", "B15")
ROUNDS: Final = 3
_ROOT: Final = Path(__file__).parents[1]
_E2E: Final = _ROOT / ".venv-e2e/bin/python"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took: seconds by the clock and of processors, the most memory; its output."""

    seconds: float
    cpu: float
    mib: float
    said: str


def spent(command: Sequence[str | Path]) -> Spent:
    """Run a command to its end. RuntimeError where it fails."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], stdout=output, cwd=_ROOT, stderr=subprocess.PIPE
        )
        errors = process.stderr.read().decode() if process.stderr else ""
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            raise RuntimeError(f"{command} ended with {process.returncode}: {errors[-2000:]}")
        output.seek(0)
        said = output.read().decode()
    return Spent(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said)


def hubkeep(*words: str | Path) -> Spent:
    """Run the command line."""
    return spent([sys.executable, "-m", "hubkeep", *words])


def importing(shared: Path, data: Path) -> Iterator[Figure]:
    """Import the census; its snapshot is the last of `data` afterwards."""
    took = hubkeep("snapshot", "import", shared / CENSUS, "--data", data, "--json")
    rows = read_manifest(_census(data)).tables["models"].rows
    note = f"{took.cpu:.1f} s of CPU, {took.mib:.0f} MiB"
    what = f"import of a census of {rows:,} models"
    yield Figure("6 import", what, took.seconds, "<=", 10, "s", note)


def at_scale(census: Path, folder: Path) -> Iterator[Figure]:
    """All figures about one snapshot, in one process, over four copies of the census."""
    # In a process of its own: what is measured starts as a copy of this one, whose most memory the
    # kernel counts to it.
    big = Path(
        spent([sys.executable, "-m", "bench.observatory_scale", folder, census]).said.strip()
    )
    took = spent([sys.executable, "-m", "bench.observatory_ours", big])
    said = json.loads(took.said)
    models = f"{read_manifest(big).tables['models'].rows:,} models"
    each = {name: one for name, one in said.items() if isinstance(one, dict)}
    if lacks := {name: one["lacks"] for name, one in each.items() if one["lacks"]}:
        raise RuntimeError(f"there is no answer where one is measured: {lacks}")
    slowest = max(each, key=lambda name: each[name]["seconds"])
    note = f"{took.cpu:.1f} s of CPU; {said['ready']:.1f} s of all until the first could begin"
    what = f"{len(each)} figures with their intervals over {models}, one process"
    yield Figure("6 figures", what, took.seconds, "<=", 15, "s", note)
    yield Figure(
        "6 figures, slowest",
        f"the slowest of these: {slowest}",
        each[slowest]["seconds"],
        "<=",
        1.5,
        "s",
        f"{each[slowest]['cpu']:.1f} s of CPU",
    )
    yield Figure("6 figures, memory", "peak RSS of that process", took.mib, "<=", 512, "MiB")


def beside_pandas(census: Path, python: str) -> Iterator[Figure]:
    """The same tables by pandas and by us, in turns, each in a fresh process."""
    theirs, ours = [], []
    script = Path(__file__).with_name("observatory_pandas.py")
    for _ in range(ROUNDS):
        theirs.append(spent([python, script, census, FOLDER]))
        ours.append(spent([sys.executable, "-m", "bench.observatory_ours", census, *WITH_PANDAS]))
    slow, quick = (min(one.seconds for one in side) for side in (theirs, ours))
    large, small = (min(one.mib for one in side) for side in (theirs, ours))
    cpu = [min(one.cpu for one in side) for side in (theirs, ours)]
    rows = f"{read_manifest(census).tables['models'].rows:,} models"
    yield Figure(
        "6 pandas",
        f"times as fast as pandas, {', '.join(WITH_PANDAS)} over {rows}",
        slow / quick,
        ">=",
        5,
        "x",
        f"pandas {slow:.1f} s ({cpu[0]:.1f} of CPU) without intervals; ours {quick:.1f} s "
        f"({cpu[1]:.1f} of CPU) with them",
    )
    note = f"pandas {large:.0f} MiB, ours {small:.0f} MiB"
    yield Figure(
        "6 pandas, memory", "memory of that, of pandas'", small / large, "<=", 0.333, "x", note
    )


def reporting(shared: Path, data: Path, folder: Path) -> Iterator[Figure]:
    """A report of all figures over the census, which looks back to two earlier ones."""
    latest = _census(data).name
    for name, day in EARLIER.items():
        hubkeep("snapshot", "import", shared / name, "--taken-at", day, "--data", data, "--json")
    earlier = [one.id for one in SnapshotStore(data / "snapshots").list() if one.id != latest]
    looking = [word for name in earlier for word in ("--with", name)]
    took = hubkeep("report", latest, *looking, "-o", folder, "--data", data, "--json")
    made = json.loads(took.said)
    answered = sum(not one["missing_columns"] for one in made["figures"])
    yield Figure(
        "6 report",
        "report as a page, the census with two earlier ones",
        took.seconds,
        "<=",
        20,
        "s",
        f"{took.cpu:.1f} s of CPU, {took.mib:.0f} MiB; {answered} of {len(made['figures'])} "
        "figures have an answer",
    )


def figures(shared: Path, python: str | None, parts: Sequence[str]) -> Iterator[Figure]:
    """Measure the parts, of: import, scale, pandas, pages, report."""
    with tempfile.TemporaryDirectory(prefix="hubkeep-bench-") as name:
        folder = Path(name)
        data = folder / "hub"
        imported = list(importing(shared, data))
        census = _census(data)
        known: Mapping[str, Callable[[], Iterator[Figure]]] = {
            "import": lambda: iter(imported),
            "scale": lambda: at_scale(census, folder / "scale"),
            "pandas": lambda: beside_pandas(census, python or ""),
            "pages": lambda: pages(data),
            "report": lambda: reporting(shared, data, folder / "report"),
        }
        for part, measure in known.items():
            if part == "pandas" and not python:
                print(f"no pandas to compare with: name one in {PANDAS}", file=sys.stderr)
            elif not parts or part in parts:
                yield from measure()


def run() -> list[Figure]:
    return _measured(_python(""), ())


def _measured(python: str | None, parts: Sequence[str]) -> list[Figure]:
    shared = os.environ.get(DATA)
    if not shared:
        print(f"{DATA} names no folder with the censuses: nothing is measured", file=sys.stderr)
        return []
    return list(figures(Path(shared), python, parts))


def _census(data: Path) -> Path:
    return SnapshotStore(data / "snapshots").find("20240711")


def _python(named: str) -> str | None:
    """The interpreter that has pandas, if there is one."""
    chosen = named or os.environ.get(PANDAS) or (str(_E2E) if _E2E.exists() else "")
    return chosen or None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*")
    parser.add_argument("--pandas", default="")
    asked = parser.parse_args()
    for one in _measured(_python(asked.pandas), asked.part):
        print(f"{one.what}: {one.value:.2f} {one.unit} {one.note}")


if __name__ == "__main__":
    main()

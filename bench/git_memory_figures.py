# SPDX-License-Identifier: Apache-2.0
"""Memory under hostile pushes, large ones, and clones at once: the figures of `git_memory.py`."""

from collections.abc import Iterator, Mapping

from bench import git_memory
from bench.table import Figure

MEMORY_MIB = 300


def run() -> list[Figure]:
    return list(_figures(git_memory.measure()))


def _figures(taken: Mapping[str, float]) -> Iterator[Figure]:
    at_rest = f"{taken['idle_mib']:.0f} MiB at rest"
    for name, what in (
        ("zip_bomb", "a push of a MB that unpacks to a GiB"),
        ("delta_bomb", "a push of 116 bytes that unpack to 900 MB"),
        ("push_objects", f"a push of almost {git_memory.OBJECTS:,} objects"),
        ("push_bytes", "a push of 256 MiB of noise and 100,000 files"),
    ):
        note = f"{taken[f'{name}_own_mib']:.0f} MiB without pages of files; {at_rest}"
        yield Figure(
            f"9 git memory, {name}",
            f"RSS over idle of the server with all git that it starts during {what}",
            taken[f"{name}_mib"], "<=", MEMORY_MIB, "MiB", note,
        )  # fmt: skip
    for name, what in (
        ("clone_cold_objects", f"{git_memory.CLIENTS} first clones at once of those objects"),
        ("clone_warm_objects", f"{git_memory.CLIENTS} more of these"),
        ("clone_cold_bytes", f"{git_memory.CLIENTS} first clones at once of that noise"),
        ("clone_warm_bytes", f"{git_memory.CLIENTS} more of these"),
    ):
        # Processes that read one pack share its pages, and RSS counts them for each.
        note = f"{taken[f'{name}_mib']:.0f} MiB with pages of files, each process's; {at_rest}"
        yield Figure(
            f"9 git memory, {name}",
            "memory over idle of the server with all git that it starts, without pages of files, "
            f"during {what}",
            taken[f"{name}_own_mib"], "<=", MEMORY_MIB, "MiB", note,
        )  # fmt: skip

# SPDX-License-Identifier: Apache-2.0
"""Large files in and out: the figures of `bench/transfer.py` and what each has to reach."""

import tempfile
from pathlib import Path
from shutil import disk_usage

from bench import transfer
from bench.table import Figure

MIB = 1024
MEMORY_MIB = 2048
CLIENTS = 4
ROUNDS = 5
# The clients' files, once beside the hub and once in its store, and room for the single file.
ROOM = (2 * CLIENTS * MEMORY_MIB + 4 * MIB) << 20


def run() -> list[Figure]:
    if disk_usage(Path(tempfile.gettempdir())).free < ROOM:
        raise RuntimeError(f"the temporary folder needs {ROOM >> 30} GiB")
    taken = transfer.measure(MIB, MEMORY_MIB, ROUNDS)
    moved = f"{CLIENTS} clients each move {MEMORY_MIB >> 10} GiB"
    at_rest = f"the server process; {taken['idle_mib']:.0f} MiB at rest"
    figures = [
        _memory(f"5 memory {way}", f"server RSS over idle while {moved} {way}", over, at_rest)
        for way, over in (("up", taken["up_over_idle_mib"]), ("down", taken["down_over_idle_mib"]))
    ]
    bare = "against the same file through bare granian + Starlette FileResponse"
    sides = (
        ("6 download", f"LFS file of 1 GiB by curl, {bare}: whole", "whole_to_bare", 0.95, "hub"),
        ("6 download, ranges", "the same in ranges of 64 MiB", "ranges_to_bare", 0.4, "hub_ranges"),
    )
    for name, what, ratio, limit, side in sides:
        note = f"{taken[f'{side}_mb_s']:.0f} to {taken['bare_mb_s']:.0f} MB/s"
        figures.append(Figure(name, what, taken[ratio], ">=", limit, "x", note))
    if "accel_to_nginx" in taken:
        what = "the same through nginx with X-Accel-Redirect, against nginx alone"
        note = f"{taken['accel_mb_s']:.0f} to {taken['nginx_mb_s']:.0f} MB/s"
        ratio = taken["accel_to_nginx"]
        figures.append(Figure("6 download, nginx", what, ratio, ">=", 0.95, "x", note))
    what = "LFS upload of 1 GiB, server CPU against bare granian that writes and hashes the same"
    note = f"{taken['hub_cpu_s']:.2f} to {taken['bare_cpu_s']:.2f} s of CPU"
    figures.append(Figure("6 upload", what, taken["upload_cpu_to_bare"], "<=", 1.15, "x", note))
    return figures


def _memory(name: str, what: str, value: float, note: str) -> Figure:
    return Figure(name, what, value, "<=", 64, "MiB", note)

# SPDX-License-Identifier: Apache-2.0
"""Large files by Xet: the figures of `bench/xet.py` and what each has to reach."""

import tempfile
from pathlib import Path
from shutil import disk_usage

from bench import xet
from bench.table import Figure

MIB = 1024
MEMORY_MIB = 1024
ROUNDS = 3
# What the hub keeps of each round, the files that clients send and fetch, and some to spare.
ROOM = ((ROUNDS + 1) * MIB + 8 * MIB + 2 * xet.CLIENTS * MEMORY_MIB) << 20


def run() -> list[Figure]:
    if disk_usage(Path(tempfile.gettempdir())).free < ROOM:
        raise RuntimeError(f"the temporary folder needs {ROOM >> 30} GiB")
    taken = xet.measure(MIB, MEMORY_MIB, ROUNDS)
    what = "default upload of 1 GiB of random bytes by the stock client, CPU against the client's"
    note = (
        f"the client: {taken['upload_client_cpu_s']:.1f} s of CPU, {taken['upload_mb_s']:.0f} MB/s"
    )
    checked = "the same with the job worker, until the hub has computed the sha256"
    down = "default download of the same, server CPU against bare granian + Starlette FileResponse"
    plain = "plain GET of a file that came by Xet, MB/s against one that came by git-lfs"
    sent = "bytes that a client with an empty cache sends for 1 GiB that the hub has, with"
    versions = f"{xet.CHECKPOINTS} checkpoints of a model, each with {xet.CHANGED:.0%} new tensors"
    at_once = f"{xet.CLIENTS} clients each upload {MEMORY_MIB >> 10} GiB"
    return [
        Figure("8 xet upload", f"{what}: until the commit is acknowledged, the server's",
               taken["upload_cpu"], "<=", 0.4, "x", note),
        Figure("8 xet upload, checked", checked, taken["upload_cpu_checked"], "<=", 0.75, "x"),
        Figure("8 xet download", down, taken["download_cpu"], "<=", 1.3, "x",
               f"{taken['download_hub_cpu_s']:.2f} to {taken['download_bare_cpu_s']:.2f} s of CPU"),
        Figure("8 xet plain", plain, taken["plain_to_lfs"], ">=", 0.6, "x",
               f"{taken['plain_xet_mb_s']:.0f} to {taken['plain_lfs_mb_s']:.0f} MB/s"),
        Figure("8 xet edited", f"{sent} three small edits", taken["edited_mb"], "<=", 2, "MB"),
        Figure("8 xet inserted", f"{sent} 1 MiB more at the front", taken["inserted_mb"],
               "<=", 40, "MB",
               f"median of {ROUNDS + 1} files: {taken['inserted_least_mb']:.0f} to "
               f"{taken['inserted_most_mb']:.0f}"),
        Figure("8 xet versions", f"{versions}: bytes stored against logical bytes",
               taken["checkpoints_stored"], "<=", 0.2, "x",
               f"{taken['checkpoints_stored_mb']:.0f} of {taken['checkpoints_logical_mb']:.0f} MB"),
        Figure("8 xet memory", f"RSS over idle of a process while {at_once} at once",
               max(taken["memory_server_mib"], taken["memory_worker_mib"]), "<=", 200, "MiB",
               f"server {taken['memory_server_mib']:.0f} over {taken['memory_idle_mib']:.0f} at "
               f"rest; job worker {taken['memory_worker_mib']:.0f}"),
    ]  # fmt: skip

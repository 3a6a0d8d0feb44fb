# SPDX-License-Identifier: Apache-2.0
"""What the process that reads Parquet files may do, whoever has it do something else."""

import subprocess
import sys

from hubkeep.web import parquet_child


def test_who_reads_opens_nothing_even_in_the_place_of_what_is_open() -> None:
    program = (
        "import os, runpy; runpy.run_path(os.environ['CHILD'])['limit'](1 << 28)\n"
        "os.close(0)\n"
        "for what in (lambda: os.open('/dev/null', os.O_RDONLY), lambda: os.dup(1), os.pipe):\n"
        "    try:\n        print(what())\n"
        "    except OSError:\n        print('refused')\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={"CHILD": parquet_child.__file__},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["refused"] * 3

# SPDX-License-Identifier: Apache-2.0
"""Write docs/findings.md: `HUBKEEP_SHARED_DATA=DIR python -m tools.findings [FOLDER]`.

FOLDER keeps the snapshots that are made of the files, for the next time; without it they go to a
temporary one. It takes some two minutes.
"""

import os
import sys
import tempfile
from pathlib import Path

import click

from tools.docs import DOCS
from tools.findings.page import page
from tools.findings.shelf import Shelf

PAGE = DOCS / "findings.md"


def main() -> None:
    """Compute everything and write the page."""
    data = os.environ.get("HUBKEEP_SHARED_DATA")
    if not data:
        sys.exit("set HUBKEEP_SHARED_DATA to the folder of the real data")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch)
        text = page(Shelf(Path(data), folder))
    PAGE.write_text(text, encoding="utf-8")
    click.echo(f"wrote {PAGE.name}")


if __name__ == "__main__":
    main()

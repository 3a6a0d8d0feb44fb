# SPDX-License-Identifier: Apache-2.0
"""`make conformance`: a fresh hub, provisioned, and the stock client's own tests against it.

The tool that runs the suite lies beside the checkout, or where `--tool` or HUBKEEP_CONFORMANCE
says. All other arguments are the tool's: `make conformance ARGS="--areas commit"`; with
`--variant lfs` it is a client without hf_xet. The exit status is the tool's.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance.provision import ROOT, provision, suite_constants
from tests.harness.hub import running_hub

TOOL = ROOT.parent / "shared" / "tools" / "conformance"
CACHE = Path("~/.cache/hub-conformance").expanduser()
CLOSED_PORT = "http://127.0.0.1:9"


def main() -> int:
    """Run the suite; the tool prints its table."""
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    named = os.environ.get("HUBKEEP_CONFORMANCE")
    parser.add_argument("--tool", type=Path, default=Path(named) if named else TOOL)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--version", default="2.4.0", help="of huggingface_hub")
    ours, rest = parser.parse_known_args()
    run = ours.tool / "run.py"
    if not run.is_file():
        print(f"{ours.tool} has no run.py: say where the tool lies with --tool", file=sys.stderr)
        return 2
    command = [sys.executable, str(run), "--version", ours.version, "--cache", str(ours.cache)]
    suite = suite_constants(_source_distribution(command, ours.cache / "sdist" / ours.version))
    with tempfile.TemporaryDirectory(prefix="hubkeep-conformance-") as folder:
        data = Path(folder) / "hub"
        provision(data, suite)
        with running_hub(data) as hub:
            return subprocess.run([*command, "--endpoint", hub.url, *rest], check=False).returncode


def _source_distribution(command: list[str], folder: Path) -> Path:
    """Have the tool fetch the suite, unless it has done so before."""
    if not list(folder.glob("*.tar.gz")):
        fetch = [*command, "--collect-only", "--endpoint", CLOSED_PORT]
        subprocess.run(fetch, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*.tar.gz"))


if __name__ == "__main__":
    sys.exit(main())

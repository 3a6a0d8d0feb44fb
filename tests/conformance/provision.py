# SPDX-License-Identifier: Apache-2.0
"""The accounts that the stock client's tests expect to find, made by Hubkeep's own commands."""

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CONSTANT = re.compile(r'^([A-Z_]+) = "([^"]*)"', re.MULTILINE)


def suite_constants(source_distribution: Path) -> dict[str, str]:
    """Return the names and tokens that the suite has written out, by the names it gives them."""
    with tarfile.open(source_distribution) as tar:
        for member in tar:
            if member.name.endswith("/tests/testing_constants.py"):
                text = tar.extractfile(member)
                assert text is not None
                return dict(_CONSTANT.findall(text.read().decode()))
    raise ValueError(f"{source_distribution} holds no tests/testing_constants.py")


def provision(data: Path, suite: Mapping[str, str]) -> None:
    """Make users, tokens and organisations in a data folder; CalledProcessError if one fails."""
    user = suite["USER"]
    other = suite["OTHER_USER"]
    enterprise, private = suite["ENTERPRISE_USER"], suite["ENTERPRISE_ORG"]
    for name, fullname, token in (
        (user, suite["FULL_NAME"], suite["TOKEN"]),
        (other, other, suite["OTHER_TOKEN"]),
        (enterprise, enterprise, suite["ENTERPRISE_TOKEN"]),
    ):
        _hubkeep(data, "user", "create", name, "--fullname", fullname)
        _hubkeep(data, "token", "create", name, "--role=write", "--value", token, "--json")
    _hubkeep(data, "org", "create", "valid_org_hub", "--fullname", "Dummy Hub Org")
    _hubkeep(data, "org", "add", "valid_org_hub", user, "--role", "admin")
    _hubkeep(data, "org", "create", private, "--fullname", private, "--default-private")
    _hubkeep(data, "org", "add", private, enterprise, "--role", "admin")
    # Only watched by webhooks.
    _hubkeep(data, "user", "create", "julien-c")
    _hubkeep(data, "org", "create", "HuggingFaceH4")


def _hubkeep(data: Path, *arguments: str) -> None:
    source = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    subprocess.run(
        [sys.executable, "-m", "hubkeep", *arguments, "--data", str(data)],
        env={**os.environ, "PYTHONPATH": source},
        stdout=subprocess.DEVNULL,
        check=True,
    )

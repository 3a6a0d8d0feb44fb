# SPDX-License-Identifier: Apache-2.0
"""The short form of the kill test; `make kill` is the long one."""

from pathlib import Path

from tests.reliability.storm import storm


def test_nothing_acknowledged_is_lost(tmp_path: Path, database_url: str) -> None:
    toll = storm(tmp_path, kills=5, env={"HUBKEEP_DATABASE_URL": database_url})
    assert toll.commits
    assert toll.pushes
    assert toll.uploads
    assert toll.xet_uploads
    assert toll.xorbs >= toll.xet_uploads
    assert toll.refs
    assert toll.commits_in_git >= toll.commits

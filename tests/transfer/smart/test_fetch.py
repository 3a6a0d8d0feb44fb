# SPDX-License-Identifier: Apache-2.0
"""Clone and fetch with the real git, in all the ways in which it asks."""

from collections.abc import Callable

import pytest

from tests.transfer.smart.native import GitClient, Remote

ATTRIBUTES = ".gitattributes"


def fill(remote: Remote, commits: int = 5) -> list[str]:
    """Commit a few times to the same files; the commits' ids, the first one's first."""
    made = []
    for number in range(commits):
        files = {"a.txt": b"a %d\n" % number, f"deep/er/{number}.txt": b"%d\n" % number}
        made.append(remote.commit(files).raise_for_status().json()["commitOid"])
    return made


@pytest.mark.parametrize("version", [0, 1, 2])
def test_every_version_of_the_protocol_clones(git: GitClient, remote: Remote, version: int) -> None:
    made = fill(remote)
    copy = git.clone(remote, "-c", f"protocol.version={version}")
    assert copy.tip() == made[-1]
    assert (copy.folder / "a.txt").read_bytes() == b"a 4\n"
    assert copy.run("fsck", "--full", "--strict").err == ""

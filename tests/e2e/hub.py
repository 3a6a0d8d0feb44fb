# SPDX-License-Identifier: Apache-2.0
"""What the tests know of the hub that they drive."""

import uuid
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class EndToEndHub:
    """The hub under test and the account that the libraries use."""

    url: str
    token: str
    user: str = "alice"

    def name(self, what: str) -> str:
        """A repository name of alice's that nothing has."""
        return f"{self.user}/{what}-{uuid.uuid4().hex[:8]}"


def xet_hash(repo: str, path: str, repo_type: str = "model") -> str | None:
    """The Xet hash of a file; None for one that is not stored as chunks."""
    from huggingface_hub import HfApi  # which reads the environment that conftest makes

    [info] = HfApi().get_paths_info(repo, [path], repo_type=repo_type)
    return info.xet_hash

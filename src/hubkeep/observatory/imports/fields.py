# SPDX-License-Identifier: Apache-2.0
"""The fields of the hub API that tell of a repository, as its list and hub-stats write them.

Clients write some of them otherwise (`created_at`), and so do the files made with them.
"""

from collections.abc import Mapping
from typing import Final

_WRITTEN: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("modelId", "model_id", "repo_id"),
    "author": (),
    "createdAt": ("created_at",),
    "lastModified": ("last_modified",),
    "downloads": ("downloads_30d",),
    "downloadsAllTime": ("downloads_all_time", "downloads_all"),
    "likes": (),
    "trendingScore": ("trending_score",),
    "usedStorage": ("used_storage",),
    "mainSize": ("main_size",),
    "gated": (),
    "private": (),
    "disabled": (),
    "pipeline_tag": ("pipelineTag", "task"),
    "library_name": ("libraryName", "library"),
    "license": (),
    "tags": (),
    "siblings": (),
    "cardData": ("card_data",),
    "safetensors": (),
    "gguf": (),
    "baseModels": ("base_models",),
    "sdk": (),
    "models": (),
    "datasets": (),
    "description": (),
    "securityRepoStatus": ("security_repo_status",),
}

FIELDS: Final = tuple(name for field, others in _WRITTEN.items() for name in (field, *others))
"""All names, of which a file has some."""


def fields_of(columns: Mapping[str, str]) -> Mapping[str, str]:
    """Return, by the API's own name, what each field is called among the columns of a file."""
    found = {}
    for field, others in _WRITTEN.items():
        for name in (field, *others):
            if name in columns:
                found[field] = name
                break
    return found

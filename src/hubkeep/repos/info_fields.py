# SPDX-License-Identifier: Apache-2.0
"""Which fields an info object has, by type of repository and by what was asked for.

Source: `Expand*Property_T` and the info classes of huggingface_hub 2.4.0 (`hf_api.py`).
"""

from collections.abc import Collection, Mapping

from hubkeep import errors
from hubkeep.repos.types import RepoType


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Fields that need the row of `facts`; a list that shows none of them need not join it.
OF_FACTS = frozenset(
    _names("""
    baseModels cardData citation config datasets description gguf mask_token model-index models
    paperswithcode_id safetensors widgetData
    """)
)

# `Expand*Property_T` of huggingface_hub 2.4.0, two names that the hub's own clients use, and
# `mainSize` of all types, by which crawls know how large repositories are.
EXPANDABLE: Mapping[RepoType, tuple[str, ...]] = {
    RepoType.MODEL: _names("""
        author baseModels cardData childrenModelCount config createdAt disabled downloads
        downloadsAllTime evalResults gated gguf gitalyUid inference inferenceProviderMapping
        lastModified library_name likes mainSize mask_token model-index pipeline_tag private
        resourceGroup safetensors sha siblings spaces tags transformersInfo trendingScore
        usedStorage widgetData xetEnabled
        """),
    RepoType.DATASET: _names("""
        author cardData citation createdAt description disabled downloads downloadsAllTime gated
        gitalyUid lastModified likes mainSize paperswithcode_id private resourceGroup sha siblings
        tags trendingScore usedStorage xetEnabled
        """),
    RepoType.SPACE: _names("""
        author cardData createdAt datasets disabled gitalyUid lastModified likes mainSize models
        private region resourceGroup runtime sdk sha siblings subdomain tags trendingScore
        usedStorage xetEnabled
        """),
    RepoType.KERNEL: _names("author downloads gated lastModified likes private sha"),
}

_COMMON = _names("private gated disabled author sha lastModified createdAt likes tags cardData")
# What an info shows unasked; `siblings` where the caller has them.
SHOWN: Mapping[RepoType, tuple[str, ...]] = {
    RepoType.MODEL: _names("""
        private pipeline_tag library_name tags downloads likes modelId author sha lastModified gated
        disabled mask_token widgetData model-index config cardData baseModels safetensors gguf
        siblings createdAt usedStorage
        """),
    RepoType.DATASET: (
        *_COMMON, "downloads", "description", "citation", "paperswithcode_id", "siblings",
        "usedStorage",
    ),
    RepoType.SPACE: (*_COMMON, "sdk", "models", "datasets", "siblings", "usedStorage"),
    RepoType.KERNEL: (*_COMMON, "downloads", "siblings", "usedStorage"),
}  # fmt: skip

# What each object of a list shows, and what `full=true` adds.
LISTED: Mapping[RepoType, tuple[str, ...]] = {
    RepoType.MODEL: _names(
        "modelId likes private downloads tags pipeline_tag library_name createdAt"
    ),
    RepoType.DATASET: _names(
        "author disabled gated lastModified likes private sha downloads tags createdAt"
    ),
    RepoType.SPACE: _names("likes private sdk tags createdAt"),
    RepoType.KERNEL: EXPANDABLE[RepoType.KERNEL],
}
FULL: Mapping[RepoType, tuple[str, ...]] = {
    RepoType.MODEL: (
        *LISTED[RepoType.MODEL], "author", "lastModified", "sha", "gated", "disabled"
    ),
    RepoType.DATASET: (*LISTED[RepoType.DATASET], "description", "cardData"),
    RepoType.SPACE: (
        *LISTED[RepoType.SPACE], "author", "lastModified", "sha", "disabled", "cardData"
    ),
    RepoType.KERNEL: LISTED[RepoType.KERNEL],
}  # fmt: skip


def needs_facts(fields: Collection[str]) -> bool:
    """Say whether any of the fields is written from the facts of the revision."""
    return not OF_FACTS.isdisjoint(fields)


def expanded_fields(kind: RepoType, asked: Collection[str]) -> tuple[str, ...]:
    """Return the fields that `expand` asks for, each once; 400 for one that this kind lacks.

    The message says the names in both forms that clients parse: that of 1.x and that of 2.x.
    """
    known = EXPANDABLE[kind]
    for name in asked:
        if name not in known and name not in ("id", "_id"):
            quoted = "|".join(f'"{one}"' for one in known)
            raise errors.bad_request(
                f'"expand" must be one of [{", ".join(known)}]: expected one of {quoted}'
            )
    return tuple(name for name in known if name in asked)

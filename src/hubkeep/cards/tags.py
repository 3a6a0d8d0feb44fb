# SPDX-License-Identifier: Apache-2.0
"""The list of tags of a repository, in the order in which huggingface.co writes them.

The order was read off public listings; `search` and `filter` compare whole tags. Left out are tags
that speak of the Hub's own services (`endpoints_compatible`, `autotrain_compatible`,
`text-generation-inference`, `croissant`), which would be untrue here.
"""

from collections.abc import Iterable, Mapping, Sequence

from hubkeep.cards.base_models import BaseModel
from hubkeep.cards.languages import languages
from hubkeep.cards.values import MAX_LIST_ITEMS, clean, strings

# huggingface.co marks every repository with the region that stores it, and has no other default.
REGION = "region:us"

# Card fields of a dataset that become `field:value`, before and after its languages.
_DATASET_FIELDS = (
    "task_categories",
    "task_ids",
    "annotations_creators",
    "language_creators",
    "multilinguality",
    "source_datasets",
)


def unique(tags: Iterable[str | None]) -> list[str]:
    """Cleaned tags, each once, at most `MAX_LIST_ITEMS` with the region as the last."""
    found: dict[str, None] = {}
    for tag in tags:
        text = clean(tag)
        if text is not None and len(found) < MAX_LIST_ITEMS - 1:
            found.setdefault(text)
    found.pop(REGION, None)
    return [*found, REGION]


def model_tags(
    card: Mapping[str, object],
    *,
    library: str | None,
    detected: Sequence[str | None],
    task: str | None,
    config_tags: Sequence[str],
    conversational: bool,
    parents: Sequence[BaseModel],
    papers: Sequence[str],
) -> list[str]:
    """The tags of a model (and of a kernel).

    `detected` are the formats of its files, then its type; `config_tags` come at the end.
    """
    return unique(
        [
            library,
            *detected,
            task,
            *strings(card.get("tags")),
            "conversational" if conversational else None,
            *languages(card.get("language")),
            *_prefixed("dataset", strings(card.get("datasets"))),
            *_prefixed("arxiv", papers),
            *(tag for parent in parents for tag in _parent_tags(parent)),
            *_prefixed("license", strings(card.get("license"))),
            "model-index" if card.get("model-index") else None,
            "co2_eq_emissions" if card.get("co2_eq_emissions") is not None else None,
            *config_tags,
        ]
    )


def dataset_tags(
    card: Mapping[str, object],
    *,
    sizes: Sequence[str],
    file_format: str | None,
    modalities: Sequence[str],
    papers: Sequence[str],
) -> list[str]:
    """The tags of a dataset, most of them as `field:value`."""
    fields = (tag for name in _DATASET_FIELDS for tag in _prefixed(name, strings(card.get(name))))
    return unique(
        [
            *fields,
            *_prefixed("language", languages(card.get("language"))),
            *_prefixed("license", strings(card.get("license"))),
            *_prefixed("size_categories", sizes),
            f"format:{file_format}" if file_format else None,
            *_prefixed("modality", modalities),
            *_prefixed("arxiv", papers),
            *strings(card.get("tags")),
        ]
    )


def space_tags(card: Mapping[str, object], *, sdk: str | None) -> list[str]:
    """The tags of a Space: its SDK, its card's tags and its licence."""
    licenses = _prefixed("license", strings(card.get("license")))
    return unique([sdk, *strings(card.get("tags")), *licenses])


def _prefixed(prefix: str, values: Iterable[str]) -> list[str]:
    return [f"{prefix}:{value}" for value in values]


def _parent_tags(parent: BaseModel) -> tuple[str, str]:
    return f"base_model:{parent.id}", f"base_model:{parent.relation}:{parent.id}"

# SPDX-License-Identifier: Apache-2.0
"""What a model was built on, and how.

Source: https://huggingface.co/docs/hub/model-cards#specifying-a-base-model. A card may say
`base_model_relation`; where it does not, the relation follows, in this order, from several parents
(merge), a quantised format (quantized: also of a merge), the tags of a merge, an adapter's library
or files (adapter); what is left is a finetune.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, cast

import msgspec

from hubkeep.cards.values import strings

Relation = Literal["finetune", "adapter", "quantized", "merge"]

MAX_BASE_MODELS = 100
RELATIONS: tuple[Relation, ...] = ("finetune", "adapter", "quantized", "merge")

# `name` or `namespace/name` as the Hub allows them: letters, digits, `-`, `_`, `.`, at most 96
# characters each (huggingface_hub's validate_repo_id).
_ID = re.compile(
    r"[A-Za-z0-9_](?:[\w.-]{0,94}\w)?(?:/[A-Za-z0-9_](?:[\w.-]{0,94}\w)?)?",
    re.ASCII,
)
_HUB_ADDRESS = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/")
_MERGE_TAGS = frozenset({"merge", "mergekit", "lazymergekit"})
_QUANTIZED_TAGS = frozenset({"gguf", "gptq", "awq", "exl2", "exl3", "ggml", "quantized", "hqq"})
_QUANTIZED_FILES = (".gguf", ".ggml")


class BaseModel(msgspec.Struct, frozen=True):
    """A parent: its repository id as written, and what was done to it."""

    id: str
    relation: Relation


def base_models(
    card: Mapping[str, object],
    *,
    own_id: str | None = None,
    paths: Sequence[str] = (),
    config: Mapping[str, object] | None = None,
) -> list[BaseModel]:
    """The parents that a model's card names: unique, in order, at most `MAX_BASE_MODELS`.

    `own_id` drops a reference of the repository to itself; `paths` (its files) and `config` (its
    `config.json`) serve to infer the relation. What has not the shape of an id is left out.
    """
    parents = _parents(card.get("base_model"), own_id)
    if not parents:
        return []
    relation = _stated(card.get("base_model_relation")) or _inferred(
        card, len(parents), paths, config or {}
    )
    return [BaseModel(parent, relation) for parent in parents]


def is_repo_id(text: str) -> bool:
    """Whether `text` has the shape of a repository id, with or without a namespace."""
    return _ID.fullmatch(text) is not None and ".." not in text and "--" not in text


def _parents(value: object, own_id: str | None) -> list[str]:
    found: list[str] = []
    own = own_id.casefold() if own_id else None
    for written in strings(value, count=MAX_BASE_MODELS):
        parent = _HUB_ADDRESS.sub("", written).rstrip("/")
        if is_repo_id(parent) and parent.casefold() != own and parent not in found:
            found.append(parent)
    return found


def _stated(value: object) -> Relation | None:
    stated = strings(value, count=1)
    if stated and stated[0].lower() in RELATIONS:
        return cast("Relation", stated[0].lower())
    return None


def _inferred(
    card: Mapping[str, object],
    parents: int,
    paths: Sequence[str],
    config: Mapping[str, object],
) -> Relation:
    tags = {tag.lower() for tag in strings(card.get("tags"))}
    library = strings(card.get("library_name"), count=1)
    if parents > 1:
        return "merge"
    if (
        "quantization_config" in config
        or tags & _QUANTIZED_TAGS
        or any(path.lower().endswith(_QUANTIZED_FILES) for path in paths)
    ):
        return "quantized"
    if tags & _MERGE_TAGS:
        return "merge"
    is_adapter = library in (["peft"], ["adapter-transformers"])
    if is_adapter or "adapter_config.json" in paths or tags & {"lora", "peft"}:
        return "adapter"
    return "finetune"

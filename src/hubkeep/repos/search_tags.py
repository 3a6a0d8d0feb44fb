# SPDX-License-Identifier: Apache-2.0
"""What kind of tag a tag is, for the lists of tags by type."""

from hubkeep.cards.languages import SPECIAL, is_language
from hubkeep.cards.libraries import is_library
from hubkeep.cards.tasks import TASKS
from hubkeep.repos.types import RepoType

OTHER = "other"
# Formats of files, which huggingface.co lists among the libraries.
_FORMATS = frozenset(
    {"pytorch", "tf", "jax", "tflite", "rust", "coreml", "tensorboard", "onnx", "safetensors"}
    | {"openvino", "gguf", "joblib", "keras", "paddlepaddle"}
)
# Prefixes that name the kind, by type; under the first word the rest is listed as the label.
_PREFIXES = {
    RepoType.MODEL: frozenset({"license", "dataset", "region"}),
    RepoType.DATASET: frozenset(
        {
            "task_categories", "task_ids", "language", "license", "size_categories",
            "multilinguality", "annotations_creators", "language_creators", "source_datasets",
            "format", "modality", "library", "benchmark", "region",
        }
    ),
    RepoType.SPACE: frozenset({"license", "region"}),
    RepoType.KERNEL: frozenset({"license", "region"}),
}  # fmt: skip


def kind_of_tag(kind: RepoType, tag: str) -> str:
    """Return the type under which the lists of tags show a tag of such a repository.

    A model's language is a bare code. Of codes with two letters nearly all are languages; of words
    with three (`moe`, `dpo`, `art`) few are, so those count as other tags.
    """
    prefix, colon, rest = tag.partition(":")
    if colon and rest:
        return prefix if prefix in _PREFIXES[kind] else OTHER
    if kind is RepoType.MODEL:
        if tag in TASKS:
            return "pipeline_tag"
        if is_library(tag) or tag in _FORMATS:
            return "library"
        if tag in SPECIAL or (len(tag) == 2 and is_language(tag)):
            return "language"
    return OTHER


def is_format(tag: str) -> bool:
    """Whether a tag that is listed among the libraries is the format of a file."""
    return tag in _FORMATS


def label_of_tag(kind: str, tag: str) -> str:
    """Return a tag as people read it: without the prefix that says its kind."""
    return tag.removeprefix(f"{kind}:")


def kinds_of_tags(kind: RepoType) -> tuple[str, ...]:
    """Return the types under which tags of such repositories are listed."""
    own = ("pipeline_tag", "library", "language") if kind is RepoType.MODEL else ()
    return (*own, *sorted(_PREFIXES[kind]), OTHER)

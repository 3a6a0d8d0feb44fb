# SPDX-License-Identifier: Apache-2.0
"""What a new card begins with, for who writes one here.

Fields that would say something about the repository are comments, until its owner says what holds.
"""

import json

from hubkeep.repos.types import RepoType

_INTRO = '# What the hub reads about this {kind}. Take the "#" off what holds, and change it.'

_FIELDS = {
    RepoType.MODEL: (
        "license: apache-2.0",
        "language: [en]",
        "pipeline_tag: text-generation",
        "library_name: transformers",
        "base_model: owner/name",
        "datasets: [owner/name]",
    ),
    RepoType.DATASET: (
        "license: cc-by-4.0",
        "language: [en]",
        "task_categories: [text-classification]",
        "size_categories: [1K<n<10K]",
    ),
    RepoType.SPACE: ("app_file: index.html", "license: apache-2.0", "models: [owner/name]"),
    RepoType.KERNEL: ("license: apache-2.0",),
}
_PARTS = {
    RepoType.MODEL: (
        ("", "What this model does, in a sentence or two."),
        ("How to use it", "The few lines that load it and give a first answer."),
        ("What it was trained on", "The data, how it was prepared, and for how long."),
        ("How well it does", "What was measured, on what, and the figures."),
        ("Limits", "What it should not be used for, and where it is known to fail."),
    ),
    RepoType.DATASET: (
        ("", "What is in this dataset, in a sentence or two."),
        ("What a row is", "Its columns, their units, and what is missing."),
        ("Where it comes from", "Who collected it, when and how; what was changed since."),
        ("Limits", "What it should not be used for, and whom it may concern."),
    ),
    RepoType.SPACE: (("", "What one can do here."),),
    RepoType.KERNEL: (
        ("", "What this kernel computes, and on which hardware."),
        ("How to use it", "The few lines that load it."),
    ),
}


def first_card(kind: RepoType, name: str) -> str:
    """Return the text of a card to begin with; its front matter is in order as it stands."""
    lines = ["---", _INTRO.format(kind="Space" if kind is RepoType.SPACE else kind.value)]
    if kind is RepoType.SPACE:
        lines += [f"title: {json.dumps(name)}", "sdk: static"]
    lines += [f"# {field}" for field in _FIELDS[kind]]
    lines += ["tags: []", "---", "", f"# {name}", ""]
    for heading, text in _PARTS[kind]:
        lines += [f"## {heading}", ""] if heading else []
        lines += [text, ""]
    return "\n".join(lines)

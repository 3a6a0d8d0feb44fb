# SPDX-License-Identifier: Apache-2.0
"""What stands beside a card: facts from front matter and headers, in groups, in people's words."""

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from hubkeep.cards.facts import Facts
from hubkeep.repos.types import Repo, RepoType
from hubkeep.web import words
from hubkeep.web.memory import needs

_MAX_SHOWN = 6
# Grams of CO2 that an average new car gives off over a kilometre (EU, 2023; European Environment
# Agency, "CO2 performance of new passenger cars in Europe").
_GRAMS_PER_KM = 107
_RELATIONS = {
    "finetune": "Fine-tuned from",
    "adapter": "Adapter of",
    "quantized": "Quantised from",
    "merge": "Merged from",
}


class Fact(msgspec.Struct, rename="camel"):
    """A name and a value; `title` says more, `href` leads to the others of the same value."""

    name: str
    value: str
    href: str | None = None
    title: str | None = None


class FactGroup(msgspec.Struct, rename="camel"):
    """Facts that belong together, and what has to be known to read them."""

    title: str
    facts: Sequence[Fact]
    note: str | None = None


def fact_groups(repo: Repo, facts: Facts | None) -> list[FactGroup]:
    """Return the groups that have something to say, in the order in which they are shown."""
    groups: list[FactGroup | None] = [_about(repo, facts)]
    if facts is not None and repo.type is RepoType.MODEL:
        groups += [_memory(facts), _emissions(facts)]
    groups.append(_storage(repo))
    return [group for group in groups if group and group.facts]


def _about(repo: Repo, facts: Facts | None) -> FactGroup:
    title = {RepoType.MODEL: "Model", RepoType.DATASET: "Dataset"}.get(repo.type, "About")
    if facts is None:
        return FactGroup(title, [])
    found = [*_numbers(facts), *_filters(repo, facts), *_base_models(facts)]
    if facts.languages:
        found.append(Fact("Languages", _listed(facts.languages)))
    if facts.datasets:
        found.append(Fact("Datasets", _listed(facts.datasets)))
    if facts.size_categories:
        found.append(Fact("Rows", _listed(facts.size_categories)))
    if facts.sdk:
        found.append(Fact("SDK", " ".join(filter(None, (facts.sdk, facts.sdk_version)))))
    return FactGroup(title, found)


def _numbers(facts: Facts) -> list[Fact]:
    found: list[Fact] = []
    if facts.num_parameters:
        exact = f"{words.exactly(facts.num_parameters)} parameters"
        found.append(Fact("Parameters", words.count(facts.num_parameters), title=exact))
    if facts.safetensors is not None:
        kinds = sorted(facts.safetensors.parameters.items(), key=lambda kind: -kind[1])
        found.append(Fact("Numbers", _listed([name for name, _ in kinds])))
    if facts.gguf is not None:
        if facts.gguf.file_type:
            found.append(Fact("Quantisation", facts.gguf.file_type))
        if facts.gguf.context_length:
            found.append(Fact("Context", f"{words.exactly(facts.gguf.context_length)} tokens"))
    return found


def _filters(repo: Repo, facts: Facts) -> list[Fact]:
    page = f"/{repo.type.plural}?"
    found: list[Fact] = []
    if facts.pipeline_tag:
        href = page + urlencode({"pipeline_tag": facts.pipeline_tag})
        found.append(Fact("Task", facts.pipeline_tag.replace("-", " "), href))
    if facts.task_categories:
        found.append(Fact("Tasks", _listed(facts.task_categories)))
    if facts.library_name:
        href = page + urlencode({"filter": facts.library_name})
        found.append(Fact("Library", facts.library_name, href))
    if facts.license:
        href = page + urlencode({"filter": f"license:{facts.license}"})
        found.append(Fact("Licence", facts.license_name or facts.license, href))
    return found


def _base_models(facts: Facts) -> list[Fact]:
    return [
        Fact(_RELATIONS[parent.relation] if first else "", parent.id, f"/{parent.id}")
        for first, parent in ((i == 0, parent) for i, parent in enumerate(facts.base_models[:4]))
    ]


def _memory(facts: Facts) -> FactGroup | None:
    if not facts.num_parameters:
        return None
    found = [
        Fact(need.name, f"{words.size(need.size)} · {need.fits}")
        for need in needs(facts.num_parameters)
    ]
    return FactGroup(
        "Memory to run it", found, "The weights, and a fifth for what runs beside them."
    )


def _emissions(facts: Facts) -> FactGroup | None:
    grams = facts.emissions_grams
    if not grams:
        return None
    amount = f"{grams:.3g} g" if grams < 1000 else _mass(grams)
    kilometres = words.exactly(max(1, round(grams / _GRAMS_PER_KM)))
    note = f"As the card says. As much as {kilometres} km in an average new car."
    return FactGroup("Training", [Fact("Emissions", f"{amount} CO₂e")], note)


def _mass(grams: float) -> str:
    kilograms = grams / 1000
    return f"{kilograms:.3g} kg" if kilograms < 1000 else f"{kilograms / 1000:.3g} t"


def _storage(repo: Repo) -> FactGroup:
    found = [Fact("Files", words.size(repo.head_size))]
    if repo.used_storage > repo.head_size:
        found.append(Fact("With all versions", words.size(repo.used_storage)))
    found.append(Fact("Updated", words.day(repo.last_modified)))
    found.append(Fact("Created", words.day(repo.created_at)))
    return FactGroup("Repository", found)


def _listed(values: Sequence[str]) -> str:
    more = len(values) - _MAX_SHOWN
    return ", ".join(values[:_MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")

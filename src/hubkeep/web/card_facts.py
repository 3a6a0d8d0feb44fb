# SPDX-License-Identifier: Apache-2.0
"""What stands beside a card: facts from front matter and headers, in groups, in people's words."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, urlencode

import msgspec

from hubkeep.cards.comparisons import in_words
from hubkeep.cards.emissions import Emissions
from hubkeep.cards.facts import Facts
from hubkeep.repos.types import Repo, RepoType
from hubkeep.web import words
from hubkeep.web.derivatives import Ancestor, ancestor
from hubkeep.web.memory import BITS, fits_on, needs
from hubkeep.web.queries_derivatives import Named
from hubkeep.web.repo_places import address

MAX_SHOWN = 6


class Value(msgspec.Struct, rename="camel"):
    """A value as people read it; `href` leads to what it names, or to the others that have it."""

    text: str
    href: str | None = None


class Fact(msgspec.Struct, rename="camel"):
    """A name and its values, of which `more` are not shown; `title` says more of them."""

    name: str
    values: Sequence[Value]
    title: str | None = None
    more: int = 0


class FactGroup(msgspec.Struct, rename="camel"):
    """Facts that belong together, and what has to be known to read them."""

    title: str
    facts: Sequence[Fact]
    note: str | None = None


def fact_groups(
    repo: Repo, facts: Facts | None, on_hub: Mapping[RepoType, Mapping[str, Named]]
) -> list[FactGroup]:
    """Return the groups that have something to say, in the order in which they are shown.

    `on_hub` has those of the repositories that the card names which the visitor may see.
    """
    groups: list[FactGroup | None] = [_about(repo, facts, on_hub)]
    if facts is not None and repo.type is RepoType.MODEL:
        groups += [_memory(facts), _training(facts.emissions)]
    groups.append(_storage(repo))
    return [group for group in groups if group and group.facts]


def names_in(facts: Facts) -> dict[RepoType, list[str]]:
    """Return the repositories that `fact_groups` shows by name, by type."""
    return {RepoType.DATASET: facts.datasets[:MAX_SHOWN], RepoType.MODEL: facts.models[:MAX_SHOWN]}


def _fact(name: str, text: str, href: str | None = None, title: str | None = None) -> Fact:
    return Fact(name, [Value(text, href)], title)


def _about(
    repo: Repo, facts: Facts | None, on_hub: Mapping[RepoType, Mapping[str, Named]]
) -> FactGroup:
    title = {RepoType.MODEL: "Model", RepoType.DATASET: "Dataset"}.get(repo.type, "About")
    if facts is None:
        return FactGroup(title, [])
    found = [*_numbers(facts), *_filters(repo, facts)]
    for name, kind, names in (
        ("Datasets", RepoType.DATASET, facts.datasets),
        ("Models", RepoType.MODEL, facts.models),
    ):
        known = on_hub.get(kind, {})
        found += _list(
            name, [_named(ancestor(kind, one, known)) for one in names[:MAX_SHOWN]], len(names)
        )
    found += _list("Papers", [_paper(one) for one in facts.papers], len(facts.papers))
    if facts.sdk:
        found.append(_fact("SDK", " ".join(filter(None, (facts.sdk, facts.sdk_version)))))
    return FactGroup(title, found)


def _numbers(facts: Facts) -> list[Fact]:
    found: list[Fact] = []
    if facts.num_parameters:
        exact = f"{words.exactly(facts.num_parameters)} parameters, from the files' headers"
        found.append(_fact("Parameters", words.count(facts.num_parameters), title=exact))
    if facts.safetensors is not None:
        kinds = sorted(facts.safetensors.parameters.items(), key=lambda kind: -kind[1])
        shown = [Value(f"{name} {words.count(n)}" if kinds[1:] else name) for name, n in kinds]
        found += _list("Numbers", shown, len(kinds))
    if facts.gguf is not None:
        for name, text in (
            ("Architecture", facts.gguf.architecture),
            ("Quantisation", facts.gguf.file_type),
        ):
            found += [_fact(name, text)] if text else []
        if facts.gguf.context_length:
            found.append(_fact("Context", f"{words.exactly(facts.gguf.context_length)} tokens"))
    return found


def _filters(repo: Repo, facts: Facts) -> list[Fact]:
    """What lists can be narrowed by: each value leads to the others that have it."""

    def alike(tag: str, text: str | None = None, name: str = "filter") -> Value:
        return Value(text or tag, f"/{repo.type.plural}?{urlencode({name: tag})}")

    is_dataset = repo.type is RepoType.DATASET
    found: list[Fact] = []
    if facts.pipeline_tag:
        task = alike(facts.pipeline_tag, _spaced(facts.pipeline_tag), "pipeline_tag")
        found.append(Fact("Task", [task]))
    tasks = [alike(f"task_categories:{one}", _spaced(one)) for one in facts.task_categories]
    found += _list("Tasks", tasks, len(tasks))
    if facts.library_name:
        found.append(Fact("Library", [alike(facts.library_name)]))
    found += _licence(repo, facts, alike)
    spoken = [alike(f"language:{one}" if is_dataset else one, one) for one in facts.languages]
    found += _list("Languages", spoken, len(spoken))
    for name, key, values in (
        ("Rows", "size_categories", facts.size_categories),
        ("Modalities", "modality", facts.modalities),
        ("Format", "format", [facts.file_format] if facts.file_format else []),
    ):
        found += _list(name, [alike(f"{key}:{one}", one) for one in values], len(values))
    return found


def _licence(repo: Repo, facts: Facts, alike: Callable[[str, str], Value]) -> list[Fact]:
    if not facts.license:
        return []
    found = [Fact("Licence", [alike(f"license:{facts.license}", facts.license)])]
    if facts.license_name or facts.license_link:
        text = facts.license_name or "its text"
        found.append(_fact("Its terms", text, _terms(repo, facts.license_link or "")))
    return found


def _terms(repo: Repo, link: str) -> str | None:
    """The address of a licence's text: on the web, or a file of the repository."""
    if link.startswith(("https://", "http://")):
        return link
    path = link.strip("./")
    is_file = path and not link.startswith("/") and ":" not in link
    return address(repo, "blob", repo.default_branch, path) if is_file else None


def _memory(facts: Facts) -> FactGroup | None:
    if not facts.num_parameters:
        return None
    found = [
        _fact(need.name, f"{words.size(need.size)} · {need.fits}")
        for need in needs(facts.num_parameters)
    ]
    if (size := _as_stored(facts)) is not None:
        found.insert(0, _fact("As stored", f"{words.size(size)} · {fits_on(size)}"))
    return FactGroup(
        "Memory to run it",
        found,
        "The weights, and what holds them with a fifth more for what runs beside them.",
    )


def _as_stored(facts: Facts) -> int | None:
    """Bytes of the weights in the types that they are stored in; None where one is unknown, or
    where that is one of the widths that are shown anyway.
    """
    kinds = facts.safetensors.parameters if facts.safetensors else {}
    if not kinds or not BITS.keys() >= kinds.keys():
        return None
    size = sum(n * BITS[name] for name, n in kinds.items()) // 8
    return None if any(size == need.size for need in needs(facts.num_parameters or 0)) else size


def _training(emissions: Emissions | None) -> FactGroup | None:
    if emissions is None:
        return None
    grams = emissions.grams
    found = [_fact("Emissions", f"{_mass(grams)} CO₂e" if grams is not None else emissions.raw)]
    for name, text in (
        ("Training", emissions.training_type),
        ("Hardware", emissions.hardware_used),
        ("Place", emissions.geographical_location),
        ("Reckoned by", emissions.source),
    ):
        found += [_fact(name, text)] if text else []
    said = "As the card says."
    if grams:
        said += f" As much as {', or '.join(in_words(grams))}."
    return FactGroup("Emissions", found, said) if found[0].values[0].text else None


def _mass(grams: float) -> str:
    if grams < 1000:
        return f"{grams:.3g} g"
    kilograms = grams / 1000
    if kilograms < 1000:
        return f"{kilograms:.3g} kg"
    tonnes = kilograms / 1000
    return f"{tonnes:.3g} t" if tonnes < 1000 else f"{words.exactly(round(tonnes))} t"


def _storage(repo: Repo) -> FactGroup:
    found = [_fact("Files", words.size(repo.head_size))]
    if repo.used_storage > repo.head_size:
        found.append(_fact("With all versions", words.size(repo.used_storage)))
    found.append(_fact("Updated", words.day(repo.last_modified)))
    found.append(_fact("Created", words.day(repo.created_at)))
    return FactGroup("Repository", found)


def _list(name: str, values: Sequence[Value], count: int) -> list[Fact]:
    shown = values[:MAX_SHOWN]
    return [Fact(name, shown, more=count - len(shown))] if shown else []


def _named(one: Ancestor) -> Value:
    return Value(one.id, one.href)


def _paper(identifier: str) -> Value:
    return Value(identifier, f"https://arxiv.org/abs/{quote(identifier)}")


def _spaced(task: str) -> str:
    return task.replace("-", " ")

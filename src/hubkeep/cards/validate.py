# SPDX-License-Identifier: Apache-2.0
"""What `POST /api/validate-yaml` has to say about a README.

Errors make clients refuse to push the card (huggingface_hub raises ValueError with them), warnings
are shown. The wording follows huggingface.co's, whose messages people search for, and which tests
of clients match (`"license" must be one of`).
Sources of the rules: https://huggingface.co/docs/hub/model-cards,
https://github.com/huggingface/hub-docs/blob/main/modelcard.md (and `datasetcard.md`),
https://huggingface.co/docs/hub/spaces-config-reference.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hubkeep.cards.base_models import RELATIONS, is_repo_id
from hubkeep.cards.emissions import emissions_grams
from hubkeep.cards.front_matter import split_front_matter
from hubkeep.cards.languages import is_language
from hubkeep.cards.licenses import KNOWN_LICENSES
from hubkeep.cards.model_index import check_model_index
from hubkeep.cards.spaces import check_space
from hubkeep.cards.tasks import TASKS
from hubkeep.cards.values import clean

MAX_MESSAGES = 50
EMPTY = "empty or missing yaml metadata in repo card"


@dataclass
class CardCheck:
    """What is wrong with a card (`errors`) and what could be better (`warnings`)."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


Card = Mapping[str, object]


def validate_card(content: str, repo_type: str) -> CardCheck:
    """Check the README `content` of a repository of type `repo_type`. Never raises."""
    matter = split_front_matter(content)
    check = CardCheck()
    if matter.error is not None:
        check.errors.append(f"Invalid YAML metadata: {matter.error}")
        return check
    if not matter.data:
        check.warnings.append(EMPTY)
        return check
    card = matter.data
    _check_license(card, check)
    _check_strings(card, ("tags", "datasets", "metrics", "models"), check)
    if repo_type == "space":
        check.errors += check_space(card)
        if "sdk" not in card:
            check.warnings.append('"sdk" is missing: the Space has nothing to run')
    else:
        _check_language(card, check)
        (_check_dataset if repo_type == "dataset" else _check_model)(card, check)
    del check.errors[MAX_MESSAGES:], check.warnings[MAX_MESSAGES:]
    return check


def _items(card: Card, name: str) -> list[tuple[str, object]]:
    """The values of a field that may be one or a list, each with its label for messages."""
    value = card.get(name)
    if value is None:
        return []
    if isinstance(value, list):
        return [(f'"{name}[{index}]"', item) for index, item in enumerate(value)]
    return [(f'"{name}"', value)]


def _check_strings(card: Card, names: Sequence[str], check: CardCheck) -> None:
    for name in names:
        for label, item in _items(card, name):
            if not isinstance(item, str):
                must = "be a string" if "[" in label else "be an array"
                check.errors.append(f"{label} must {must}")


def _check_each(
    card: Card, name: str, valid: Callable[[str], bool], problem: str, into: list[str]
) -> None:
    for label, item in _items(card, name):
        if isinstance(item, str) and not valid(item):
            into.append(f'{label} with value "{clean(item, 80) or ""}" is not valid. {problem}')


def _check_license(card: Card, check: CardCheck) -> None:
    known = ", ".join(KNOWN_LICENSES)
    for label, item in _items(card, "license"):
        if item not in KNOWN_LICENSES:
            array = "" if "[" in label else ", array"
            check.errors.append(f"{label} must be one of [{known}{array}]")
        if item == "other" and clean(card.get("license_name")) is None:
            check.warnings.append('"license_name" is missing: it names the licence that is "other"')
    _check_text(card, ("license_name", "license_link"), check)


def _check_text(card: Card, names: Sequence[str], check: CardCheck) -> None:
    for name in names:
        value = card.get(name)
        if value is not None and not isinstance(value, str):
            check.errors.append(f'"{name}" must be a string')


def _check_language(card: Card, check: CardCheck) -> None:
    _check_strings(card, ("language",), check)
    _check_each(
        card,
        "language",
        is_language,
        "It must be an ISO 639-1, 639-2 or 639-3 code (two/three letters), or a special value "
        'like "code", "multilingual". BCP-47 identifiers go into "language_bcp47".',
        check.errors,
    )


def _check_model(card: Card, check: CardCheck) -> None:
    _check_text(card, ("pipeline_tag", "library_name", "thumbnail"), check)
    _check_strings(card, ("base_model",), check)
    _check_each(card, "base_model", is_repo_id, "Use the id of a model.", check.errors)
    _check_each(card, "datasets", is_repo_id, "Use the id of a dataset.", check.warnings)
    relation = card.get("base_model_relation")
    if relation is not None and relation not in RELATIONS:
        check.errors.append(f'"base_model_relation" must be one of [{", ".join(RELATIONS)}]')
    task = card.get("pipeline_tag")
    if isinstance(task, str) and task not in TASKS:
        check.warnings.append(f'"pipeline_tag" "{clean(task, 80)}" is not in the list of tasks')
    if "model-index" in card:
        check.errors += check_model_index(card["model-index"])
    emissions = emissions_grams(card)
    if emissions is not None and emissions.grams is None:
        check.warnings.append('"co2_eq_emissions" cannot be read as an amount of grams')


def _check_dataset(card: Card, check: CardCheck) -> None:
    _check_text(card, ("pretty_name",), check)
    fields = "annotations_creators", "language_creators", "multilinguality", "source_datasets"
    _check_strings(card, (*fields, "task_categories", "task_ids", "size_categories"), check)
    known = TASKS.__contains__
    _check_each(card, "task_categories", known, "It is not in the list of tasks.", check.warnings)
    configs = card.get("configs")
    if configs is not None and not isinstance(configs, list):
        check.errors.append('"configs" must be an array')
    for label, item in _items(card, "configs") if isinstance(configs, list) else []:
        if not isinstance(item, dict) or not isinstance(item.get("config_name"), str):
            check.errors.append(f'{label[:-1]}.config_name" is required')

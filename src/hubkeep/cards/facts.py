# SPDX-License-Identifier: Apache-2.0
"""Everything that is indexed of a repository at a revision, from its card, files and headers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from hubkeep.cards import text
from hubkeep.cards.base_models import BaseModel, base_models
from hubkeep.cards.datasets import dataset_format, dataset_modalities, size_categories
from hubkeep.cards.emissions import Emissions, emissions_grams
from hubkeep.cards.headers import FileHeader
from hubkeep.cards.languages import languages
from hubkeep.cards.libraries import find_library, format_tags
from hubkeep.cards.model_config import config_tags, shown_config
from hubkeep.cards.parameters import (
    GgufFacts,
    SafetensorsFacts,
    gguf_facts,
    safetensors_facts,
)
from hubkeep.cards.tags import dataset_tags, model_tags, space_tags
from hubkeep.cards.tasks import infer_task, task_name
from hubkeep.cards.values import MAX_LIST_ITEMS, clean, strings
from hubkeep.cards.weight_formats import weight_formats

_CHATTING = frozenset({"text-generation", "image-text-to-text"})
_MAX_ERROR = 500
_README = "README.md"


class FileAtHead(msgspec.Struct, frozen=True):
    """A file of the revision: its path and its size in bytes."""

    path: str
    size: int


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a repository says and shows of itself.

    Strings are cleaned and bounded (256 characters, descriptions and errors 500), lists hold at
    most 500 items. `card_data` is the front matter as parsed. Fields that a type of repository
    does not have keep their defaults.
    """

    tags: list[str]
    license: str | None = None
    license_name: str | None = None
    license_link: str | None = None
    languages: list[str] = []
    datasets: list[str] = []
    models: list[str] = []
    papers: list[str] = []
    description: str | None = None
    card_data: dict[str, object] | None = None
    card_error: str | None = None
    has_card: bool | None = None  # None in facts from before this was looked at; so are formats
    # Models (and kernels)
    pipeline_tag: str | None = None
    library_name: str | None = None
    base_models: list[BaseModel] = []
    metrics: list[str] = []
    model_index: list[object] | None = None
    emissions: Emissions | None = None
    emissions_grams: float | None = None
    config: dict[str, object] | None = None
    safetensors: SafetensorsFacts | None = None
    gguf: GgufFacts | None = None
    num_parameters: int | None = None
    weight_formats: list[str] | None = None
    # Datasets
    pretty_name: str | None = None
    task_categories: list[str] = []
    size_categories: list[str] = []
    file_format: str | None = None
    modalities: list[str] = []
    # Spaces
    sdk: str | None = None
    sdk_version: str | None = None
    app_file: str | None = None
    title: str | None = None
    emoji: str | None = None
    color_from: str | None = None
    color_to: str | None = None
    short_description: str | None = None


def describe(
    repo_type: str,
    card: Mapping[str, object] | None,
    files: Sequence[FileAtHead],
    config: Mapping[str, object] | None,
    headers: Mapping[str, FileHeader],
    readme_error: str | None = None,
    *,
    body: str = "",
    repo_id: str | None = None,
    tokenizer_config: Mapping[str, object] | None = None,
) -> Facts:
    """The facts of a repository of type `repo_type` (model, dataset, space or kernel).

    `card` is the front matter and `body` the text of its README, `config` and `tokenizer_config`
    the parsed files of these names, `headers` the headers of its model files by path, `repo_id`
    its own name (a model is not its own base model). Never raises on JSON-like values, whatever
    their types.
    """
    source = _Source(
        card or {}, [file.path for file in files], config or {}, headers, body, text.papers(body)
    )
    facts = _common(source, None if card is None else dict(card), readme_error)
    if repo_type == "dataset":
        return _with_dataset(facts, source)
    if repo_type == "space":
        return _with_space(facts, source)
    return _with_model(facts, source, repo_id, tokenizer_config)


@dataclass(frozen=True)
class _Source:
    card: Mapping[str, object]
    paths: Sequence[str]
    config: Mapping[str, object]
    headers: Mapping[str, FileHeader]
    body: str
    papers: Sequence[str]


def _common(source: _Source, card_data: dict[str, object] | None, error: str | None) -> Facts:
    card = source.card
    licenses = strings(card.get("license"), count=1)
    return Facts(
        tags=[],
        license=licenses[0] if licenses else None,
        license_name=clean(card.get("license_name")),
        license_link=clean(card.get("license_link")),
        languages=languages(card.get("language")),
        datasets=strings(card.get("datasets")),
        models=strings(card.get("models")),
        papers=list(source.papers),
        description=text.description(source.body),
        card_data=card_data,
        card_error=clean(error, _MAX_ERROR),
        has_card=_README in source.paths,
    )


def _with_model(
    facts: Facts,
    source: _Source,
    repo_id: str | None,
    tokenizer_config: Mapping[str, object] | None,
) -> Facts:
    card, paths = source.card, source.paths
    written_tags = strings(card.get("tags"))
    library = find_library(card, written_tags, paths, source.config)
    task = task_name(card.get("pipeline_tag")) or infer_task(written_tags, library, source.config)
    parents = base_models(card, own_id=repo_id, paths=paths, config=source.config)
    shown = shown_config(source.config, tokenizer_config)
    weights = safetensors_facts(paths, source.headers)
    gguf = gguf_facts(paths, source.headers)
    emissions = emissions_grams(card)
    results = card.get("model-index")
    tags = model_tags(
        card,
        library=library,
        detected=[*format_tags(paths), clean(source.config.get("model_type"), 64)],
        task=task,
        config_tags=config_tags(source.config),
        conversational=task in _CHATTING and _has_template(shown, gguf),
        parents=parents,
        papers=source.papers,
    )
    return msgspec.structs.replace(
        facts,
        tags=tags,
        pipeline_tag=task,
        library_name=library,
        base_models=parents,
        metrics=strings(card.get("metrics")),
        model_index=results[:MAX_LIST_ITEMS] if isinstance(results, list) else None,
        emissions=emissions,
        emissions_grams=emissions.grams if emissions else None,
        config=shown,
        safetensors=weights,
        gguf=gguf,
        num_parameters=weights.total if weights else gguf.total if gguf else None,
        weight_formats=weight_formats(paths),
    )


def _has_template(shown: dict[str, object] | None, gguf: GgufFacts | None) -> bool:
    if gguf is not None and gguf.chat_template is not None:
        return True
    tokenizer = (shown or {}).get("tokenizer_config")
    return isinstance(tokenizer, dict) and "chat_template" in tokenizer


def _with_dataset(facts: Facts, source: _Source) -> Facts:
    sizes = size_categories(source.card)
    file_format = dataset_format(source.paths)
    modalities = dataset_modalities(source.card, source.paths)
    return msgspec.structs.replace(
        facts,
        tags=dataset_tags(
            source.card,
            sizes=sizes,
            file_format=file_format,
            modalities=modalities,
            papers=source.papers,
        ),
        pretty_name=clean(source.card.get("pretty_name")),
        task_categories=strings(source.card.get("task_categories")),
        size_categories=sizes,
        file_format=file_format,
        modalities=modalities,
    )


def _with_space(facts: Facts, source: _Source) -> Facts:
    card = source.card
    sdk = clean(card.get("sdk"), 32)
    return msgspec.structs.replace(
        facts,
        tags=space_tags(card, sdk=sdk),
        sdk=sdk,
        sdk_version=clean(card.get("sdk_version"), 32),
        app_file=clean(card.get("app_file")),
        title=clean(card.get("title")),
        emoji=clean(card.get("emoji"), 16),
        color_from=clean(card.get("colorFrom"), 16),
        color_to=clean(card.get("colorTo"), 16),
        short_description=clean(card.get("short_description")),
    )

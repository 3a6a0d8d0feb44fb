# SPDX-License-Identifier: Apache-2.0
"""What lists are asked with: the parameters of each type, and what they mean.

Source: `list_models`, `list_datasets` and `list_spaces` of huggingface_hub 0.24 to 2.4 and
`listModels` and its like of @huggingface/hub.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from hubkeep import errors
from hubkeep.repos.info_fields import FULL, LISTED, expanded_fields, needs_facts
from hubkeep.repos.search_wanted import Sort, Wanted
from hubkeep.repos.types import RepoType

MAX_PAGE = 1000
# Where each object carries a card or a configuration.
MAX_HEAVY_PAGE = 100
MAX_WORDS = 10
MAX_TAGS = 30
_MAX_COUNT = 2**63 - 1

_SORTS = {
    "createdAt": Sort.CREATED,
    "created_at": Sort.CREATED,
    "lastModified": Sort.MODIFIED,
    "last_modified": Sort.MODIFIED,
    "downloads": Sort.DOWNLOADS,
    "likes": Sort.LIKES,
    "trendingScore": Sort.TRENDING,
    "trending_score": Sort.TRENDING,
}
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_BOUND = re.compile(r"(min|max):(\d{1,15}(?:\.\d{1,15})?)([KMBT]?)", re.IGNORECASE)


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of every list. `filter` takes tags, repeated or with commas between them."""

    search: tuple[str, ...] = ()
    author: str = ""
    filter: tuple[str, ...] = ()
    sort: str | None = None
    direction: int = -1
    limit: int | None = None
    cursor: str | None = None
    full: bool = False
    expand: tuple[str, ...] = ()


class DatasetQuery(ListQuery, frozen=True, kw_only=True):
    """Parameters of `GET /api/datasets`."""

    gated: bool | None = None


class ModelQuery(DatasetQuery, frozen=True, kw_only=True):
    """Parameters of `GET /api/models`."""

    pipeline_tag: str | None = None
    num_parameters: str | None = None
    apps: tuple[str, ...] = ()
    inference: str | None = None
    inference_provider: tuple[str, ...] = ()
    config: bool = False
    fetch_config: bool = False
    card_data: bool = msgspec.field(default=False, name="cardData")


class SpaceQuery(ListQuery, frozen=True, kw_only=True):
    """Parameters of `GET /api/spaces`."""

    datasets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    linked: bool = False


QUERIES: dict[RepoType, type[ListQuery]] = {
    RepoType.MODEL: ModelQuery,
    RepoType.DATASET: DatasetQuery,
    RepoType.SPACE: SpaceQuery,
    RepoType.KERNEL: ListQuery,
}


def wanted_by(kind: RepoType, query: ListQuery) -> Wanted:
    """Return the list that a query asks for, its author left out; 400 for what makes no sense."""
    words = [word.lower() for text in query.search for word in text.split()]
    tags = _split(query.filter)
    if len(words) > MAX_WORDS or len(tags) > MAX_TAGS:
        raise errors.bad_request(f"At most {MAX_WORDS} words and {MAX_TAGS} filters go together")
    if query.direction not in (-1, 1):
        raise errors.bad_request('"direction" must be -1 (descending) or 1 (ascending)')
    wanted = Wanted(
        kind,
        words=tuple(dict.fromkeys(words)),
        tags=tags,
        sort=_sort(query.sort),
        ascending=query.direction == 1,
        gated=query.gated if isinstance(query, DatasetQuery) else None,
    )
    if isinstance(query, ModelQuery):
        return _model_list(wanted, query)
    if isinstance(query, SpaceQuery):
        datasets, models = _split(query.datasets), _split(query.models)
        return replace(wanted, datasets=datasets, models=models, linked=query.linked)
    return wanted


def is_of_served_models(query: ListQuery) -> bool:
    """Whether the list is of models that an inference provider serves: none of this hub is.

    400 for another value of `inference` than `warm`, the only one that clients know.
    """
    if not isinstance(query, ModelQuery):
        return False
    if query.inference not in (None, "warm"):
        raise errors.bad_request('"inference" must be "warm"')
    return query.inference == "warm" or bool(_split(query.inference_provider))


def fields_shown(kind: RepoType, query: ListQuery) -> tuple[str, ...]:
    """Return the fields of each object; 400 for an unknown one, or for two ways to ask at once."""
    shows_config = isinstance(query, ModelQuery) and (query.config or query.fetch_config)
    shows_card = isinstance(query, ModelQuery) and query.card_data
    if query.expand:
        if query.full or shows_config or shows_card:
            raise errors.bad_request('"expand" cannot be used with "full", "cardData" or "config"')
        if "siblings" in query.expand:
            raise errors.not_implemented("Listing the files of many repositories at once")
        return expanded_fields(kind, query.expand)
    fields = FULL[kind] if query.full else LISTED[kind]
    extra = [name for name, shown in (("config", shows_config), ("cardData", shows_card)) if shown]
    return tuple(dict.fromkeys((*fields, *extra)))


def page_size(query: ListQuery, fields: tuple[str, ...]) -> int:
    """Return how many objects a page may have; 400 for a limit below one."""
    most = MAX_HEAVY_PAGE if needs_facts(fields) else MAX_PAGE
    if query.limit is None:
        return most
    if query.limit < 1:
        raise errors.bad_request('"limit" must be at least 1')
    return min(query.limit, most)


def _model_list(wanted: Wanted, query: ModelQuery) -> Wanted:
    if query.apps:
        raise errors.not_implemented("Listing models by the apps that run them")
    least, most = _bounds(query.num_parameters)
    return replace(
        wanted,
        pipeline_tag=query.pipeline_tag or None,
        least_parameters=least,
        most_parameters=most,
    )


def _sort(name: str | None) -> Sort:
    if not name:
        return Sort.TRENDING
    if name not in _SORTS:
        raise errors.bad_request(f'"sort" must be one of [{", ".join(_SORTS)}]')
    return _SORTS[name]


def _bounds(text: str | None) -> tuple[int | None, int | None]:
    """Read `min:6B,max:128B`, each end by itself too."""
    if text is None:
        return None, None
    found: dict[str, int] = {}
    for part in text.split(","):
        match = _BOUND.fullmatch(part.strip())
        if match is None:
            raise errors.bad_request(
                f"\"num_parameters\" must be like 'min:6B,max:128B', not {text[:100]!r}"
            )
        number = int(float(match[2]) * _UNITS[match[3].upper()])
        found[match[1].lower()] = min(number, _MAX_COUNT)
    return found.get("min"), found.get("max")


def _split(values: Iterable[str]) -> tuple[str, ...]:
    parts = (part.strip() for value in values for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))

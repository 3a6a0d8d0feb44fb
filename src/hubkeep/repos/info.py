# SPDX-License-Identifier: Apache-2.0
"""The object that describes a repository in the hub API: one builder for infos, lists and searches.

Fields are Hugging Face's. Two rules settle what is written where the hub has no value: a field
asked for by `expand` is always there, null where there is none or where this hub does not know (it
runs no Spaces and no inference, and follows no evaluation feeds); one that comes unasked is left
out.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import msgspec

from hubkeep.cards.facts import Facts
from hubkeep.kit.time import wire
from hubkeep.repos.types import InfoRow


@dataclass(slots=True)
class _Source:
    row: InfoRow
    facts: Facts
    siblings: msgspec.Raw | None


_NOTHING_KNOWN = Facts(tags=[])
_decode_facts = msgspec.json.Decoder(Facts).decode


def read_facts(data: str | bytes | None) -> Facts | None:
    """Decode a row of the table `facts`; None for a repository without one."""
    return None if data is None else _decode_facts(data)


def _card(source: _Source, name: str) -> object:
    return (source.facts.card_data or {}).get(name)


def _mask_token(source: _Source) -> object:
    tokenizer = (source.facts.config or {}).get("tokenizer_config")
    return cast("Mapping[str, object]", tokenizer).get("mask_token") if tokenizer else None


def _base_models(source: _Source) -> object:
    parents = source.facts.base_models
    if not parents:
        return None
    return {"relation": parents[0].relation, "models": [{"id": parent.id} for parent in parents]}


def _sha(source: _Source) -> object:
    return source.row.head.hex() if source.row.head else None


def _unknown(_source: _Source) -> object:
    return None


_FIELDS: Mapping[str, Callable[[_Source], object]] = {
    "author": lambda s: s.row.path.partition("/")[0],
    "baseModels": _base_models,
    "cardData": lambda s: s.facts.card_data,
    "childrenModelCount": _unknown,
    "citation": lambda s: _card(s, "citation"),
    "config": lambda s: s.facts.config,
    "createdAt": lambda s: wire(s.row.created_at),
    "datasets": lambda s: s.facts.datasets,
    "description": lambda s: s.facts.description,
    "disabled": lambda s: s.row.disabled,
    "downloads": lambda s: s.row.downloads,
    "downloadsAllTime": lambda s: s.row.downloads_all,
    "evalResults": _unknown,
    "gated": lambda s: s.row.gated or False,
    "gguf": lambda s: s.facts.gguf,
    "gitalyUid": _unknown,
    "inference": _unknown,
    # A list: no provider serves models of this hub, which is known, unlike the fields above.
    "inferenceProviderMapping": lambda _s: [],
    "lastModified": lambda s: wire(s.row.last_modified),
    "library_name": lambda s: s.row.library_name,
    "likes": lambda s: s.row.likes,
    "mainSize": lambda s: s.row.head_size if s.row.head else None,
    "mask_token": _mask_token,
    "model-index": lambda s: s.facts.model_index,
    "modelId": lambda s: s.row.path,
    "models": lambda s: s.facts.models,
    "paperswithcode_id": lambda s: _card(s, "paperswithcode_id"),
    "pipeline_tag": lambda s: s.row.pipeline_tag,
    "private": lambda s: s.row.private,
    "region": _unknown,
    "resourceGroup": _unknown,
    "runtime": _unknown,
    "safetensors": lambda s: s.facts.safetensors,
    "sdk": lambda s: s.row.sdk,
    "sha": _sha,
    "siblings": lambda s: s.siblings,
    "spaces": _unknown,
    "subdomain": _unknown,
    "tags": lambda s: msgspec.Raw(s.row.tags.encode()),
    "transformersInfo": _unknown,
    "trendingScore": lambda s: s.row.trending,
    "usedStorage": lambda s: s.row.used_storage,
    "widgetData": lambda s: _card(s, "widget"),
    "xetEnabled": lambda _s: True,
}


def info_of(
    row: InfoRow,
    facts: Facts | None = None,
    *,
    fields: Iterable[str],
    siblings: msgspec.Raw | None = None,
    expanded: bool = False,
) -> dict[str, object]:
    """Build the info object: `_id`, `id`, then `fields` in their order.

    `facts` are needed where `needs_facts(fields)`; `siblings` is the encoded list. With `expanded`
    every field is there, null where it has no value; without, such fields are left out.
    """
    source = _Source(row, facts or _NOTHING_KNOWN, siblings)
    info: dict[str, object] = {"_id": row.public_id, "id": row.path}
    for name in fields:
        value = _FIELDS[name](source)
        if value is not None or expanded:
            info[name] = value
    return info


def at_revision(row: InfoRow, commit: bytes, facts: Facts | None) -> InfoRow:
    """Return the row as if the repository's head were `commit`, which says `facts` of itself."""
    facts = facts or _NOTHING_KNOWN
    return msgspec.structs.replace(
        row,
        head=commit,
        pipeline_tag=facts.pipeline_tag,
        library_name=facts.library_name,
        sdk=facts.sdk or row.sdk,
        tags=msgspec.json.encode(facts.tags).decode(),
        num_parameters=facts.num_parameters,
    )

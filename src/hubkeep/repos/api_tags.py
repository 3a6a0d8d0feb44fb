# SPDX-License-Identifier: Apache-2.0
"""Handlers of the lists of tags: which there are, by what they speak of."""

from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import json_answer, read_query
from hubkeep.repos.queries_list_tags import common_tags
from hubkeep.repos.search_tags import kinds_of_tags, label_of_tag
from hubkeep.repos.types import RepoType

if TYPE_CHECKING:
    from hubkeep.app import App

# Of each kind, the commonest: names of base models and free tags have no end.
MAX_OF_A_KIND = 1000


class TagsQuery(msgspec.Struct, frozen=True):
    """Parameters of the lists of tags: `type` asks for one kind alone."""

    type: str | None = None


class TagShown(msgspec.Struct, frozen=True):
    """A tag: `id` is what `filter` takes, `label` what people read."""

    id: str
    label: str
    type: str


async def model_tags(app: "App", request: Request) -> Response:
    """List the tags of public models by kind, the commonest first."""
    return await _answer(app, request, RepoType.MODEL)


async def dataset_tags(app: "App", request: Request) -> Response:
    """List the tags of public datasets by kind, the commonest first."""
    return await _answer(app, request, RepoType.DATASET)


async def _answer(app: "App", request: Request, repo_type: RepoType) -> Response:
    query = read_query(request, TagsQuery)
    kinds = [kind for kind in kinds_of_tags(repo_type) if query.type in (None, kind)]
    found = await app.db.read(lambda conn: common_tags(conn, repo_type, kinds, MAX_OF_A_KIND))
    answer: dict[str, list[TagShown]] = {kind: [] for kind in kinds}
    for it in found:
        shown = answer.get(it.kind)
        if shown is not None and len(shown) < MAX_OF_A_KIND:
            shown.append(TagShown(it.tag, label_of_tag(it.kind, it.tag), it.kind))
    return json_answer(answer)
